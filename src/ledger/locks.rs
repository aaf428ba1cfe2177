//! Who works on what, across threads and processes of this node: files, locked by `flock`.
//!
//! ```text
//!  always in this order:  attachment ─► claim UID ─► VFs of a PF ─► device ─► PF
//!                         <run>/locks   <run>/locks  <run>/locks    vf_locks  <run>/locks
//! ```
//!
//! The lock of a PCI device is the Go CNI plugin's own `<vf_locks>/<BDF>.lock`, so that old and new
//! exclude each other. The file's content says what its holder is doing; its time of change since
//! when. A file that stays when the lock is released says that it is ours (the Go plugin's are
//! empty), so that the last agent of a node can remove it.

use std::{
    fmt,
    fs::{self, File, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    claim_ref::ClaimUid,
    owner::AttachmentId,
    turns::{Turn, Turns},
};
use crate::{
    deadline::Deadline,
    device::{Bdf, DeviceId},
    paths::Paths,
};

/// What a free lock's file says: one that we have used.
pub(super) const OURS: &str = "sriov-dra";

/// The locks of this node.
#[derive(Debug, Clone)]
pub struct Locks {
    pub(super) own: PathBuf,
    vf_locks: PathBuf,
    pf_turns: Arc<Turns>,
}

/// A lock that was not available in time.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody has it: `busy: unbind 0000:3b:02.1, 52 s`.
    #[error("busy: {0}")]
    Busy(Work),
    /// The lock's file cannot be used.
    #[error("lock {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What the holder of a lock is doing, and since when. Displays as `unbind 0000:3b:02.1, 52 s`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// In the holder's text; what is locked if it does not say (another program).
    pub what: String,
    /// Since when, if the holder says so.
    pub since: Option<Duration>,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.since {
            Some(since) => write!(f, "{}, {} s", self.what, since.as_secs()),
            None => write!(f, "{} is locked by another program", self.what),
        }
    }
}

/// A claim is ours until this is dropped.
#[derive(Debug)]
pub struct ClaimLock(#[expect(dead_code, reason = "held, not read")] Held);

/// A network attachment is ours until this is dropped.
#[derive(Debug)]
pub struct AttachmentLock(#[expect(dead_code, reason = "held, not read")] Held);

/// A device is ours until this is dropped.
#[derive(Debug)]
pub struct DeviceLock(Held);

/// Netlink through a PF is ours until this is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "held, not read")]
pub struct PfLock(Held, Turn);

impl DeviceLock {
    /// Notes for those who wait what is being done now.
    pub fn note(&self, work: &str) {
        self.0.note(work);
    }
}

impl Locks {
    /// Locks in these directories.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self {
            own: paths.locks(),
            vf_locks: paths.vf_locks.clone(),
            pf_turns: Arc::default(),
        }
    }

    /// Locks a claim. `work` is what others read meanwhile.
    ///
    /// # Errors
    /// [`LockError::Busy`] when somebody else has it until `deadline`.
    pub fn claim(
        &self,
        uid: &ClaimUid,
        work: &str,
        deadline: Deadline,
    ) -> Result<ClaimLock, LockError> {
        let path = self.own.join(format!("claim-{uid}.lock"));
        Held::take(
            &path,
            &format!("claim {uid}"),
            work,
            Leave::Nothing,
            deadline,
        )
        .map(ClaimLock)
    }

    /// Locks a network attachment, before the claim that its device is of.
    ///
    /// # Errors
    /// [`LockError::Busy`] when somebody else has it until `deadline`.
    pub fn attachment(
        &self,
        id: &AttachmentId,
        work: &str,
        deadline: Deadline,
    ) -> Result<AttachmentLock, LockError> {
        let path = self.own.join(format!("attachment-{id}.lock"));
        let what = format!("attachment {id}");
        Held::take(&path, &what, work, Leave::Nothing, deadline).map(AttachmentLock)
    }

    /// Locks a device; the caller has its claim's lock, if there is a claim. Several: in sorted
    /// order.
    ///
    /// # Errors
    /// [`LockError::Busy`] when somebody else has it until `deadline`.
    pub fn device(
        &self,
        device: &DeviceId,
        work: &str,
        deadline: Deadline,
    ) -> Result<DeviceLock, LockError> {
        Held::take(
            &self.device_path(device),
            &device.to_string(),
            work,
            Leave::File,
            deadline,
        )
        .map(DeviceLock)
    }

    /// Locks netlink through a PF; the caller has the locks of the devices concerned.
    ///
    /// # Errors
    /// [`LockError::Busy`] when somebody else has it until `deadline`.
    pub fn pf(&self, pf: &Bdf, work: &str, deadline: Deadline) -> Result<PfLock, LockError> {
        let path = self.own.join(format!("pf-{pf}.lock"));
        let Some(turn) = Turns::take(&self.pf_turns, pf, deadline) else {
            let free = || Work {
                what: format!("pf {pf}"),
                since: None,
            };
            let busy = File::open(&path).map(|file| work_of(&file, &format!("pf {pf}")));
            return Err(LockError::Busy(busy.unwrap_or_else(|_| free())));
        };
        Held::take(&path, &format!("pf {pf}"), work, Leave::File, deadline)
            .map(|held| PfLock(held, turn))
    }

    /// What is being done with a device now, if anything.
    #[must_use]
    pub fn busy_with(&self, device: &DeviceId) -> Option<Work> {
        let file = File::open(self.device_path(device)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(work_of(&file, &device.to_string())),
            _ => None,
        }
    }

    /// Removes the files of locks that nobody has; of the Go plugin's directory only those that we
    /// have used. For an agent that ends with no claim on its node: nothing of it is left if no
    /// other follows.
    pub fn sweep(&self) {
        let files = [&self.own, &self.vf_locks]
            .into_iter()
            .filter_map(|dir| fs::read_dir(dir).ok())
            .flatten()
            .flatten();
        let locks = files
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "lock"));
        locks.for_each(|path| sweep(&path));
    }

    fn device_path(&self, device: &DeviceId) -> PathBuf {
        match device {
            DeviceId::Pci(bdf) => self.vf_locks.join(format!("{bdf}.lock")),
            DeviceId::Sf { .. } => self.own.join(format!("device-{}.lock", device.name())),
        }
    }
}

/// What stays of a lock when it is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leave {
    /// The file: other programs open it without looking again.
    File,
    /// Nothing: claims come and go.
    Nothing,
}

/// A locked file.
#[derive(Debug)]
pub(super) struct Held {
    file: File,
    path: PathBuf,
    leave: Leave,
}

impl Held {
    pub(super) fn take(
        path: &Path,
        what: &str,
        work: &str,
        leave: Leave,
        deadline: Deadline,
    ) -> Result<Self, LockError> {
        let file = poll(path, what, deadline, || try_take(path))?;
        let held = Self {
            file,
            path: path.to_owned(),
            leave,
        };
        held.note(work);
        Ok(held)
    }

    fn note(&self, work: &str) {
        note(&self.file, work);
    }
}

/// Only a courtesy to those who wait: not being able to leave it does not matter.
pub(super) fn note(mut file: &File, work: &str) {
    let _ = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(work.as_bytes()));
}

impl Drop for Held {
    /// The lock goes with the descriptor. A file that goes too is unlinked while locked, see
    /// [`is_at`].
    fn drop(&mut self) {
        match self.leave {
            Leave::File => self.note(OURS),
            Leave::Nothing => drop(fs::remove_file(&self.path)),
        }
    }
}

/// Tries until it is locked or the deadline has passed.
pub(super) fn poll<T>(
    path: &Path,
    what: &str,
    deadline: Deadline,
    mut lock: impl FnMut() -> io::Result<Result<T, File>>,
) -> Result<T, LockError> {
    let failed = |source| LockError::Io {
        path: path.to_owned(),
        source,
    };
    let mut busy = None;
    let locked = deadline.poll(|| match lock()? {
        Ok(locked) => Ok(Some(locked)),
        Err(holder) => {
            busy = Some(work_of(&holder, what));
            Ok(None)
        }
    });
    let unknown = || Work {
        what: what.to_owned(),
        since: None,
    };
    let locked = locked.map_err(failed)?;
    locked.ok_or_else(|| LockError::Busy(busy.unwrap_or_else(unknown)))
}

/// The locked file, or the file that somebody else has locked.
pub(super) fn try_take(path: &Path) -> io::Result<Result<File, File>> {
    try_lock(path, File::try_lock)
}

/// The same, beside others who share it.
pub(super) fn try_share(path: &Path) -> io::Result<Result<File, File>> {
    try_lock(path, File::try_lock_shared)
}

fn try_lock(
    path: &Path,
    lock: impl Fn(&File) -> Result<(), TryLockError>,
) -> io::Result<Result<File, File>> {
    loop {
        let file = open(path)?;
        match lock(&file) {
            Ok(()) if is_at(&file, path) => return Ok(Ok(file)),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(Err(file)),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// Unlinked while locked, see [`is_at`].
pub(super) fn sweep(path: &Path) {
    let Ok(file) = File::open(path) else { return };
    let free = file.try_lock().is_ok() && is_at(&file, path);
    if free && file.metadata().is_ok_and(|meta| meta.len() > 0) {
        let _ = fs::remove_file(path);
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Whether the file is still the one at the path: its holder may have removed it between our open
/// and our lock.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(ours), Ok(there)) => (ours.dev(), ours.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

fn work_of(mut file: &File, what: &str) -> Work {
    let mut text = String::new();
    let noted = file.read_to_string(&mut text).is_ok() && !matches!(text.trim(), "" | OURS);
    let since = file
        .metadata()
        .and_then(|meta| meta.modified())
        .ok()
        .and_then(|time| time.elapsed().ok());
    match noted {
        true => Work {
            what: text.trim().to_owned(),
            since: Some(since.unwrap_or_default()),
        },
        false => Work {
            what: what.to_owned(),
            since: None,
        },
    }
}

#[cfg(test)]
#[path = "locks/tests.rs"]
mod tests;
