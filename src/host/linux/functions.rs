//! Which functions there are, from sysfs alone.
//!
//! Published are PFs that can have VFs, and VFs. Network functions without SR-IOV are left out.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::sysfs::{self, Sysfs};
use crate::{
    device::{Bdf, Binding, Function, FunctionKind, LinkType, PciIds, VfAddress},
    host::{ErrorKind, HostError, Result},
};

/// All functions in one sweep, sorted by address.
pub(super) fn all(sysfs: &Sysfs) -> Vec<Function> {
    let mut sweep = Sweep::new(sysfs);
    let addresses = sysfs::list(&sysfs.devices()).into_iter().filter_map(|name| name.parse().ok());
    let network = addresses.filter(|bdf: &Bdf| is_network(&sysfs.device(bdf)));
    let mut functions: Vec<_> = network.filter_map(|bdf| or_logged(&bdf, sweep.function(&bdf))).flatten().collect();
    functions.sort_by_key(|function| function.id);
    functions
}

/// One function.
pub(super) fn one(sysfs: &Sysfs, bdf: &Bdf) -> Result<Function> {
    sysfs.present(bdf)?;
    let none =
        || HostError::of_kind(ErrorKind::Gone, format!("device {bdf}"), "look up", "is no SR-IOV network function");
    let network = is_network(&sysfs.device(bdf)).then(|| Sweep::new(sysfs).function(bdf)).transpose()?;
    network.flatten().ok_or_else(none)
}

/// PCI base class 2: network controllers.
fn is_network(dir: &Path) -> bool {
    sysfs::hex(dir, "class").is_some_and(|class| class >> 16 == 2)
}

/// A function that vanishes while it is read must not hide the others.
fn or_logged<T>(bdf: &Bdf, result: Result<T>) -> Option<T> {
    result.inspect_err(|error| tracing::warn!(%bdf, %error, "left out")).ok()
}

/// One look at the host, which asks each PF once.
struct Sweep<'a> {
    sysfs: &'a Sysfs,
    pfs: HashMap<Bdf, Pf>,
}

/// What VFs say of their PF.
struct Pf {
    index: HashMap<String, u32>,
    link_type: Option<LinkType>,
    speed: Option<u32>,
}

impl<'a> Sweep<'a> {
    fn new(sysfs: &'a Sysfs) -> Self {
        Self { sysfs, pfs: HashMap::new() }
    }

    /// The function; none when it has nothing to do with SR-IOV.
    fn function(&mut self, bdf: &Bdf) -> Result<Option<Function>> {
        let (dir, incarnation) = self.sysfs.present(bdf)?;
        let Some(kind) = self.kind(bdf, &dir) else { return Ok(None) };
        let ids = ids(&dir).ok_or_else(|| unreadable(bdf))?;
        let netdev = netdev(&dir);
        let (pf_type, speed) = self.port(bdf, &kind);
        Ok(Some(Function {
            id: (*bdf).into(),
            incarnation,
            kind,
            ids,
            binding: binding(&dir),
            link_type: netdev.as_deref().and_then(link_type).or(pf_type),
            link_speed: speed,
            carrier: netdev.as_deref().and_then(carrier),
            netdev: netdev.and_then(|dir| dir.file_name()?.to_str()?.parse().ok()),
            eswitch: None,
            numa_node: sysfs::parse(&dir, "numa_node"),
            pcie_root: self.sysfs.place(bdf).as_deref().and_then(pcie_root),
            iommu_group: sysfs::link_name(&dir.join("iommu_group")).and_then(|group| group.parse().ok()),
            acpi_index: sysfs::parse(&dir, "acpi_index"),
        }))
    }

    fn kind(&mut self, bdf: &Bdf, dir: &Path) -> Option<FunctionKind> {
        if let Some(pf) = sysfs::link_name(&dir.join("physfn")).and_then(|name| name.parse().ok()) {
            let index = self.pf(&pf).index.get(&bdf.to_string()).copied();
            return Some(FunctionKind::Vf { address: index.map(|index| VfAddress { pf, index }) });
        }
        let total_vfs = sysfs::parse(dir, "sriov_totalvfs").filter(|total| *total > 0)?;
        Some(FunctionKind::Pf { total_vfs, num_vfs: sysfs::parse(dir, "sriov_numvfs").unwrap_or(0) })
    }

    fn pf(&mut self, bdf: &Bdf) -> &Pf {
        let dir = self.sysfs.device(bdf);
        self.pfs.entry(*bdf).or_insert_with(|| Pf::read(&dir))
    }

    /// Link type and speed of the port that the function is behind.
    fn port(&mut self, bdf: &Bdf, kind: &FunctionKind) -> (Option<LinkType>, Option<u32>) {
        let pf = match kind {
            FunctionKind::Pf { .. } => Some(*bdf),
            FunctionKind::Vf { address } => address.map(|vf| vf.pf),
        };
        let port = pf.map(|pf| self.pf(&pf));
        port.map_or((None, None), |port| (port.link_type, port.speed))
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
            speed: port.as_deref().and_then(|dir| sysfs::parse(dir, "speed")).filter(|speed| *speed != u32::MAX),
        }
    }
}

/// The directory of the function's own netdev in the host's namespace: the uplink, not a representor of its VFs.
pub(super) fn netdev(dir: &Path) -> Option<PathBuf> {
    let net = dir.join("net");
    let own = |dir: &PathBuf| is_uplink(sysfs::read(dir, "phys_port_name").as_deref());
    sysfs::list(&net).into_iter().map(|name| net.join(name)).find(own)
}

/// Representors name what they stand for (`pf0vf1`, `pf0sf88`, `c1pf0`), a port of its own nothing or its number (`p0`).
pub(super) fn is_uplink(phys_port_name: Option<&str>) -> bool {
    match phys_port_name {
        None | Some("") => true,
        Some(name) => name
            .strip_prefix('p')
            .is_some_and(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

/// Driver and override.
pub(super) fn binding(dir: &Path) -> Binding {
    Binding {
        driver: sysfs::link_name(&dir.join("driver")),
        driver_override: sysfs::read(dir, "driver_override").filter(|name| !name.is_empty() && name != "(null)"),
    }
}

fn ids(dir: &Path) -> Option<PciIds> {
    let number = |name| sysfs::hex(dir, name)?.try_into().ok();
    Some(PciIds { vendor: number("vendor")?, device: number("device")? })
}

fn unreadable(bdf: &Bdf) -> HostError {
    HostError::of_kind(ErrorKind::Gone, format!("device {bdf}"), "read vendor and device", "cannot be read")
}

/// ARPHRD_ETHER, ARPHRD_INFINIBAND.
fn link_type(netdev: &Path) -> Option<LinkType> {
    match sysfs::parse::<u32>(netdev, "type")? {
        1 => Some(LinkType::Ethernet),
        32 => Some(LinkType::Infiniband),
        _ => None,
    }
}

/// Reading it is EINVAL while the link is down.
fn carrier(netdev: &Path) -> Option<bool> {
    sysfs::parse::<u8>(netdev, "carrier").map(|carrier| carrier == 1)
}

fn pcie_root(place: &Path) -> Option<String> {
    let root = place.components().next()?.as_os_str().to_str()?;
    root.starts_with("pci").then(|| root.to_owned())
}

#[cfg(test)]
mod tests;
