//! The part of sysfs that discovery looks at, and what RDMA devices are reached by, as text.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    rdma,
    sysfs::{self, Sysfs},
};
use crate::host::recording::SysfsTree;

const FILES: [&str; 10] = [
    "class",
    "vendor",
    "device",
    "numa_node",
    "acpi_index",
    "driver_override",
    "sriov_totalvfs",
    "sriov_numvfs",
    "sfnum",
    "virtio_device_id",
];
const NETDEV_FILES: [&str; 7] = [
    "type",
    "ifindex",
    "carrier",
    "speed",
    "phys_port_name",
    "dev_port",
    "addr_assign_type",
];

/// Of all PCI functions of networks and vDPA devices; of netdevs of other buses what shows that
/// they are none of these.
pub(super) fn tree(sysfs: &Sysfs) -> SysfsTree {
    let Ok(root) = fs::canonicalize(sysfs.root()) else {
        return SysfsTree::default();
    };
    let mut recorder = Recorder {
        root,
        tree: SysfsTree::default(),
    };
    for bus in ["bus/pci/devices", "bus/vdpa/devices"] {
        for name in sysfs::list(&recorder.root.join(bus)) {
            recorder.member(bus, &name);
        }
    }
    sysfs::list(&recorder.root.join("class/net"))
        .iter()
        .for_each(|name| recorder.foreign(name));
    let firmware = recorder.root.join("class/dmi/id");
    recorder.files(&firmware, &["sys_vendor", "product_name"]);
    for class in rdma::CLASSES {
        sysfs::list(&sysfs.class(class))
            .iter()
            .for_each(|entry| recorder.rdma_node(class, entry));
    }
    recorder.tree
}

struct Recorder {
    root: PathBuf,
    tree: SysfsTree,
}

impl Recorder {
    /// A device and its link on a bus.
    fn member(&mut self, bus: &str, name: &str) {
        let Ok(dir) = fs::canonicalize(self.root.join(bus).join(name)) else {
            return;
        };
        let at = self.relative(&dir);
        if self.is_of_interest(bus, &dir) {
            self.tree.link(bus, name, &at);
            self.device(&dir);
        }
    }

    fn is_of_interest(&self, bus: &str, dir: &Path) -> bool {
        bus != "bus/pci/devices"
            || sysfs::hex(dir, "class").is_some_and(|class| matches!(class >> 16, 0x02 | 0x12))
    }

    fn device(&mut self, dir: &Path) {
        let at = self.relative(dir);
        self.files(dir, &FILES);
        for name in sysfs::list(dir) {
            match name.as_str() {
                "driver" | "physfn" => self.link(dir, &at, &name),
                "iommu_group" => {
                    self.link(dir, &at, &name);
                    self.group(&dir.join(name));
                }
                "net" => self.netdevs(dir),
                "vfio-dev" | "uio" => sysfs::list(&dir.join(&name))
                    .iter()
                    .for_each(|device| self.tree.dir(&format!("{at}/{name}/{device}"))),
                "infiniband" => sysfs::list(&dir.join("infiniband"))
                    .iter()
                    .for_each(|ibdev| self.ibdev(dir, ibdev)),
                name if name.starts_with("virtfn") => self.link(dir, &at, name),
                name if is_auxiliary(name) => self.member("bus/auxiliary/devices", name),
                name if name.starts_with("virtio") && dir.join(name).is_dir() => {
                    self.device(&dir.join(name))
                }
                _ => {}
            }
        }
    }

    /// The directory is there while the function's netdevs are in pods.
    fn netdevs(&mut self, device: &Path) {
        let net = device.join("net");
        self.tree.dir(&self.relative(&net));
        sysfs::list(&net)
            .iter()
            .for_each(|netdev| self.netdev(device, netdev));
    }

    /// The members of an IOMMU group, and of those that are no network functions what decides
    /// whether the group can be given.
    fn group(&mut self, group: &Path) {
        let Ok(group) = fs::canonicalize(group) else {
            return;
        };
        self.files(&group, &["name"]);
        let devices = group.join("devices");
        let at = self.relative(&devices);
        for name in sysfs::list(&devices) {
            self.link(&devices, &at, &name);
            let member = fs::canonicalize(devices.join(&name));
            if let Some(member) = member
                .ok()
                .filter(|dir| !self.is_of_interest("bus/pci/devices", dir))
            {
                self.member_of_group(&member);
            }
        }
    }

    fn member_of_group(&mut self, dir: &Path) {
        let at = self.relative(dir);
        self.tree.dir(&at);
        self.files(dir, &["class"]);
        self.link(dir, &at, "driver");
        sysfs::list(&dir.join("vfio-dev"))
            .iter()
            .for_each(|device| self.tree.dir(&format!("{at}/vfio-dev/{device}")));
    }

    fn netdev(&mut self, device: &Path, name: &str) {
        let dir = device.join("net").join(name);
        self.files(&dir, &NETDEV_FILES);
        let (at, below) = (self.relative(&dir), self.relative(device));
        self.tree.link(&at, "device", &below);
        self.tree.link("class/net", name, &at);
    }

    /// A netdev whose device nobody has recorded, such as netdevsim's.
    fn foreign(&mut self, name: &str) {
        if self.tree.has("class/net", name) {
            return;
        }
        let device = fs::canonicalize(self.root.join("class/net").join(name).join("device"));
        if let Some(device) = device
            .ok()
            .filter(|device| device.join("net").join(name).is_dir())
        {
            self.netdev(&device, name);
        }
    }

    fn ibdev(&mut self, device: &Path, name: &str) {
        let dir = device.join("infiniband").join(name);
        self.files(&dir, &["node_type"]);
        self.files(&dir.join("ports/1/pkeys"), &["0"]);
    }

    /// What a process reaches an RDMA device by.
    fn rdma_node(&mut self, class: &str, name: &str) {
        let Ok(dir) = fs::canonicalize(self.root.join("class").join(class).join(name)) else {
            return;
        };
        if dir.join("ibdev").exists() {
            self.files(&dir, &["ibdev"]);
            let at = self.relative(&dir);
            self.tree.link(&format!("class/{class}"), name, &at);
        }
    }

    fn files(&mut self, dir: &Path, names: &[&str]) {
        let at = self.relative(dir);
        for name in names {
            if let Some(content) = sysfs::read(dir, name) {
                self.tree.file(&at, name, content);
            }
        }
    }

    /// Where a link of sysfs leads; the target need not be recorded.
    fn link(&mut self, dir: &Path, at: &str, name: &str) {
        let Ok(target) = fs::read_link(dir.join(name)) else {
            return;
        };
        let target = fs::canonicalize(dir.join(&target)).unwrap_or(target);
        let target = self.relative(&target);
        self.tree.link(at, name, &target);
    }

    fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .display()
            .to_string()
    }
}

/// `mlx5_core.sf.4`.
fn is_auxiliary(name: &str) -> bool {
    name.split('.').count() == 3
        && name
            .rsplit('.')
            .next()
            .is_some_and(|number| number.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        device::{Function, RdmaDevice},
        host::recording::{Recording, fixtures},
    };

    /// Without what every writing of a tree makes anew.
    fn functions(recording: &Recording) -> Vec<Function> {
        let all = recording.functions().unwrap();
        all.into_iter()
            .map(|function| Function {
                incarnation: 0,
                ..function
            })
            .collect()
    }

    fn rdma(recording: &Recording) -> Vec<RdmaDevice> {
        let dir = tempfile::tempdir().unwrap();
        recording.unpack(dir.path()).unwrap();
        let sysfs = Sysfs::new(dir.path().to_owned());
        let dirs = functions(recording)
            .into_iter()
            .map(|function| sysfs.device(&function.id.pci()));
        dirs.flat_map(|dir| rdma::devices(&sysfs, &dir, |_| true))
            .collect()
    }

    #[test]
    fn what_is_recorded_is_all_that_discovery_reads() {
        for (name, recording) in fixtures::all() {
            let dir = tempfile::tempdir().unwrap();
            recording.unpack(dir.path()).unwrap();
            let again = Recording {
                sysfs: tree(&Sysfs::new(dir.path().to_owned())),
                ..recording.clone()
            };
            assert_eq!(functions(&again), functions(&recording), "{name}");
            assert_eq!(rdma(&again), rdma(&recording), "{name}");
        }
    }

    #[test]
    fn netdevs_of_other_buses_are_recorded_as_links() {
        let (_, recording) = fixtures::all()
            .into_iter()
            .find(|(name, _)| name == "netdevsim")
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        recording.unpack(dir.path()).unwrap();
        assert!(tree(&Sysfs::new(dir.path().to_owned())).has("class/net", "eni10np1"));
    }
}
