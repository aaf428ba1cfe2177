//! Sub-functions: auxiliary devices with an `sfnum`.
//!
//! ```text
//!  devices/pci0000:3a/…/0000:3b:00.0/mlx5_core.sf.4/sfnum ─► 88
//!                                                  /net/enp59s0f0s88, /infiniband/mlx5_4
//! ```
//!
//! Source: `drivers/net/ethernet/mellanox/mlx5/core/sf/dev/dev.c`.

use std::path::{Path, PathBuf};

use super::{Scan, carrier, if_name, link_type, netdevs, netdevs::name, or_logged, yields};
use crate::{
    device::{DeviceId, Function, FunctionKind},
    host::{
        ErrorKind, HostError, Result,
        linux::sysfs::{self, Sysfs},
    },
};

/// The directory of a sub-function.
pub(in crate::host::linux) fn sub_function(sysfs: &Sysfs, device: &DeviceId) -> Result<PathBuf> {
    let dir = sysfs.device(&device.pci());
    let is_it = |sf: &PathBuf| match device {
        DeviceId::Sf { number, .. } => sysfs::parse(sf, "sfnum") == Some(*number),
        DeviceId::Pci(_) => false,
    };
    let gone = || {
        HostError::of_kind(
            ErrorKind::Gone,
            format!("sf {device}"),
            "look up",
            "is not on this host",
        )
    };
    children(&dir)
        .filter(|(kind, _)| kind == "sf")
        .map(|(_, sf)| sf)
        .find(is_it)
        .ok_or_else(gone)
}

/// Auxiliary devices that are children of the device: type (`sf` of `mlx5_core.sf.4`) and
/// directory.
pub(super) fn children(dir: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    sysfs::list(dir).into_iter().filter_map(|name| {
        let (rest, number) = name.rsplit_once('.')?;
        let (_, kind) = rest
            .rsplit_once('.')
            .filter(|_| number.parse::<u32>().is_ok())?;
        Some((kind.to_owned(), dir.join(&name)))
    })
}

impl Scan<'_> {
    /// The sub-functions of a function; those that cannot be read are logged and left out.
    pub(super) fn sub_functions(&mut self, parent: &Function) -> Vec<Function> {
        if !self.auxiliary || matches!(parent.kind, FunctionKind::Accelerator { .. }) {
            return vec![];
        }
        let dir = self.sysfs.device(&parent.id.pci());
        let all = children(&dir).filter(|(kind, _)| kind == "sf");
        all.filter_map(|(_, dir)| or_logged(&parent.id, self.sub_function(parent, &dir)))
            .collect()
    }

    pub(super) fn sub_function(&mut self, parent: &Function, dir: &Path) -> Result<Function> {
        let unreadable = || {
            let subject = format!("auxiliary device {}", dir.display());
            HostError::of_kind(ErrorKind::Gone, subject, "read sfnum", "cannot be read")
        };
        let number = sysfs::parse(dir, "sfnum").ok_or_else(unreadable)?;
        let netdevs = netdevs(dir);
        let netdev = netdevs.first();
        let function = Function {
            id: DeviceId::Sf {
                parent: parent.id.pci(),
                number,
            },
            incarnation: sysfs::inode(dir).ok_or_else(unreadable)?,
            kind: FunctionKind::Sf {
                auxiliary: name(dir).ok_or_else(unreadable)?,
            },
            link_type: netdev.and_then(|dir| link_type(dir)),
            carrier: netdev.and_then(|dir| carrier(dir)),
            netdev: netdev.and_then(|dir| if_name(dir)),
            iommu_group: None,
            acpi_index: None,
            yields: yields::of(dir, &netdevs, None),
            ..parent.clone()
        };
        Ok(self.with_port(function, dir))
    }
}
