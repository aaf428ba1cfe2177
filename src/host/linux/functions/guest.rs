//! Whether this is a virtual machine. There a function without SR-IOV capability is a VF that was
//! passed through, whatever make it is of, unless it is a paravirtual or an emulated card.

use std::{cell::OnceCell, fs};

use super::{Class, binding, ids, vf_ids};
use crate::{
    device::PciIds,
    host::linux::sysfs::{self, Sysfs},
};

/// Cards that are no VFs, though they have no SR-IOV capability either: vendor and devices.
const WHOLE: [(u16, &[u16]); 7] = [
    // virtio-net: `drivers/virtio/virtio_pci_{legacy,modern}.c`
    (0x1af4, &[0x1000, 0x1041]),
    // gve: `drivers/net/ethernet/google/gve/gve.h`
    (0x1ae0, &[0x0042]),
    // vmxnet3: `drivers/net/vmxnet3/vmxnet3_defs.h`
    (0x15ad, &[0x07b0]),
    // e1000, e1000e as QEMU and VMware emulate them: `hw/net` of QEMU
    (0x8086, &[0x100e, 0x100f, 0x10d3]),
    // rtl8139, r8169 emulated
    (0x10ec, &[0x8139, 0x8029]),
    // pcnet32 emulated
    (0x1022, &[0x2000]),
    // rocker: `drivers/net/ethernet/rocker/rocker_hw.h`
    (0x1b36, &[0x0006]),
];

/// `sys_vendor` of hypervisors in SMBIOS (`detect_vm_dmi` in systemd's `src/basic/virt.c`), and what
/// `product_name` begins with, where the vendor makes real machines too.
const MACHINES: [(&str, &str); 10] = [
    ("QEMU", ""),
    ("Red Hat", "KVM"),
    ("OpenStack Foundation", ""),
    ("VMware", ""),
    ("innotek GmbH", ""),
    ("Xen", ""),
    ("Microsoft Corporation", "Virtual Machine"),
    ("Google", "Google Compute Engine"),
    ("Alibaba Cloud", ""),
    ("Nutanix", "AHV"),
];

/// Whether the make is that of a whole card.
pub(super) fn is_whole(ids: PciIds) -> bool {
    vf_ids::is_among(&WHOLE, ids)
}

/// Found out once in a scan, and only if it matters.
pub(super) struct Guest<'a> {
    sysfs: &'a Sysfs,
    is_one: OnceCell<bool>,
}

impl<'a> Guest<'a> {
    pub(super) fn new(sysfs: &'a Sysfs) -> Self {
        Self {
            sysfs,
            is_one: OnceCell::new(),
        }
    }

    pub(super) fn is_one(&self) -> bool {
        let find = || is_virtual(self.sysfs) || has_lone_vf(self.sysfs);
        *self.is_one.get_or_init(find)
    }
}

/// By the firmware, or by the bus of Hyper-V.
fn is_virtual(sysfs: &Sysfs) -> bool {
    let dmi = sysfs.class("dmi/id");
    let read = |name| sysfs::read(&dmi, name).unwrap_or_default();
    let (vendor, product) = (read("sys_vendor"), read("product_name"));
    let by_firmware = MACHINES
        .iter()
        .any(|(of, name)| vendor.starts_with(of) && product.starts_with(name));
    by_firmware || sysfs.has_vmbus()
}

/// A VF that does not know its PF: that one is on another machine.
fn has_lone_vf(sysfs: &Sysfs) -> bool {
    let is_lone = |name: String| {
        let dir = sysfs.devices().join(name);
        Class::of(&dir) == Some(Class::Network)
            && fs::symlink_metadata(dir.join("physfn")).is_err()
            && sysfs::read(&dir, "sriov_totalvfs").is_none()
            && ids(&dir).is_some_and(|ids| vf_ids::is_vf(ids, &binding(&dir)))
    };
    sysfs::list(&sysfs.devices()).into_iter().any(is_lone)
}
