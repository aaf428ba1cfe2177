//! RDMA devices, and the character devices by which processes use them.
//!
//! ```text
//!  0000:3b:00.2/infiniband/mlx5_2 ◄─ class/infiniband_verbs/uverbs2/ibdev ─► /dev/infiniband/uverbs2
//!                                 ◄─ class/infiniband_mad/umad2, issm2
//! ```
//!
//! Source: Documentation/ABI/stable/sysfs-class-infiniband.

use std::path::Path;

use super::sysfs::{self, Sysfs};
use crate::device::{Guid, RdmaDevice};

/// Classes of character devices with an `ibdev` attribute; `infiniband_cm` exists in old kernels
/// only.
pub(super) const CLASSES: [&str; 3] = ["infiniband_cm", "infiniband_mad", "infiniband_verbs"];

/// RDMA devices of the function in this directory.
pub(super) fn devices(sysfs: &Sysfs, dir: &Path, exists: impl Fn(&str) -> bool) -> Vec<RdmaDevice> {
    let names = sysfs::list(&dir.join("infiniband"));
    let device = |name: String| RdmaDevice {
        nodes: nodes(sysfs, &name, &exists),
        name,
    };
    names.into_iter().map(device).collect()
}

/// The character devices of the RDMA device with that name. Their classes are the same in all
/// namespaces.
pub(super) fn nodes(sysfs: &Sysfs, name: &str, exists: impl Fn(&str) -> bool) -> Vec<String> {
    CLASSES
        .iter()
        .flat_map(|class| of_class(&sysfs.class(class), name))
        .filter(|node| exists(node))
        .collect()
}

/// Whether RDMA devices are in one namespace each: `netns_mode` of `ib_core`
/// (`drivers/infiniband/core/device.c`), which `rdma system` changes.
pub(super) fn is_exclusive(sysfs: &Sysfs) -> bool {
    let parameters = sysfs.root().join("module/ib_core/parameters");
    sysfs::read(&parameters, "netns_mode").as_deref() == Some("N")
}

/// The GUIDs of node and port that the function's own driver has read when it started
/// (Documentation/ABI/stable/sysfs-class-infiniband: `node_guid`, `ports/N/gids/M`).
pub(super) fn guids(dir: &Path) -> (Option<Guid>, Option<Guid>) {
    let devices = dir.join("infiniband");
    let Some(device) = sysfs::list(&devices).into_iter().next() else {
        return (None, None);
    };
    let device = devices.join(device);
    let node = sysfs::read(&device, "node_guid");
    let gid = sysfs::read(&device.join("ports/1/gids"), "0");
    let of = |text: Option<String>| guid(&text?);
    (of(node), of(gid))
}

/// The last eight bytes of a GUID or GID: `e41d:2d03:0043:7d7c`.
fn guid(text: &str) -> Option<Guid> {
    let words: Option<Vec<[u8; 2]>> = text
        .split(':')
        .map(|word| Some(u16::from_str_radix(word, 16).ok()?.to_be_bytes()))
        .collect();
    let bytes = words?.concat();
    Some(Guid(*bytes.last_chunk()?)).filter(|guid| guid.is_assigned())
}

fn of_class(class: &Path, device: &str) -> Vec<String> {
    let of_device =
        |entry: &String| sysfs::read(&class.join(entry), "ibdev").as_deref() == Some(device);
    sysfs::list(class)
        .into_iter()
        .filter(of_device)
        .map(|entry| format!("/dev/infiniband/{entry}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::{
        device::{DeviceId, RdmaDevice},
        host::{Kernel, linux::Linux, recording::fixtures},
        paths::Paths,
    };

    fn rdma(kernel: &Linux, name: &str) -> Vec<RdmaDevice> {
        kernel.rdma(&DeviceId::from_name(name).unwrap()).unwrap()
    }

    #[test]
    fn a_driver_shows_the_guids_that_it_has_read() {
        let dir = tempfile::tempdir().unwrap();
        let device = dir.path().join("infiniband/mlx5_2");
        fs::create_dir_all(device.join("ports/1/gids")).unwrap();
        assert_eq!(super::guids(dir.path()), (None, None));
        crate::files::write_atomic(
            &device.join("node_guid"),
            "0002:c903:0000:1001\n".as_bytes(),
            0o644,
        )
        .unwrap();
        let gid = device.join("ports/1/gids/0");
        crate::files::write_atomic(
            &gid,
            "fe80:0000:0000:0000:0002:c903:0000:1002\n".as_bytes(),
            0o644,
        )
        .unwrap();
        let guid = |text: &str| Some(text.parse().unwrap());
        let own = guid("00:02:c9:03:00:00:10:01");
        assert_eq!(
            super::guids(dir.path()),
            (own, guid("00:02:c9:03:00:00:10:02"))
        );
        crate::files::write_atomic(
            &gid,
            "fe80:0000:0000:0000:0000:0000:0000:0000\n".as_bytes(),
            0o644,
        )
        .unwrap();
        assert_eq!(super::guids(dir.path()), (own, None));
    }

    #[test]
    fn rdma_devices_have_those_of_their_nodes_that_exist() {
        let dir = tempfile::tempdir().unwrap();
        let paths = Paths::below(dir.path());
        let (_, recording) = fixtures::all()
            .into_iter()
            .find(|(file, _)| file == "connectx6dx")
            .unwrap();
        fs::create_dir_all(&paths.sys).unwrap();
        recording.unpack(&paths.sys).unwrap();
        fs::create_dir_all(paths.dev.join("infiniband")).unwrap();
        for node in ["uverbs2", "umad2", "issm2", "uverbs3"] {
            fs::File::create_new(paths.dev.join("infiniband").join(node)).unwrap();
        }
        let kernel = Linux::new(paths);
        let nodes = ["issm2", "umad2", "uverbs2"]
            .map(|node| format!("/dev/infiniband/{node}"))
            .to_vec();
        assert_eq!(
            rdma(&kernel, "0000-3b-00-2"),
            [RdmaDevice {
                name: "mlx5_2".into(),
                nodes
            }]
        );
        let nodes = vec!["/dev/infiniband/uverbs3".to_owned()];
        assert_eq!(
            rdma(&kernel, "0000-3b-00-3"),
            [RdmaDevice {
                name: "mlx5_3".into(),
                nodes
            }],
            "its other nodes do not exist"
        );
        assert!(kernel.has_node("/dev/infiniband/uverbs2") && !kernel.has_node("/dev/vhost-net"));
    }
}
