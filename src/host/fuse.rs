//! Kills this process at a chosen change of the host, for the crash scenarios. Not in release
//! builds (cargo feature `fuse`).
//!
//! The file `fuse` in the run directory arms the agent's, `cni-fuse` that of the CNI plugin:
//! `before 3` or `after 3` counts changes since the file was written. Changes are writes to the
//! kernel, and records, CDI specs and start gates that are written or removed. The file is removed
//! before the process aborts, so that the restarted process survives.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use super::wrapped::{Around, Call};
use crate::{
    files::{ChangeHook, Moment},
    paths::Paths,
};

/// Counts changes of the host, and aborts the process at the one that the file names.
#[derive(Debug, Clone)]
pub struct Fuse {
    file: PathBuf,
    changes: Arc<Mutex<Changes>>,
}

/// The number of changes since the file was written.
#[derive(Debug, Default)]
struct Changes {
    since: Option<SystemTime>,
    number: usize,
}

impl Fuse {
    /// The agent's.
    #[must_use]
    pub fn new(paths: &Paths) -> Self {
        Self::armed_by(paths, "fuse")
    }

    /// The CNI plugin's: the agent is not to die of it.
    #[must_use]
    pub fn of_plugin(paths: &Paths) -> Self {
        Self::armed_by(paths, "cni-fuse")
    }

    fn armed_by(paths: &Paths, name: &str) -> Self {
        Self {
            file: paths.run.join(name),
            changes: Arc::default(),
        }
    }

    /// The hook that counts changes of files.
    #[must_use]
    pub fn change_hook(&self) -> ChangeHook {
        let fuse = self.clone();
        Arc::new(move |moment, _| {
            match moment {
                Moment::Before => fuse.before(),
                Moment::After => fuse.after(),
            }
            Ok(())
        })
    }

    /// Called before a change.
    fn before(&self) {
        let (armed, since) = (read(&self.file), written(&self.file));
        let number = {
            let mut changes = self.changes();
            if changes.since != since {
                *changes = Changes { since, number: 0 };
            }
            changes.number += 1;
            changes.number
        };
        if armed == Some((Moment::Before, number)) {
            self.abort();
        }
    }

    /// Called after a change.
    fn after(&self) {
        let number = self.changes().number;
        if read(&self.file) == Some((Moment::After, number)) {
            self.abort();
        }
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the process as `kill -9` does: without cleanup. SIGKILL cannot be used, since the
    /// kernel drops it when PID 1 of a namespace sends it to itself (pid_namespaces(7)). If the
    /// file cannot be removed nothing happens: the restarted process would abort too.
    fn abort(&self) {
        tracing::error!(file = %self.file.display(), "aborting the process: fuse");
        if fs::remove_file(&self.file).is_ok() {
            std::process::abort();
        }
    }
}

fn written(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|file| file.modified()).ok()
}

/// The parsed content of the file.
fn read(file: &Path) -> Option<(Moment, usize)> {
    let text = fs::read_to_string(file).ok()?;
    let (moment, number) = text.trim().split_once(' ')?;
    let moment = match moment {
        "before" => Moment::Before,
        "after" => Moment::After,
        _ => return None,
    };
    Some((moment, number.parse().ok()?))
}

impl Around for Fuse {
    /// Every write to the kernel is a change.
    fn around<T>(&self, call: Call<'_>, act: impl FnOnce() -> T) -> T {
        if !call.writes {
            return act();
        }
        self.before();
        let result = act();
        self.after();
        result
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::{
        files::{Disk, write_atomic},
        host::{Kernel, linux::Linux, wrapped::Wrapped},
    };

    /// Runs `test` of this test binary in a process with the fuse's directory; returns the signal
    /// that ended it. It is PID 1 of a PID namespace, as in a container.
    fn signal_of(test: &str, dir: &Path) -> Option<i32> {
        let name = format!("host::fuse::tests::{test}");
        let mut child = std::process::Command::new("unshare");
        child
            .args(["--user", "--map-root-user", "--pid", "--fork"])
            .arg(std::env::current_exe().unwrap());
        child
            .args(["--exact", &name, "--ignored"])
            .env("FUSE_DIR", dir);
        child.output().unwrap().status.signal()
    }

    fn paths() -> Paths {
        Paths::below(Path::new(&std::env::var("FUSE_DIR").unwrap()))
    }

    #[test]
    #[ignore = "run in a child process by the tests below"]
    fn child() {
        let fuse = Fuse::new(&paths());
        let disk = Disk::with_hook(fuse.change_hook());
        let kernel = Wrapped::new(Linux::new(paths()), fuse);
        disk.write(&paths().run.join("first"), b"", 0o600).unwrap();
        let _ = kernel.set_num_vfs(&"0000:01:00.0".parse().unwrap(), 1);
        disk.write(&paths().run.join("third"), b"", 0o600).unwrap();
    }

    #[test]
    fn it_aborts_once_at_the_change_that_the_file_names() {
        for (text, crashes, third) in [
            ("before 1", true, false),
            ("after 2", true, false),
            ("before 3", true, false),
            ("after 3", true, true),
            ("before 4", false, true),
            ("invalid", false, true),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let paths = Paths::below(dir.path());
            let file = Fuse::new(&paths).file;
            write_atomic(&file, text.as_bytes(), 0o600).unwrap();
            assert_eq!(signal_of("child", dir.path()).is_some(), crashes, "{text}");
            assert_eq!(file.exists(), !crashes, "{text}");
            assert_eq!(paths.run.join("third").exists(), third, "{text}");
        }
    }
}
