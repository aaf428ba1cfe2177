//! RDMA and vDPA capabilities, from sysfs.
//!
//! RDMA is enabled when a function has an RDMA device, or an auxiliary device for RDMA that a
//! driver is bound to: the RDMA device may be in a pod's namespace, the auxiliary device stays in
//! sysfs.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::{Scan, auxiliary::children};
use crate::{
    device::{Capabilities, LinkType, VdpaType},
    host::linux::sysfs::{self, Sysfs},
};

/// Suffixes of auxiliary devices for RDMA drivers (mlx5_core.rdma, bnxt_en.rdma, ice.roce,
/// i40e.iwarp, …).
const RDMA: [&str; 3] = ["rdma", "roce", "iwarp"];

/// The drivers of the host's vDPA devices, by the name of their parent device.
pub(super) struct Vdpa(HashMap<String, VdpaType>);

impl Vdpa {
    pub(super) fn read(sysfs: &Sysfs) -> Self {
        let dir = sysfs.vdpa();
        let of = |name: String| {
            let driver = sysfs::link_name(&dir.join(&name).join("driver"))?;
            let kind = match driver.as_str() {
                "vhost_vdpa" => VdpaType::Vhost,
                "virtio_vdpa" => VdpaType::Virtio,
                _ => return None,
            };
            let place = fs::canonicalize(dir.join(name)).ok()?;
            Some((place.parent()?.file_name()?.to_str()?.to_owned(), kind))
        };
        Self(sysfs::list(&dir).into_iter().rev().filter_map(of).collect())
    }
}

impl Scan<'_> {
    pub(super) fn capabilities(&self, dir: &Path, link_type: Option<LinkType>) -> Capabilities {
        let rdma_devices = sysfs::list(&dir.join("infiniband"));
        let p_key = rdma_devices
            .first()
            .filter(|_| link_type == Some(LinkType::Infiniband));
        let p_key = p_key.and_then(|device| p_key_of(&dir.join("infiniband").join(device)));
        let place = dir
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        Capabilities {
            rdma: !rdma_devices.is_empty() || (self.auxiliary && has_rdma_driver(dir)),
            rdma_devices,
            p_key,
            vdpa_type: self.vdpa.0.get(place).copied(),
            ..Capabilities::default()
        }
    }
}

fn has_rdma_driver(dir: &Path) -> bool {
    let bound = |(kind, dir): (String, PathBuf)| {
        RDMA.contains(&kind.as_str()) && sysfs::link_name(&dir.join("driver")).is_some()
    };
    children(dir).any(bound)
}

/// The P_Key of port 1, index 0; the kernel prints `0x%04x`.
fn p_key_of(device: &Path) -> Option<u16> {
    sysfs::hex(device, "ports/1/pkeys/0")?.try_into().ok()
}
