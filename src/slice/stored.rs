//! Slices with their place in the pool, and as the API server has them.

use super::Slice;

/// What a slice is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its place among the pool's slices.
    pub index: usize,
    /// The pool's generation.
    pub generation: i64,
    /// How many slices the pool has.
    pub count: usize,
    /// What it holds.
    pub content: Slice,
}

/// One slice as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredSlice {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub version: String,
    /// The place that its name was made for; none when it was made by another rule, or for another
    /// pool.
    pub index: Option<usize>,
    /// Whether it is in this node's pool; a name in another one is not that of a device of this
    /// node.
    pub own_pool: bool,
    /// The pool's generation.
    pub generation: i64,
    /// `resourceSliceCount`.
    pub count: i64,
    /// What it holds, as far as this driver knows it.
    pub content: Slice,
    /// Whether it holds anything that this driver never writes.
    pub foreign: bool,
}

/// A change of one of this driver's slices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SliceChange {
    /// Created or changed.
    Applied {
        /// Its name.
        name: String,
        /// Its new version.
        version: String,
    },
    /// Deleted.
    Deleted {
        /// Its name.
        name: String,
    },
    /// Anything may have happened: the watch was interrupted.
    Unknown,
}
