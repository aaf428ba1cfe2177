//! Whether udev has processed a netdev, from its database.

use std::path::Path;

/// udev writes a netdev's database entry (`/run/udev/data/n<ifindex>`) after its rules have run,
/// renaming and MAC address included: `udev_device_get_is_initialized` of libudev. A new netdev has
/// a new ifindex, so the entry cannot be an older one's.
pub(super) fn is_initialized(udev: &Path, ifindex: u32) -> bool {
    !udev.join("control").exists() || udev.join(format!("data/n{ifindex}")).exists()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_netdev_is_initialized_once_it_has_an_entry_and_always_without_udev() {
        let dir = tempfile::tempdir().unwrap();
        assert!(is_initialized(dir.path(), 7));
        fs::create_dir(dir.path().join("data")).unwrap();
        fs::File::create(dir.path().join("control")).unwrap();
        assert!(!is_initialized(dir.path(), 7));
        fs::File::create(dir.path().join("data/n7")).unwrap();
        assert!(is_initialized(dir.path(), 7) && !is_initialized(dir.path(), 77));
    }
}
