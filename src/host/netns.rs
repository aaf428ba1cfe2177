//! A network namespace, kept alive by an open descriptor.

use std::{
    fs::File,
    sync::{Arc, Mutex, PoisonError},
};

/// A network namespace. It exists as long as this value, even after its last process has ended.
#[derive(Debug, Clone)]
pub struct Netns {
    /// The inode number in nsfs: equal numbers are the same namespace (namespaces(7)).
    pub inode: u64,
    /// The open descriptor; none in the fake kernel.
    pub(super) file: Option<Arc<File>>,
    /// Sockets in it.
    pub(super) sockets: Idle,
}

impl Netns {
    /// Of the fake kernel.
    pub(super) fn numbered(inode: u64) -> Self {
        Self {
            inode,
            file: None,
            sockets: Idle::default(),
        }
    }
}

impl PartialEq for Netns {
    fn eq(&self, other: &Self) -> bool {
        self.inode == other.inode
    }
}

impl Eq for Netns {}

/// How many sockets wait for their next use.
const MAX_IDLE: usize = 2;

/// Sockets of one network namespace that nobody uses at the moment. A socket keeps its namespace
/// alive, as a descriptor of it does: both end together.
#[derive(Debug, Clone, Default)]
pub(super) struct Idle(Arc<Mutex<Vec<netlink_sys::Socket>>>);

impl Idle {
    pub(super) fn take(&self) -> Option<netlink_sys::Socket> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    pub(super) fn give(&self, socket: netlink_sys::Socket) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(socket);
        }
    }
}
