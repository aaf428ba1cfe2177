//! A network namespace, held open.

use std::{fs::File, sync::Arc};

/// A network namespace. It lives while this does, whoever else leaves it.
#[derive(Debug, Clone)]
pub struct Netns {
    /// The namespace's own number (the inode in nsfs): equal numbers, same namespace.
    pub inode: u64,
    /// The open descriptor; none in the fake.
    pub(super) file: Option<Arc<File>>,
}

impl PartialEq for Netns {
    fn eq(&self, other: &Self) -> bool {
        self.inode == other.inode
    }
}

impl Eq for Netns {}
