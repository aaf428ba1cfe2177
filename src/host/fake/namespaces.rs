//! The fake kernel's network namespaces.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::super::{ErrorKind, HostError, Netns, Result};

/// The inode number of the host's namespace.
pub(super) const HOST_NETNS: u64 = 1;

/// Namespaces other than the host's: inode and, unless leaked, path.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    all: BTreeMap<u64, Option<PathBuf>>,
    last: u64,
}

impl Namespaces {
    pub(super) fn add(&mut self, path: &Path) -> Netns {
        self.last = self.last.max(4_026_532_000) + 1;
        self.all.insert(self.last, Some(path.to_owned()));
        Netns::numbered(self.last)
    }

    pub(super) fn open(&self, path: &Path) -> Result<Netns> {
        let at = |(_, at): &(&u64, &Option<PathBuf>)| at.as_deref() == Some(path);
        let inode = if is_host_netns(path) {
            Some(HOST_NETNS)
        } else {
            self.all.iter().find(at).map(|(inode, _)| *inode)
        };
        let gone = || {
            HostError::of_kind(
                ErrorKind::Gone,
                format!("netns {}", path.display()),
                "open",
                "no such file or directory",
            )
        };
        inode.map(Netns::numbered).ok_or_else(gone)
    }

    pub(super) fn leak(&mut self, path: &Path) {
        self.all
            .values_mut()
            .filter(|at| at.as_deref() == Some(path))
            .for_each(|at| *at = None);
    }

    pub(super) fn forget(&mut self, inode: u64) {
        self.all.remove(&inode);
    }

    pub(super) fn take_leaked(&mut self) -> Vec<u64> {
        let leaked = self
            .all
            .iter()
            .filter(|(_, path)| path.is_none())
            .map(|(inode, _)| *inode)
            .collect();
        self.all.retain(|_, path| path.is_some());
        leaked
    }
}

/// Whether this is the path of the host's namespace, whatever the root above it.
fn is_host_netns(path: &Path) -> bool {
    path.ends_with("1/ns/net")
}
