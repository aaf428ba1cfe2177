//! What a function yields beside its first netdev.

use std::path::{Path, PathBuf};

use super::netdevs::{if_name, net};
use crate::{
    device::{IommuGroup, Yields},
    host::linux::sysfs,
};

/// What the function in this directory yields with its present driver; `netdevs` are its own.
pub(super) fn of(dir: &Path, netdevs: &[PathBuf], group: Option<IommuGroup>) -> Yields {
    Yields {
        more_netdevs: netdevs
            .iter()
            .skip(1)
            .filter_map(|dir| if_name(dir))
            .collect(),
        netdev_elsewhere: netdevs.is_empty() && net(dir).is_some(),
        vfio: has_vfio(dir),
        uio: sysfs::list(&dir.join("uio")),
        group,
    }
}

/// Whether a VFIO driver has the device, be it vfio-pci or a variant for one make
/// (`mlx5_vfio_pci`, `hisi_acc_vfio_pci`, `pds_vfio_pci`, …): each registers a VFIO device
/// (`vfio_init_device` in `drivers/vfio/vfio_main.c`). Kernels before 6.1 do not show it, there it
/// is the driver's name.
pub(super) fn has_vfio(dir: &Path) -> bool {
    let driver = sysfs::link_name(&dir.join("driver"));
    driver.is_some_and(|driver| driver.contains("vfio") || dir.join("vfio-dev").is_dir())
}
