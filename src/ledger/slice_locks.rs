//! Which agent of this node writes its ResourceSlices, and which sets containers' variables: files
//! in the run directory, locked by `flock`, since two agents share a node during a rolling update.
//!
//! ```text
//!  slices.lock   the writer
//!  slices.next   the successor, until it is the writer
//!  env.lock      who sets variables, until it ends
//! ```
//!
//! The kernel frees them when their holder dies. The content of each is when its holder started.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Seek, Write},
    path::{Path, PathBuf},
};

use super::locks::{is_at, sweep, try_take};
use crate::paths::Paths;

/// The locks of this node.
#[derive(Debug, Clone)]
pub struct SliceLocks {
    writer: PathBuf,
    next: PathBuf,
    env: PathBuf,
    started: u64,
}

/// One of them, until this is dropped.
#[derive(Debug)]
pub struct SliceLock {
    file: File,
    path: PathBuf,
}

impl SliceLock {
    /// Whether its file is still in its place: another agent may lock a new one otherwise.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        is_at(&self.file, &self.path)
    }
}

impl SliceLocks {
    /// For this process.
    ///
    /// # Errors
    /// The kernel does not say when it started.
    pub fn new(paths: &Paths) -> io::Result<Self> {
        let stat = fs::read_to_string(paths.proc.join("self/stat"))?;
        let started = start_time(&stat).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self::started(paths, started))
    }

    /// For an agent that started then: clock ticks since boot.
    #[must_use]
    pub fn started(paths: &Paths, started: u64) -> Self {
        Self {
            writer: paths.slices_lock(),
            next: paths.slices_next(),
            env: paths.env_lock(),
            started,
        }
    }

    /// Becomes the writer, unless another agent is.
    ///
    /// # Errors
    /// The file cannot be opened, locked or written.
    pub fn try_writer(&self) -> io::Result<Option<SliceLock>> {
        self.take(&self.writer)
    }

    /// Becomes the successor, unless another agent is.
    ///
    /// # Errors
    /// The file cannot be opened, locked or written.
    pub fn try_successor(&self) -> io::Result<Option<SliceLock>> {
        self.take(&self.next)
    }

    /// Becomes the agent that sets containers' variables, unless another is.
    ///
    /// # Errors
    /// The file cannot be opened, locked or written.
    pub fn try_env(&self) -> io::Result<Option<SliceLock>> {
        self.take(&self.env)
    }

    /// Whether an agent is the successor; not asked by the successor itself.
    ///
    /// # Errors
    /// The file cannot be opened or locked.
    pub fn has_successor(&self) -> io::Result<bool> {
        let file = match File::open(&self.next) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            file => file?,
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Whether the last writer started after this agent.
    #[must_use]
    pub fn writer_is_newer(&self) -> bool {
        let text = fs::read_to_string(&self.writer).unwrap_or_default();
        let started = text
            .strip_prefix("started ")
            .and_then(|rest| rest.trim().parse::<u64>().ok());
        started.is_some_and(|started| started > self.started)
    }

    /// Removes the files that no agent has locked: nothing is left on a node without agents.
    pub fn sweep(paths: &Paths) {
        sweep(&paths.slices_lock());
        sweep(&paths.slices_next());
        sweep(&paths.env_lock());
    }

    fn take(&self, path: &Path) -> io::Result<Option<SliceLock>> {
        let Ok(mut file) = try_take(path)? else {
            return Ok(None);
        };
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(format!("started {}\n", self.started).as_bytes())?;
        Ok(Some(SliceLock {
            file,
            path: path.to_owned(),
        }))
    }
}

/// Field 22 of proc_pid_stat(5). The second one, the program's name, may have spaces.
fn start_time(stat: &str) -> Option<u64> {
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_says_when_it_started() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 9 0 4711 12 13";
        assert_eq!(start_time(stat), Some(4711));
        assert_eq!(start_time("7 (a"), None);
        let own = SliceLocks::new(&Paths::default()).unwrap();
        assert!(own.started > 0);
    }

    fn locks(started: u64) -> (tempfile::TempDir, SliceLocks) {
        let dir = tempfile::tempdir().unwrap();
        let locks = SliceLocks::started(&Paths::below(dir.path()), started);
        (dir, locks)
    }

    #[test]
    fn one_agent_writes_and_one_is_next_until_each_drops_its_lock() {
        let (_dir, locks) = locks(1);
        assert!(!locks.has_successor().unwrap());
        let writer = locks.try_writer().unwrap().unwrap();
        assert!(locks.try_writer().unwrap().is_none());
        let next = locks.try_successor().unwrap().unwrap();
        assert!(locks.try_successor().unwrap().is_none() && locks.has_successor().unwrap());
        drop((writer, next));
        assert!(!locks.has_successor().unwrap());
        assert!(locks.try_writer().unwrap().is_some());
    }

    #[test]
    fn the_writer_says_when_it_started() {
        let (dir, older) = locks(7);
        let newer = SliceLocks::started(&Paths::below(dir.path()), 8);
        assert!(!older.writer_is_newer(), "there is none");
        let held = newer.try_writer().unwrap();
        assert!(older.writer_is_newer() && !newer.writer_is_newer());
        drop(held);
        let _held = older.try_writer().unwrap();
        assert!(!newer.writer_is_newer());
    }

    #[test]
    fn files_that_nobody_has_locked_are_swept_and_a_removed_one_is_noticed() {
        let (dir, locks) = locks(1);
        let paths = Paths::below(dir.path());
        let writer = locks.try_writer().unwrap().unwrap();
        drop(locks.try_successor().unwrap());
        SliceLocks::sweep(&paths);
        assert!(locks.writer.exists() && !locks.next.exists());
        assert!(writer.is_in_place());
        fs::remove_file(&locks.writer).unwrap();
        assert!(!writer.is_in_place());
        let other = locks.try_writer().unwrap().unwrap();
        assert!(other.is_in_place() && !writer.is_in_place());
        drop(other);
        SliceLocks::sweep(&paths);
        assert!(!locks.writer.exists());
    }
}
