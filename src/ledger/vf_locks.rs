//! Whether a PF keeps its VFs: whoever works on one of them shares that, and who changes their
//! number (the PF's driver is restarted, its VFs are made again) is alone.
//!
//! ```text
//!   pf-BDF-gate.lock   whoever wants to be alone locks it, and others wait before it
//!   pf-BDF-vfs.lock    shared, or alone
//! ```
//!
//! `flock` prefers nobody: without the gate, those who share and come one after the other would
//! keep the one who wants to be alone waiting for ever. They read it and do not lock it, so that
//! they are not in the way there either.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::locks::{Held, Leave, LockError, Locks, OURS, note, poll, try_share};
use crate::{deadline::Deadline, device::Bdf};

/// The VFs of a PF are as they are, or this holder's to change, until this is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "held, not read")]
pub struct VfsLock(Kind);

#[derive(Debug)]
#[expect(dead_code, reason = "held, not read")]
enum Kind {
    Shared(File),
    Alone { gate: Held, vfs: Held },
}

impl Locks {
    /// The number of the PF's VFs does not change until this is dropped; many may have it. The
    /// caller has its claim's lock, and no device's yet. Of several PFs: in sorted order.
    ///
    /// # Errors
    /// [`LockError::Busy`] when somebody changes it, or waits to, until `deadline`.
    pub fn keep_vfs(&self, pf: &Bdf, deadline: Deadline) -> Result<VfsLock, LockError> {
        let (gate, vfs) = self.vfs_paths(pf);
        let pass = || -> io::Result<Result<File, File>> {
            match keeper(&gate)? {
                Some(keeper) => Ok(Err(keeper)),
                None => try_share(&vfs),
            }
        };
        let file = poll(&vfs, &format!("VFs of pf {pf}"), deadline, pass)?;
        note(&file, &format!("work on VFs of pf {pf}"));
        Ok(VfsLock(Kind::Shared(file)))
    }

    /// Nobody works on a VF of the PF until this is dropped, so that their number may change.
    /// Otherwise as [`Locks::keep_vfs`]; who comes later waits behind.
    ///
    /// # Errors
    /// [`LockError::Busy`] when somebody else has them until `deadline`.
    pub fn change_vfs(
        &self,
        pf: &Bdf,
        work: &str,
        deadline: Deadline,
    ) -> Result<VfsLock, LockError> {
        let (gate, vfs) = self.vfs_paths(pf);
        let what = format!("VFs of pf {pf}");
        let gate = Held::take(&gate, &what, work, Leave::File, deadline)?;
        let vfs = Held::take(&vfs, &what, work, Leave::File, deadline)?;
        Ok(VfsLock(Kind::Alone { gate, vfs }))
    }

    fn vfs_paths(&self, pf: &Bdf) -> (PathBuf, PathBuf) {
        let path = |part: &str| self.own.join(format!("pf-{pf}-{part}.lock"));
        (path("gate"), path("vfs"))
    }
}

/// The gate that somebody keeps. What it says is not enough: who wrote that may have been killed.
fn keeper(gate: &Path) -> io::Result<Option<File>> {
    let text = match fs::read_to_string(gate) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    match text.trim() {
        "" | OURS => Ok(None),
        _ => Ok(try_share(gate)?.err()),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicBool, Ordering},
        time::Duration,
    };

    use super::*;
    use crate::paths::Paths;

    const NOW: Duration = Duration::ZERO;
    const LONG: Duration = Duration::from_secs(20);

    fn pf() -> Bdf {
        "0000:3b:00.0".parse().unwrap()
    }

    #[test]
    fn many_keep_the_vfs_and_one_alone_changes_them() {
        let dir = tempfile::tempdir().unwrap();
        // Two agents.
        let (one, two) = (
            Locks::new(&Paths::below(dir.path())),
            Locks::new(&Paths::below(dir.path())),
        );
        // A lock that another test's child has inherited is free when that executes its program.
        let (now, later) = (|| Deadline::after(NOW), || Deadline::after(LONG));
        let shared = [&one, &two].map(|locks| locks.keep_vfs(&pf(), later()).unwrap());
        let error = two.change_vfs(&pf(), "restart", now()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "busy: work on VFs of pf 0000:3b:00.0, 0 s"
        );
        drop(shared);
        let alone = one.change_vfs(&pf(), "restart pf", later()).unwrap();
        let error = two.keep_vfs(&pf(), now()).unwrap_err();
        assert_eq!(error.to_string(), "busy: restart pf, 0 s");
        two.change_vfs(&pf(), "other", now()).unwrap_err();
        let other = "0000:3b:00.1".parse().unwrap();
        two.keep_vfs(&other, later()).unwrap();
        drop(alone);
        two.keep_vfs(&pf(), later()).unwrap();
        let swept = later().poll(|| {
            two.sweep();
            let left = std::fs::read_dir(&two.own).unwrap().count();
            Ok::<_, ()>((left == 0).then_some(()))
        });
        assert_eq!(swept, Ok(Some(())));
    }

    /// Four threads, of which some has it at any time: each takes the next one before it lets go.
    #[test]
    fn those_who_share_do_not_keep_the_one_who_wants_to_be_alone_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let locks = Locks::new(&Paths::below(dir.path()));
        let over = AtomicBool::new(false);
        let share = || {
            let mut held = locks.keep_vfs(&pf(), Deadline::after(LONG)).ok();
            while !over.load(Ordering::SeqCst) {
                held = locks.keep_vfs(&pf(), Deadline::after(NOW)).ok();
                std::thread::yield_now();
            }
            drop(held);
        };
        let first = locks.keep_vfs(&pf(), Deadline::after(LONG)).unwrap();
        std::thread::scope(|scope| {
            (0..4).for_each(|_| drop(scope.spawn(share)));
            drop(first);
            let alone = locks.change_vfs(&pf(), "restart", Deadline::after(LONG));
            let other = locks.keep_vfs(&pf(), Deadline::after(NOW));
            over.store(true, Ordering::SeqCst);
            assert!(alone.is_ok(), "{alone:?}");
            assert!(other.is_err(), "it is alone");
        });
    }

    #[test]
    fn a_gate_whose_keeper_was_killed_is_open() {
        let dir = tempfile::tempdir().unwrap();
        let locks = Locks::new(&Paths::below(dir.path()));
        drop(locks.keep_vfs(&pf(), Deadline::after(LONG)).unwrap());
        let (gate, _) = locks.vfs_paths(&pf());
        crate::files::write_atomic(&gate, b"restart pf", 0o600).unwrap();
        locks.keep_vfs(&pf(), Deadline::after(LONG)).unwrap();
    }
}
