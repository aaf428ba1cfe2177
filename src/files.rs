//! Atomic writes and removals of files.

mod watch;

pub use watch::DirWatch;

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
};

/// When a [`ChangeHook`] is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before the change.
    Before,
    /// After the change.
    After,
}

/// Called before and after every change with a description of it, e.g. `write /run/x`. An error
/// before the change prevents it and is returned.
pub type ChangeHook = Arc<dyn Fn(Moment, &str) -> io::Result<()> + Send + Sync>;

/// File operations of claims: files are written and removed atomically. Crash tests set a hook and
/// crash in it.
#[derive(Clone, Default)]
pub struct Disk {
    hook: Option<ChangeHook>,
}

impl Disk {
    /// A disk whose changes call `hook`.
    #[must_use]
    pub fn with_hook(hook: ChangeHook) -> Self {
        Self { hook: Some(hook) }
    }

    /// [`write_atomic`].
    ///
    /// # Errors
    /// The operating system's.
    pub fn write(&self, path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
        self.around("write", path, || write_atomic(path, content, mode))
    }

    /// [`remove`].
    ///
    /// # Errors
    /// The operating system's, but not "not found".
    pub fn remove(&self, path: &Path) -> io::Result<()> {
        self.around("remove", path, || remove(path))
    }

    fn around(
        &self,
        verb: &str,
        path: &Path,
        change: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        self.change(&format!("{verb} {}", path.display()), change)
    }

    /// Any other change of files, with the hook called around it.
    ///
    /// # Errors
    /// The change's.
    pub fn change(&self, what: &str, change: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let Some(hook) = &self.hook else {
            return change();
        };
        hook(Moment::Before, what)?;
        change()?;
        hook(Moment::After, what)
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.hook.is_some() {
            "Disk(hooked)"
        } else {
            "Disk"
        })
    }
}

/// Writes a file by a temporary one (its name begins with a dot) in the same directory and
/// rename(2): a reader sees the old or the new content, never a part. Creates the directory. `mode`
/// is the file's permission bits.
///
/// Not synced to disk: for content that need not survive a reboot.
///
/// # Errors
/// The operating system's.
pub fn write_atomic(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(dir)?;
    let mut temp = tempfile::Builder::new()
        .prefix(".")
        .suffix(".tmp")
        .tempfile_in(dir)?;
    temp.write_all(content)?;
    temp.as_file()
        .set_permissions(fs::Permissions::from_mode(mode))?;
    temp.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// [`write_atomic`], followed by fsync(2) of file and directory.
///
/// # Errors
/// The operating system's.
pub fn write_durable(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    write_atomic(path, content, mode)?;
    File::open(path)?.sync_all()?;
    // fsync(2): syncing the file does not sync its entry in the directory.
    File::open(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?.sync_all()
}

/// Removes a file. Succeeds if it does not exist.
///
/// # Errors
/// The operating system's, but not "not found".
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// `TMPFS_MAGIC` and `RAMFS_MAGIC` of `linux/magic.h`.
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// Whether the directory is on a file system that does not survive a reboot.
///
/// # Errors
/// The operating system's.
#[allow(
    clippy::useless_conversion,
    reason = "the kernel's type differs between architectures"
)]
pub fn in_memory(dir: &Path) -> io::Result<bool> {
    let kind = rustix::fs::statfs(dir)?.f_type;
    Ok(IN_MEMORY.contains(&i64::from(kind)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_atomically_and_no_temporary_file_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/record.json");
        write_atomic(&path, b"one", 0o600).unwrap();
        write_atomic(&path, b"two", 0o644).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o644
        );
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        remove(&path).unwrap();
        remove(&path).unwrap();
        assert!(!path.exists());
    }
}
