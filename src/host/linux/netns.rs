//! Network namespaces: opening them, and running code inside one.
//!
//! The network namespace is a property of a thread (setns(2)). Threads of the process's pools never
//! change theirs: whatever is needed from another namespace is done by a thread that is spawned for
//! it and ends with it.

use std::{
    fs::{self, File},
    io,
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::Path,
    sync::{Arc, OnceLock},
};

use rustix::{fs::fstatfs, thread::LinkNameSpaceType};

use crate::host::{ErrorKind, HostError, Netns, Result};

/// `NSFS_MAGIC` of linux/magic.h.
const NSFS: u64 = 0x6e73_6673;

/// Opens the namespace at a path. A file that is not on nsfs is rejected: once its namespace is
/// unmounted, a path below `/var/run/netns` is an empty regular file.
pub(super) fn open(path: &Path) -> Result<Netns> {
    let subject = format!("netns {}", path.display());
    let failed = |error| HostError::new(&subject, "open", error);
    let file = File::open(path).map_err(failed)?;
    let kind = fstatfs(&file).map_err(|errno| failed(errno.into()))?.f_type;
    if kind as u64 != NSFS {
        return Err(HostError::of_kind(
            ErrorKind::Gone,
            subject,
            "open",
            "is not a network namespace, or no longer one",
        ));
    }
    let inode = file.metadata().map_err(failed)?.ino();
    Ok(Netns {
        inode,
        file: Some(Arc::new(file)),
        sockets: Default::default(),
    })
}

/// Whether it is the process's own, in which nothing needs a thread.
pub(super) fn is_own(netns: &Netns) -> bool {
    static OWN: OnceLock<Option<u64>> = OnceLock::new();
    let read = || fs::metadata("/proc/self/ns/net").ok().map(|own| own.ino());
    *OWN.get_or_init(read) == Some(netns.inode)
}

/// Runs `work` on a new thread inside the namespace.
pub(super) fn inside<T: Send>(
    netns: &Netns,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    let Some(file) = &netns.file else {
        return Err(io::ErrorKind::NotFound.into());
    };
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || {
            enter(file)?;
            work()
        });
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("panicked")))
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the calling thread is spawned for this and ends right after"
)]
fn enter(file: &File) -> io::Result<()> {
    Ok(rustix::thread::move_into_link_name_space(
        file.as_fd(),
        Some(LinkNameSpaceType::Network),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_namespaces_have_equal_numbers_and_plain_files_are_refused() {
        let own = open(Path::new("/proc/thread-self/ns/net")).unwrap();
        assert_eq!(own, open(Path::new("/proc/self/ns/net")).unwrap());
        let plain = tempfile::NamedTempFile::new().unwrap();
        assert_eq!(open(plain.path()).unwrap_err().kind(), ErrorKind::Gone);
        let absent = open(Path::new("/var/run/netns/absent")).unwrap_err();
        assert_eq!(absent.kind(), ErrorKind::Gone);
        assert!(
            absent
                .to_string()
                .starts_with("netns /var/run/netns/absent: open: no such file"),
            "{absent}"
        );
    }

    #[test]
    fn the_own_namespace_is_told_from_others() {
        let own = open(Path::new("/proc/self/ns/net")).unwrap();
        let mounts = open(Path::new("/proc/self/ns/mnt")).unwrap();
        assert!(is_own(&own) && !is_own(&mounts));
    }

    #[test]
    fn a_namespace_of_another_type_cannot_be_entered() {
        let mounts = open(Path::new("/proc/self/ns/mnt")).unwrap();
        assert!(inside(&mounts, || Ok(())).is_err());
    }
}
