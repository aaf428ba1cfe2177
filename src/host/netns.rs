//! A network namespace, kept alive by an open descriptor.

use std::{fs::File, sync::Arc};

/// A network namespace. It exists as long as this value, even after its last process has ended.
#[derive(Debug, Clone)]
pub struct Netns {
    /// The inode number in nsfs: equal numbers are the same namespace (namespaces(7)).
    pub inode: u64,
    /// The open descriptor; none in the fake kernel.
    pub(super) file: Option<Arc<File>>,
}

impl PartialEq for Netns {
    fn eq(&self, other: &Self) -> bool {
        self.inode == other.inode
    }
}

impl Eq for Netns {}
