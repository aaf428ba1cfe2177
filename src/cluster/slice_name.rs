//! The names of slices: their places are in them.

/// `metadata.generateName`: the index first, since the scheduler sorts slices by name. The server
/// cuts it at 58 characters.
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
