//! Discovery of functions in sysfs.
//!
//! ```text
//!  bus/pci/devices ─► class 02 ─► PF, VF  ─► auxiliary devices with `sfnum` ─► SFs
//!                 └─► class 12 ─► accelerators
//! ```
//!
//! A network function that is no VF and supports none is a PF without VFs, as in the SR-IOV network
//! device plugin.

mod auxiliary;
mod capabilities;
mod vf_ids;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use self::capabilities::Vdpa;
use super::sysfs::{self, Sysfs};
use crate::{
    device::{Bdf, Binding, DeviceId, Function, FunctionKind, LinkType, PciIds, VfAddress},
    host::{ErrorKind, HostError, Result},
};

pub(super) use auxiliary::sub_function;

/// All functions in one scan, sorted.
pub(super) fn all(sysfs: &Sysfs) -> Vec<Function> {
    let mut scan = Scan::new(sysfs);
    let mut functions = Vec::new();
    for bdf in sysfs::list(&sysfs.devices())
        .into_iter()
        .filter_map(|name| name.parse().ok())
    {
        let Some(class) = Class::of(&sysfs.device(&bdf)) else {
            continue;
        };
        let Some(function) = or_logged(&bdf.into(), scan.function(&bdf, class)) else {
            continue;
        };
        functions.extend(scan.sub_functions(&function));
        functions.push(function);
    }
    functions.sort_by_key(|function| function.id);
    functions
}

/// One function.
pub(super) fn one(sysfs: &Sysfs, device: &DeviceId) -> Result<Function> {
    let bdf = device.pci();
    sysfs.present(&bdf)?;
    let none = || {
        HostError::of_kind(
            ErrorKind::Gone,
            format!("device {bdf}"),
            "look up",
            "is no network function",
        )
    };
    let mut scan = Scan::new(sysfs);
    let function = scan.function(&bdf, Class::of(&sysfs.device(&bdf)).ok_or_else(none)?)?;
    match device {
        DeviceId::Pci(_) => Ok(function),
        DeviceId::Sf { .. } => scan.sub_function(&function, &sub_function(sysfs, device)?),
    }
}

/// The PCI base classes of interest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// 02, network controllers.
    Network,
    /// 12, processing accelerators.
    Accelerator,
}

impl Class {
    fn of(dir: &Path) -> Option<Self> {
        match sysfs::hex(dir, "class")? >> 16 {
            0x02 => Some(Self::Network),
            0x12 => Some(Self::Accelerator),
            _ => None,
        }
    }
}

/// A function that disappears while it is read must not hide the others.
fn or_logged<T>(device: &DeviceId, result: Result<T>) -> Option<T> {
    result
        .inspect_err(
            |error| tracing::warn!(%device, %error, "skipping a device that cannot be read"),
        )
        .ok()
}

/// One scan of the host, which reads each PF once.
struct Scan<'a> {
    sysfs: &'a Sysfs,
    pfs: HashMap<Bdf, Pf>,
    vdpa: Vdpa,
    /// Whether there are auxiliary devices on this host.
    auxiliary: bool,
}

/// What VFs take over from their PF.
struct Pf {
    index: HashMap<String, u32>,
    link_type: Option<LinkType>,
    speed: Option<u32>,
}

impl<'a> Scan<'a> {
    fn new(sysfs: &'a Sysfs) -> Self {
        Self {
            sysfs,
            pfs: HashMap::new(),
            vdpa: Vdpa::read(sysfs),
            auxiliary: sysfs.has_auxiliary(),
        }
    }

    fn function(&mut self, bdf: &Bdf, class: Class) -> Result<Function> {
        let (dir, incarnation) = self.sysfs.present(bdf)?;
        let ids = ids(&dir).ok_or_else(|| unreadable(bdf))?;
        let binding = binding(&dir);
        let kind = self.kind(bdf, &dir, class, ids, &binding);
        let netdev = netdev(&dir);
        let function = Function {
            id: (*bdf).into(),
            incarnation,
            kind,
            ids,
            binding,
            link_type: netdev.as_deref().and_then(link_type),
            link_speed: None,
            carrier: netdev.as_deref().and_then(carrier),
            netdev: netdev.as_deref().and_then(name),
            eswitch: None,
            numa_node: sysfs::parse(&dir, "numa_node"),
            pcie_root: self.sysfs.place(bdf).as_deref().and_then(pcie_root),
            iommu_group: sysfs::link_name(&dir.join("iommu_group"))
                .and_then(|group| group.parse().ok()),
            acpi_index: sysfs::parse(&dir, "acpi_index"),
            capabilities: Default::default(),
        };
        Ok(self.with_port(function, &dir))
    }

    /// Adds what depends on the port that the function is behind.
    fn with_port(&mut self, mut function: Function, dir: &Path) -> Function {
        let port = self.pf(&function.pf().unwrap_or(function.id.pci()));
        let (pf_type, speed) = (port.link_type, port.speed);
        function.link_type = function.link_type.or(pf_type);
        function.link_speed = speed;
        function.capabilities = self.capabilities(dir, function.link_type);
        function
    }

    fn kind(
        &mut self,
        bdf: &Bdf,
        dir: &Path,
        class: Class,
        ids: PciIds,
        binding: &Binding,
    ) -> FunctionKind {
        let physfn = sysfs::link_name(&dir.join("physfn")).and_then(|name| name.parse().ok());
        let index = physfn.and_then(|pf| self.pf(&pf).index.get(&bdf.to_string()).copied());
        let address = physfn.zip(index).map(|(pf, index)| VfAddress { pf, index });
        let total_vfs = sysfs::parse(dir, "sriov_totalvfs").unwrap_or(0);
        let num_vfs = sysfs::parse(dir, "sriov_numvfs").unwrap_or(0);
        match class {
            Class::Accelerator => FunctionKind::Accelerator {
                address,
                total_vfs,
                num_vfs,
            },
            Class::Network if physfn.is_some() => FunctionKind::Vf { address },
            Class::Network if total_vfs == 0 && vf_ids::is_vf(ids, binding) => {
                FunctionKind::Vf { address: None }
            }
            Class::Network => FunctionKind::Pf { total_vfs, num_vfs },
        }
    }

    fn pf(&mut self, bdf: &Bdf) -> &Pf {
        let dir = self.sysfs.device(bdf);
        self.pfs.entry(*bdf).or_insert_with(|| Pf::read(&dir))
    }
}

impl Pf {
    fn read(dir: &Path) -> Self {
        let vfs = sysfs::list(dir).into_iter().filter_map(|name| {
            let index = name.strip_prefix("virtfn")?.parse().ok()?;
            Some((sysfs::link_name(&dir.join(name))?, index))
        });
        let port = netdev(dir);
        Self {
            index: vfs.collect(),
            link_type: port.as_deref().and_then(link_type),
            speed: port
                .as_deref()
                .and_then(|dir| sysfs::parse(dir, "speed"))
                // SPEED_UNKNOWN.
                .filter(|speed| *speed != u32::MAX),
        }
    }
}

/// The directory of the function's own netdev in the host's namespace: the uplink, not a
/// representor of its VFs.
pub(super) fn netdev(dir: &Path) -> Option<PathBuf> {
    let own = |dir: &PathBuf| is_uplink(sysfs::read(dir, "phys_port_name").as_deref());
    let of = |dir: PathBuf| {
        sysfs::list(&dir)
            .into_iter()
            .map(|name| dir.join(name))
            .find(own)
    };
    of(dir.join("net")).or_else(|| of(dir.join(virtio(dir)?).join("net")))
}

/// `virtio3`: the virtio device between a PCI function and its netdev.
pub(super) fn virtio(dir: &Path) -> Option<String> {
    let bound = sysfs::link_name(&dir.join("driver"))? == "virtio-pci";
    let numbered = |name: &String| {
        name.strip_prefix("virtio")
            .is_some_and(|number| number.parse::<u32>().is_ok())
    };
    sysfs::list(dir)
        .into_iter()
        .filter(|_| bound)
        .find(numbered)
}

fn name<T: std::str::FromStr>(dir: &Path) -> Option<T> {
    dir.file_name()?.to_str()?.parse().ok()
}

/// Representors have a `phys_port_name` that names their function (`pf0vf1`, `pf0sf88`, `c1pf0`),
/// an uplink has none or its port number (`p0`): `__devlink_port_phys_port_name_get` in
/// `net/devlink/port.c`.
pub(super) fn is_uplink(phys_port_name: Option<&str>) -> bool {
    match phys_port_name {
        None | Some("") => true,
        Some(name) => name
            .strip_prefix('p')
            .is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

/// The bound driver and `driver_override`.
pub(super) fn binding(dir: &Path) -> Binding {
    Binding {
        driver: sysfs::link_name(&dir.join("driver")),
        driver_override: sysfs::read(dir, "driver_override")
            // The kernel prints an unset override as `(null)`.
            .filter(|name| !name.is_empty() && name != "(null)"),
    }
}

fn ids(dir: &Path) -> Option<PciIds> {
    let number = |name| sysfs::hex(dir, name)?.try_into().ok();
    Some(PciIds {
        vendor: number("vendor")?,
        device: number("device")?,
    })
}

fn unreadable(bdf: &Bdf) -> HostError {
    HostError::of_kind(
        ErrorKind::Gone,
        format!("device {bdf}"),
        "read vendor and device",
        "cannot be read",
    )
}

/// ARPHRD_ETHER, ARPHRD_INFINIBAND.
fn link_type(netdev: &Path) -> Option<LinkType> {
    match sysfs::parse::<u32>(netdev, "type")? {
        1 => Some(LinkType::Ethernet),
        32 => Some(LinkType::Infiniband),
        _ => None,
    }
}

/// The carrier. Reading it fails with EINVAL while the link is down (`carrier_show` in
/// `net/core/net-sysfs.c`).
fn carrier(netdev: &Path) -> Option<bool> {
    sysfs::parse::<u8>(netdev, "carrier").map(|carrier| carrier == 1)
}

fn pcie_root(place: &Path) -> Option<String> {
    let root = place.components().next()?.as_os_str().to_str()?;
    root.starts_with("pci").then(|| root.to_owned())
}

#[cfg(test)]
mod tests;
