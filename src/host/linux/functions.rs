//! Discovery of functions in sysfs.
//!
//! ```text
//!  bus/pci/devices ─► class 02 ─► PF, VF  ─► auxiliary devices with `sfnum` ─► SFs
//!                 └─► class 12 ─► accelerators
//! ```
//!
//! A network function that is no VF and supports none is a PF without VFs, as in the SR-IOV network
//! device plugin; in a virtual machine only if its make is known for it ([`guest`]).

mod auxiliary;
mod capabilities;
mod group;
mod guest;
mod netdevs;
mod numbering;
mod vf_ids;
mod yields;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use self::{
    capabilities::Vdpa,
    group::Groups,
    guest::Guest,
    netdevs::{carrier, if_name, link_type, netdevs},
    numbering::Numbering,
};
use super::sysfs::{self, Sysfs};
use crate::{
    device::{Bdf, Binding, DeviceId, Function, FunctionKind, LinkType, PciIds, VfAddress},
    host::{ErrorKind, HostError, Result},
};

pub(super) use auxiliary::sub_function;
pub(super) use group::members;
pub(super) use netdevs::{has_netdev, is_uplink, netdev, virtio};

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
    groups: Groups<'a>,
    guest: Guest<'a>,
    /// Whether there are auxiliary devices on this host.
    auxiliary: bool,
}

/// What VFs take over from their PF.
struct Pf {
    vfs: Numbering,
    link_type: Option<LinkType>,
    speed: Option<u32>,
}

impl<'a> Scan<'a> {
    fn new(sysfs: &'a Sysfs) -> Self {
        Self {
            sysfs,
            pfs: HashMap::new(),
            vdpa: Vdpa::read(sysfs),
            groups: Groups::new(sysfs),
            guest: Guest::new(sysfs),
            auxiliary: sysfs.has_auxiliary(),
        }
    }

    fn function(&mut self, bdf: &Bdf, class: Class) -> Result<Function> {
        let (dir, incarnation) = self.sysfs.present(bdf)?;
        let ids = ids(&dir).ok_or_else(|| unreadable(bdf))?;
        let binding = binding(&dir);
        let kind = self.kind(bdf, &dir, class, ids, &binding);
        let netdevs = netdevs(&dir);
        let netdev = netdevs.first();
        let function = Function {
            id: (*bdf).into(),
            incarnation,
            kind,
            ids,
            binding,
            link_type: netdev.and_then(|dir| link_type(dir)),
            link_speed: None,
            carrier: netdev.and_then(|dir| carrier(dir)),
            netdev: netdev.and_then(|dir| if_name(dir)),
            eswitch: None,
            numa_node: sysfs::parse(&dir, "numa_node"),
            pcie_root: self.sysfs.place(bdf).as_deref().and_then(pcie_root),
            iommu_group: group::number(&dir),
            acpi_index: sysfs::parse(&dir, "acpi_index"),
            capabilities: Default::default(),
            yields: yields::of(&dir, &netdevs, self.groups.of(&dir)),
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
        let physfn = physfn(dir);
        let index = physfn.and_then(|pf| self.pf(&pf).vfs.index(bdf));
        let address = physfn.zip(index).map(|(pf, index)| VfAddress { pf, index });
        let total_vfs: Option<u32> = sysfs::parse(dir, "sriov_totalvfs");
        let num_vfs = sysfs::parse(dir, "sriov_numvfs").unwrap_or(0);
        match class {
            Class::Accelerator => FunctionKind::Accelerator {
                address,
                total_vfs: total_vfs.unwrap_or(0),
                num_vfs,
            },
            Class::Network if physfn.is_some() => FunctionKind::Vf { address },
            // Without the SR-IOV capability there is no such file (`sriov_pf_attrs_are_visible` in
            // `drivers/pci/iov.c`).
            Class::Network if total_vfs.is_none() && self.is_guests_vf(ids, binding) => {
                FunctionKind::Vf { address: None }
            }
            Class::Network => FunctionKind::Pf {
                total_vfs: total_vfs.unwrap_or(0),
                num_vfs,
            },
        }
    }

    /// Whether it is a VF whose PF is not on this host.
    fn is_guests_vf(&self, ids: PciIds, binding: &Binding) -> bool {
        vf_ids::is_vf(ids, binding) || (!guest::is_whole(ids) && self.guest.is_one())
    }

    fn pf(&mut self, bdf: &Bdf) -> &Pf {
        let dir = self.sysfs.device(bdf);
        self.pfs.entry(*bdf).or_insert_with(|| Pf::read(bdf, dir))
    }
}

impl Pf {
    fn read(bdf: &Bdf, dir: PathBuf) -> Self {
        let port = netdev(&dir);
        Self {
            vfs: Numbering::of(*bdf, dir),
            link_type: port.as_deref().and_then(link_type),
            speed: port
                .as_deref()
                .and_then(|dir| sysfs::parse(dir, "speed"))
                // SPEED_UNKNOWN.
                .filter(|speed| *speed != u32::MAX),
        }
    }
}

/// The PF of a VF.
pub(super) fn physfn(dir: &Path) -> Option<Bdf> {
    sysfs::link_name(&dir.join("physfn"))?.parse().ok()
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

/// `pciDDDD:BB`, the first root complex in the path: host bridges may be below other devices
/// (`LNXSYSTM:00/…/VMBUS:00/…/pci0101:00`, `platform/….pcie/pci0000:00`).
fn pcie_root(place: &Path) -> Option<String> {
    let is_root = |name: &&str| {
        let numbers = name
            .strip_prefix("pci")
            .and_then(|rest| rest.split_once(':'));
        numbers.is_some_and(|(domain, bus)| is_hex(domain, 4..=8) && is_hex(bus, 2..=2))
    };
    let mut names = place.iter().filter_map(|name| name.to_str());
    names.find(is_root).map(str::to_owned)
}

fn is_hex(text: &str, digits: std::ops::RangeInclusive<usize>) -> bool {
    digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
