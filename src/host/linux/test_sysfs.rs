//! A sysfs tree for tests: PFs, VFs and their netdevs as directories and symbolic links.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use super::sysfs::Sysfs;

pub(super) struct TestSysfs {
    dir: tempfile::TempDir,
}

impl TestSysfs {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in [
            "bus/pci/devices",
            "bus/pci/drivers/igb",
            "bus/pci/drivers/igbvf",
            "devices/pci0000:00",
        ] {
            fs::create_dir_all(dir.path().join(name)).unwrap();
        }
        Self { dir }
    }

    pub(super) fn sysfs(&self) -> Sysfs {
        Sysfs::new(self.dir.path().to_owned())
    }

    /// What the firmware says of the machine.
    pub(super) fn machine(&self, vendor: &str) {
        self.file(&self.sysfs().class("dmi/id"), "sys_vendor", vendor);
    }

    /// A function below a root port, with these attributes.
    pub(super) fn function(&self, bdf: &str, attributes: &[(&str, &str)]) -> PathBuf {
        let device = self
            .dir
            .path()
            .join("devices/pci0000:00/0000:00:02.0")
            .join(bdf);
        fs::create_dir_all(&device).unwrap();
        symlink(&device, self.dir.path().join("bus/pci/devices").join(bdf)).unwrap();
        for (name, value) in attributes {
            self.file(&device, name, value);
        }
        device
    }

    pub(super) fn file(&self, dir: &std::path::Path, name: &str, value: &str) {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        crate::files::write_atomic(&path, format!("{value}\n").as_bytes(), 0o644).unwrap();
    }

    pub(super) fn link(&self, path: PathBuf, target: &str) {
        symlink(target, path).unwrap();
    }

    /// A PF with one of two VFs bound to `igbvf` (index 1), the other (index 0) without driver.
    pub(super) fn igb(&self) {
        let pf = self.function(
            "0000:01:00.0",
            &[
                ("class", "0x020000"),
                ("vendor", "0x8086"),
                ("device", "0x10c9"),
                ("sriov_totalvfs", "7"),
                ("sriov_numvfs", "2"),
                ("numa_node", "-1"),
                ("driver_override", "(null)"),
                ("net/ens1/type", "1"),
                ("net/ens1/carrier", "1"),
                ("net/ens1/speed", "1000"),
                ("net/ens1/ifindex", "3"),
            ],
        );
        self.link(pf.join("driver"), "../../../../bus/pci/drivers/igb");
        for (index, bdf) in ["0000:01:10.0", "0000:01:10.2"].into_iter().enumerate() {
            self.link(pf.join(format!("virtfn{index}")), &format!("../{bdf}"));
            let ids = [
                ("class", "0x020000"),
                ("vendor", "0x8086"),
                ("device", "0x10ca"),
                ("numa_node", "1"),
            ];
            let vf = self.function(bdf, &ids);
            self.link(vf.join("physfn"), "../0000:01:00.0");
            self.link(
                vf.join("iommu_group"),
                &format!("../../../../kernel/iommu_groups/{}", 20 + index),
            );
        }
        let vf = self.dir.path().join("bus/pci/devices/0000:01:10.2");
        self.link(vf.join("driver"), "../../../../bus/pci/drivers/igbvf");
        self.file(&vf, "driver_override", "igbvf");
        self.file(&vf, "net/ens1v1/type", "1");
        self.file(&vf, "net/ens1v1/ifindex", "5");
    }
}
