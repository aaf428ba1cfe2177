//! VFs whose PF is not on this host (PCI passthrough to a virtual machine): sysfs does not identify
//! them, their PCI ids do.
//!
//! Each row is from the id table of the driver in Linux 6.18 that it names, below
//! `drivers/net/ethernet` unless said otherwise. A test checks them against pci.ids: each function that
//! it calls a virtual one is here, unless it is no network function.

use crate::device::{Binding, PciIds};

/// Vendor id, and the device ids of its VFs.
pub(super) type Ids = (u16, &'static [u16]);

const VFS: [Ids; 40] = [
    // igbvf/netdev.c; and of 82576 and I350 under Hyper-V (igb/e1000_hw.h), C2000 in pci.ids
    (0x8086, &[0x10ca, 0x1520, 0x152d, 0x152f, 0x1f44]),
    // ixgbevf/ixgbevf_main.c
    (
        0x8086,
        &[
            0x10ed, 0x152e, 0x1515, 0x1530, 0x1564, 0x1565, 0x15a8, 0x15a9, 0x15b4, 0x15c5, 0x57ad,
        ],
    ),
    // iavf/iavf_main.c; and an adaptive VF, X722's under Hyper-V in pci.ids
    (0x8086, &[0x154c, 0x1571, 0x1889, 0x37cd, 0x0dd5, 0x37d9]),
    // fm10k/fm10k_pci.c
    (0x8086, &[0x15a5]),
    // idpf/idpf_main.c
    (0x8086, &[0x145c]),
    // mlx4/main.c: MLX4_PCI_DEV_IS_VF
    (0x15b3, &[0x1002, 0x1004]),
    // mlx5/core/main.c: MLX5_PCI_DEV_IS_VF
    (
        0x15b3,
        &[
            0x1012, 0x1014, 0x1016, 0x1018, 0x101a, 0x101c, 0x101e, 0xa2d3,
        ],
    ),
    // without a driver in Linux 6.18, from pci.ids: of Innova, NPS-400, NPS-600
    (0x15b3, &[0x0263, 0x7103, 0x7123]),
    // bnxt/bnxt.c: NETXTREME_*_VF, NETXTREME_*_VF_HV
    (
        0x14e4,
        &[
            0x1606, 0x1607, 0x1608, 0x1609, 0x16bd, 0x16c1, 0x16c2, 0x16c3, 0x16c4, 0x16c5, 0x16cb,
            0x16d3, 0x16dc, 0x16e1, 0x16e5, 0x16e6, 0x1806, 0x1807, 0x1808, 0x1809, 0x1819, 0x181b,
            0xd800,
        ],
    ),
    // bnx2x/bnx2x_main.c: of Broadcom, and of QLogic since
    (0x14e4, &[0x163f, 0x166f, 0x16a9, 0x16ad, 0x16af]),
    (0x1077, &[0x16ad]),
    // qede/qede_main.c: QEDE_PRIVATE_VF
    (0x1077, &[0x1664, 0x8090]),
    // qlogic/qlcnic/qlcnic_main.c
    (0x1077, &[0x8430, 0x8440, 0x8c30]),
    // emulex/benet/be_main.c: VFs of Lancer and Skyhawk
    (0x10df, &[0xe228, 0x0728]),
    // hisilicon/hns3/hns3_enet.c
    (0x19e5, &[0xa22e, 0xa22f]),
    // huawei/hinic/hinic_main.c; and another of Hi1822 in pci.ids
    (0x19e5, &[0x375e, 0x379e, 0x379f]),
    // huawei/hinic3/hinic3_lld.c
    (0x19e5, &[0x375f]),
    // netronome/nfp/nfp_netvf_main.c: of Netronome, and of Corigine since
    (0x19ee, &[0x3803, 0x6003]),
    (0x1da8, &[0x3803, 0x6003]),
    // amazon/ena/ena_pci_id_tbl.h
    (0x1d0f, &[0xec20, 0xec21]),
    // drivers/infiniband/hw/efa/efa_main.c
    (0x1d0f, &[0xefa0, 0xefa1, 0xefa2, 0xefa3]),
    // drivers/infiniband/hw/erdma/erdma_main.c
    (0x1ded, &[0x107f]),
    // pensando/ionic/ionic_bus_pci.c; amd/pds_core: its vDPA VF; and a virtio VF in pci.ids
    (0x1dd8, &[0x1003, 0x100b, 0x100d]),
    // microsoft/mana/gdma_main.c
    (0x1414, &[0x00ba]),
    // cavium/thunder/nicvf_main.c
    (0x177d, &[0x0011, 0xa034]),
    // cavium/liquidio/lio_vf_main.c
    (0x177d, &[0x9712]),
    // marvell/octeontx2/nic/otx2_vf.c: RVU, LBK, SDP
    (0x177d, &[0xa064, 0xa0f7, 0xa0f8]),
    // marvell/octeon_ep_vf/octep_vf_main.h
    (
        0x177d,
        &[0xb103, 0xb203, 0xb403, 0xb903, 0xba03, 0xbc03, 0xbd03],
    ),
    // sfc/efx.c, and those of siena in pci.ids
    (0x1924, &[0x1803, 0x1813, 0x1903, 0x1923, 0x1a03, 0x1b03]),
    // sfc/ef100.c
    (0x10ee, &[0x1100]),
    // cisco/enic/enic_main.c: dynamic vNIC, VF; and of later Linux VF V2
    (0x1137, &[0x0044, 0x0071, 0x02b7]),
    // drivers/infiniband/hw/usnic/usnic_ib_main.c
    (0x1137, &[0x00cf]),
    // wangxun/txgbevf/txgbevf_type.h
    (
        0x8088,
        &[
            0x1000, 0x2000, 0x500f, 0x510f, 0x5024, 0x5124, 0x503f, 0x513f,
        ],
    ),
    // wangxun/ngbevf/ngbevf_type.h
    (
        0x8088,
        &[
            0x0110, 0x0111, 0x0112, 0x0113, 0x0114, 0x0115, 0x0116, 0x0117, 0x0118, 0x0119, 0x011a,
            0x011b,
        ],
    ),
    // fungible/funeth/funeth_main.c
    (0x1dad, &[0x0181]),
    // freescale/enetc/enetc_vf.c
    (0x1957, &[0xef00]),
    // without a driver in Linux 6.18, from pci.ids: 3SNIC, Mucse, another of M16104, Arkville
    (0x1f3f, &[0x9001, 0x9002, 0x9003, 0x9004]),
    (0x8848, &[0x1080, 0x1081]),
    (0x1f0f, &[0x1601, 0x1a01]),
    (0x1d6c, &[0x101c]),
];

/// Chelsio numbers functions in the third digit: 8 is a VF's (`CH_PCI_DEVICE_ID_FUNCTION` in
/// `cxgb4vf/cxgb4vf_main.c`).
const CHELSIO: u16 = 0x1425;

/// Whether it is a VF: by its driver, if that is for VFs only (igbvf, ixgbevf, iavf, cxgb4vf,
/// rvu_nicvf), else by its ids.
pub(super) fn is_vf(ids: PciIds, binding: &Binding) -> bool {
    let driver = binding.driver.as_deref();
    driver.is_some_and(|driver| driver.ends_with("vf"))
        || is_among(&VFS, ids)
        || (ids.vendor == CHELSIO && ids.device & 0x0f00 == 0x0800)
}

/// Whether a table has the ids.
pub(super) fn is_among(table: &[Ids], ids: PciIds) -> bool {
    let mut rows = table.iter().filter(|(vendor, _)| *vendor == ids.vendor);
    rows.any(|(_, devices)| devices.contains(&ids.device))
}

#[cfg(test)]
mod tests;
