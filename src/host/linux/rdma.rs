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
use crate::device::RdmaDevice;

/// Classes of character devices with an `ibdev` attribute; `infiniband_cm` exists in old kernels
/// only.
pub(super) const CLASSES: [&str; 3] = ["infiniband_cm", "infiniband_mad", "infiniband_verbs"];

/// RDMA devices of the function in this directory.
pub(super) fn devices(sysfs: &Sysfs, dir: &Path, exists: impl Fn(&str) -> bool) -> Vec<RdmaDevice> {
    let names = sysfs::list(&dir.join("infiniband"));
    let device = |name: String| {
        let nodes = CLASSES
            .iter()
            .flat_map(|class| of_class(&sysfs.class(class), &name))
            .filter(|node| exists(node));
        RdmaDevice {
            nodes: nodes.collect(),
            name,
        }
    };
    names.into_iter().map(device).collect()
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
