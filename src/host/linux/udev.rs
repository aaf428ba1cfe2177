//! What udev has done with a netdev, as it writes it down when it has done all.

use std::path::Path;

/// udev's database has an entry for a netdev once its rules have run, renaming and MAC address among them. A new netdev
/// has a new number, so the entry is its own.
pub(super) fn is_initialized(udev: &Path, ifindex: u32) -> bool {
    !udev.join("control").exists() || udev.join(format!("data/n{ifindex}")).exists()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn an_entry_says_so_and_without_udev_there_is_nothing_to_wait_for() {
        let dir = tempfile::tempdir().unwrap();
        assert!(is_initialized(dir.path(), 7));
        fs::create_dir(dir.path().join("data")).unwrap();
        fs::File::create(dir.path().join("control")).unwrap();
        assert!(!is_initialized(dir.path(), 7));
        fs::File::create(dir.path().join("data/n7")).unwrap();
        assert!(is_initialized(dir.path(), 7) && !is_initialized(dir.path(), 77));
    }
}
