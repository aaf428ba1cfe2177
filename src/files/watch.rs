//! Changes of the files in a directory, as inotify(7) reports them.

use std::{fs, io, mem::MaybeUninit, os::fd::OwnedFd, path::Path};

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};

/// A directory that is watched.
#[derive(Debug)]
pub struct DirWatch(OwnedFd);

impl DirWatch {
    /// Makes the directory if need be, and watches it from now on.
    ///
    /// # Errors
    /// The operating system's.
    pub fn new(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let fd = inotify::init(CreateFlags::CLOEXEC)?;
        let changes = WatchFlags::MOVED_TO | WatchFlags::DELETE | WatchFlags::CLOSE_WRITE;
        inotify::add_watch(&fd, dir, changes | WatchFlags::ONLYDIR)?;
        Ok(Self(fd))
    }

    /// Blocks until a file has come, gone or changed; several may have.
    ///
    /// # Errors
    /// The operating system's.
    pub fn wait(&self) -> io::Result<()> {
        // `NAME_MAX` and the event's header fit many times (inotify(7)).
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.0, &mut buffer);
        loop {
            match reader.next() {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_comes_and_one_that_goes_are_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (at, file) = (dir.path().join("new"), dir.path().join("new/a"));
        let watch = DirWatch::new(&at).unwrap();
        crate::files::write_atomic(&file, b"x", 0o600).unwrap();
        watch.wait().unwrap();
        crate::files::remove(&file).unwrap();
        watch.wait().unwrap();
    }
}
