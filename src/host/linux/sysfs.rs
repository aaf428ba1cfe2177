//! sysfs, below a root that may be a recorded tree.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    str::FromStr,
};

use crate::{
    device::{Bdf, VfAddress},
    host::{ErrorKind, HostError, Result},
};

/// sysfs. Attributes that are absent or that the device does not support are `None`.
#[derive(Debug, Clone)]
pub(super) struct Sysfs {
    root: PathBuf,
}

impl Sysfs {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// `/sys/bus/pci/devices`.
    pub(super) fn devices(&self) -> PathBuf {
        self.root.join("bus/pci/devices")
    }

    /// A function's directory.
    pub(super) fn device(&self, bdf: &Bdf) -> PathBuf {
        self.devices().join(bdf.to_string())
    }

    /// Devices of a class.
    pub(super) fn class(&self, name: &str) -> PathBuf {
        self.root.join("class").join(name)
    }

    /// Whether a function is below the bus of Hyper-V.
    pub(super) fn has_vmbus(&self) -> bool {
        let below = |name: &String| {
            let place = fs::canonicalize(self.devices().join(name));
            place.is_ok_and(|place| place.iter().any(|part| part == "VMBUS:00"))
        };
        self.root.join("bus/vmbus/devices").is_dir() || list(&self.devices()).iter().any(below)
    }

    /// Whether VFIO serves devices without IOMMU.
    pub(super) fn has_no_iommu_mode(&self) -> bool {
        let parameters = self.root.join("module/vfio/parameters");
        read(&parameters, "enable_unsafe_noiommu_mode").is_some_and(|value| value == "Y")
    }

    /// vDPA devices.
    pub(super) fn vdpa(&self) -> PathBuf {
        self.root.join("bus/vdpa/devices")
    }

    /// Whether there are auxiliary devices.
    pub(super) fn has_auxiliary(&self) -> bool {
        fs::read_dir(self.root.join("bus/auxiliary/devices"))
            .is_ok_and(|mut entries| entries.next().is_some())
    }

    /// The parent device of a netdev, as a path below `devices`: PCI functions and auxiliary
    /// devices are components of it.
    pub(super) fn device_of_netdev(&self, name: &str) -> Option<PathBuf> {
        fs::canonicalize(self.root.join("class/net").join(name).join("device")).ok()
    }

    /// A PCI driver's directory.
    pub(super) fn driver(&self, name: &str) -> PathBuf {
        self.root.join("bus/pci/drivers").join(name)
    }

    /// A function's directory and its inode; [`ErrorKind::Gone`] when there is no such function.
    pub(super) fn present(&self, bdf: &Bdf) -> Result<(PathBuf, u64)> {
        let dir = self.device(bdf);
        let found = fs::metadata(&dir).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => HostError::of_kind(
                ErrorKind::Gone,
                format!("device {bdf}"),
                "look up",
                "is not on this host",
            ),
            _ => HostError::new(format!("device {bdf}"), "look up", error),
        })?;
        Ok((dir, found.ino()))
    }

    /// `vf BDF` or `pf BDF`, for messages.
    pub(super) fn subject(&self, bdf: &Bdf) -> String {
        let kind = if self.device(bdf).join("physfn").exists() {
            "vf"
        } else {
            "pf"
        };
        format!("{kind} {bdf}")
    }

    /// `vf BDF` of a VF given by PF and index; `vf INDEX of pf BDF` when the PF has no such
    /// `virtfn` link.
    pub(super) fn vf_subject(&self, vf: &VfAddress) -> String {
        match link_name(&self.device(&vf.pf).join(format!("virtfn{}", vf.index))) {
            Some(bdf) => format!("vf {bdf}"),
            None => format!("vf {} of pf {}", vf.index, vf.pf),
        }
    }

    /// The function's path in the device tree, from the root complex (`pci0000:00`) down.
    pub(super) fn place(&self, bdf: &Bdf) -> Option<PathBuf> {
        let root = fs::canonicalize(self.root.join("devices")).ok()?;
        let full = fs::canonicalize(self.device(bdf)).ok()?;
        full.strip_prefix(root).ok().map(Path::to_owned)
    }
}

/// A directory's inode.
pub(super) fn inode(dir: &Path) -> Option<u64> {
    fs::metadata(dir).ok().map(|found| found.ino())
}

/// The longest value: the kernel shows an attribute in one page, whole at the first read
/// (`sysfs_kf_seq_show` in `fs/sysfs/file.c`).
const PAGE: usize = 4096;

/// An attribute's value without the newline.
pub(super) fn read(dir: &Path, name: &str) -> Option<String> {
    let mut page = [0; PAGE];
    let length = File::open(dir.join(name)).ok()?.read(&mut page).ok()?;
    let text = str::from_utf8(&page[..length]).ok()?;
    Some(text.trim_end().to_owned())
}

/// An attribute, parsed.
pub(super) fn parse<T: FromStr>(dir: &Path, name: &str) -> Option<T> {
    read(dir, name)?.parse().ok()
}

/// An attribute in hex with `0x`.
pub(super) fn hex(dir: &Path, name: &str) -> Option<u32> {
    u32::from_str_radix(read(dir, name)?.strip_prefix("0x")?, 16).ok()
}

/// The last component of a symbolic link's target.
pub(super) fn link_name(path: &Path) -> Option<String> {
    Some(fs::read_link(path).ok()?.file_name()?.to_str()?.to_owned())
}

/// Names in a directory, sorted; empty when it is not there.
pub(super) fn list(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// Writes an attribute. Never creates a file.
pub(super) fn write(path: &Path, value: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)?
        .write_all(value.as_bytes())
}
