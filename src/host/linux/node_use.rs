//! Who has a device node open: by open(2), which refuses a second one of a VFIO group, and by the
//! descriptors in /proc, which shows the processes of the host only to one in its PID namespace.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::{fs::OFlags, io::Errno};

use crate::host::{NodeUse, Process};

/// Whether the node is open, and in which processes below `proc`.
pub(super) fn node_use(node: &Path, proc: &Path) -> NodeUse {
    let device = match fs::metadata(node) {
        Ok(found) if found.file_type().is_char_device() => found.rdev(),
        _ => return NodeUse::Free,
    };
    match is_busy(node) {
        Some(true) => NodeUse::Open(processes(proc, device)),
        Some(false) => NodeUse::Free,
        None => match processes(proc, device) {
            none if none.is_empty() => NodeUse::Free,
            found => NodeUse::Open(found),
        },
    }
}

/// Whether the kernel refuses to open it once more; none where open(2) does not say so. Only VFIO
/// groups can be tried (`vfio_group_fops_open` in `drivers/vfio/group.c`): closing a UIO device
/// may reset it.
pub(super) fn is_busy(node: &Path) -> Option<bool> {
    if node.parent()?.file_name()? != "vfio" {
        return None;
    }
    let flags = (OFlags::NONBLOCK | OFlags::CLOEXEC).bits();
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(flags.cast_signed())
        .open(node);
    match opened {
        Ok(_) => Some(false),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::BUSY) => Some(true),
        Err(_) => None,
    }
}

/// Other processes that have a character device open. A node of the same device may be at any path
/// in a container.
fn processes(proc: &Path, device: u64) -> Vec<Process> {
    let own = std::process::id();
    let all = fs::read_dir(proc).into_iter().flatten().flatten();
    let pids = all.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let mut found: Vec<Process> = pids
        .filter(|pid| *pid != own && has_open(&proc.join(pid.to_string()), device))
        .map(|pid| Process {
            pid,
            name: name(&proc.join(pid.to_string())),
        })
        .collect();
    found.sort_by_key(|process| process.pid);
    found
}

fn has_open(process: &Path, device: u64) -> bool {
    let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten();
    let mut files = descriptors
        .flatten()
        .filter_map(|fd| fs::metadata(fd.path()).ok());
    files.any(|file| file.file_type().is_char_device() && file.rdev() == device)
}

fn name(process: &Path) -> String {
    let name = fs::read_to_string(process.join("comm"));
    name.map_or_else(|_| "?".to_owned(), |name| name.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use std::{
        fs::File,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn the_process_that_has_a_node_open_is_named() {
        let node = Path::new("/dev/full");
        let proc = Path::new("/proc");
        let own = File::open(node).unwrap();
        let mut child = Command::new("sleep")
            .arg("60")
            .stdin(Stdio::from(own))
            .spawn()
            .unwrap();
        let used = node_use(node, proc);
        child.kill().unwrap();
        child.wait().unwrap();
        let NodeUse::Open(processes) = used else {
            panic!("{used:?}");
        };
        assert!(
            processes.iter().any(|process| process.pid == child.id()),
            "{processes:?}"
        );
        assert!(
            processes
                .iter()
                .all(|process| process.pid != std::process::id())
        );
    }

    #[test]
    fn a_node_that_is_not_there_or_no_device_is_free() {
        let proc = Path::new("/proc");
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(node_use(&dir.path().join("7"), proc), NodeUse::Free);
        assert_eq!(node_use(dir.path(), proc), NodeUse::Free);
    }
}
