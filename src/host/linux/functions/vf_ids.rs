//! VFs whose PF is not on this host (PCI passthrough to a virtual machine): sysfs does not identify
//! them, their PCI ids do.
//!
//! Source: the device tables of the kernel's drivers (`MLX5_PCI_DEV_IS_VF`, `IAVF_DEV_ID_*`,
//! `IXGBE_DEV_ID_*_VF`, …).

use crate::device::{Binding, PciIds};

/// Vendor id, and the device ids of its VFs.
const VFS: [(u16, &[u16]); 8] = [
    // igbvf, ixgbevf, iavf
    (
        0x8086,
        &[
            0x10ca, 0x1520, 0x152d, 0x152f, 0x10ed, 0x1515, 0x152e, 0x1530, 0x1564, 0x1565, 0x15a8,
            0x15a9, 0x15b4, 0x15c5, 0x57ad, 0x154c, 0x1571, 0x1889, 0x0dd5, 0x37cd,
        ],
    ),
    // mlx4_core, mlx5_core
    (
        0x15b3,
        &[
            0x1002, 0x1004, 0x1012, 0x1014, 0x1016, 0x1018, 0x101a, 0x101c, 0x101e, 0xa2d3,
        ],
    ),
    // bnxt_en
    (
        0x14e4,
        &[
            0x1606, 0x1609, 0x16bd, 0x16c1, 0x16cb, 0x16d3, 0x16dc, 0x16e1, 0x16e5, 0x1806, 0x1807,
            0x1808, 0x1809,
        ],
    ),
    // hns3, hinic
    (0x19e5, &[0xa22e, 0xa22f, 0x375e, 0x379e]),
    // nfp
    (0x19ee, &[0x6003, 0x3803]),
    // ena, efa
    (0x1d0f, &[0xec20, 0xec21, 0xefa0, 0xefa1, 0xefa2]),
    // ionic
    (0x1dd8, &[0x1003]),
    // mana
    (0x1414, &[0x00ba]),
];

/// Whether it is a VF: by its driver, if that is for VFs only (igbvf, ixgbevf, iavf, cxgb4vf,
/// rvu_nicvf), else by its ids.
pub(super) fn is_vf(ids: PciIds, binding: &Binding) -> bool {
    let by_driver = binding
        .driver
        .as_deref()
        .is_some_and(|driver| driver.ends_with("vf"));
    by_driver
        || VFS
            .iter()
            .any(|(vendor, devices)| *vendor == ids.vendor && devices.contains(&ids.device))
}
