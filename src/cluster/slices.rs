//! Slices as the server has them.

use crate::publish::Slice;

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

impl Placed {
    /// How many bytes the object's specification has as JSON.
    #[must_use]
    pub fn bytes(&self, driver: &str, node: &str) -> usize {
        serde_json::to_vec(&super::convert::spec(self, driver, node)).map_or(0, |json| json.len())
    }
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
    /// The place that its name was made for; none when it was made by another rule, or for another pool.
    pub index: Option<usize>,
    /// The pool's generation.
    pub generation: i64,
    /// How many slices it says that the pool has.
    pub count: i64,
    /// What it holds, as far as this driver knows it.
    pub content: Slice,
    /// Whether it holds anything that this driver never writes.
    pub foreign: bool,
}

/// Something happened to a slice of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SliceChange {
    /// Made or changed.
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

/// `metadata.generateName`: the index first, since the scheduler sorts slices by name. The server cuts it at 58
/// characters.
pub(super) fn prefix(index: usize, driver: &str, node: &str) -> String {
    format!("{index:05x}-{driver}-{node}-")
}

/// The index that a prefix was made for.
pub(super) fn index(prefix: &str, driver: &str, node: &str) -> Option<usize> {
    let index = usize::from_str_radix(prefix.split('-').next()?, 16).ok()?;
    (self::prefix(index, driver, node) == prefix).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_read_back_only_by_its_driver_and_node() {
        let made = prefix(26, "sriov-dra.io", "node-1");
        assert_eq!(made, "0001a-sriov-dra.io-node-1-");
        assert_eq!(index(&made, "sriov-dra.io", "node-1"), Some(26));
        assert_eq!(index(&made, "sriov-dra.io", "node-2"), None);
        assert_eq!(
            index("sriov-dra.io-node-1-", "sriov-dra.io", "node-1"),
            None
        );
        assert_eq!(
            index("1a-sriov-dra.io-node-1-", "sriov-dra.io", "node-1"),
            None
        );
    }
}
