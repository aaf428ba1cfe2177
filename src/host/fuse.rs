//! A fuse: kills this process at a chosen write, for the crash scenarios. Release builds do not have it.
//!
//! The file `fuse` in the run directory arms it: `before 3` or `after 3` counts writes to the kernel from the moment that
//! the file is there, `at NAME` means a point that the code names. The file is removed before the process dies, so that the
//! next one lives.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use rustix::process::{Signal, getpid, kill_process};

use super::{Kernel, Netns, Result};
use crate::{
    deadline::Deadline,
    device::{Bdf, Binding, DeviceId, Function, IfName, LinkSetting, Netdev, Observed, VfAddress, VfSetting},
    files::{Moment, Tap},
    paths::Paths,
};

/// A kernel whose writes are counted.
pub struct Fused<K> {
    inner: K,
    file: PathBuf,
    writes: Mutex<usize>,
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fuse {
    Before(usize),
    After(usize),
    At(String),
}

/// Dies here when the file says `at NAME`.
pub fn point(paths: &Paths, name: &str) {
    let file = file(paths);
    if read(&file) == Some(Fuse::At(name.to_owned())) {
        blow(&file);
    }
}

/// Dies at changes of files: `at before-write`, `at after-write`, `at before-remove`, `at after-remove`.
#[must_use]
pub fn tap(paths: &Paths) -> Tap {
    let paths = paths.clone();
    Arc::new(move |moment, what| {
        let verb = what.split(' ').next().unwrap_or(what);
        let moment = match moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        point(&paths, &format!("{moment}-{verb}"));
        Ok(())
    })
}

fn file(paths: &Paths) -> PathBuf {
    paths.run.join("fuse")
}

fn read(file: &Path) -> Option<Fuse> {
    let text = fs::read_to_string(file).ok()?;
    let (verb, rest) = text.trim().split_once(' ')?;
    match verb {
        "before" => rest.parse().ok().map(Fuse::Before),
        "after" => rest.parse().ok().map(Fuse::After),
        "at" => Some(Fuse::At(rest.to_owned())),
        _ => None,
    }
}

/// Ends the process as `kill -9` does. When the file cannot be removed nothing happens: else the next one would die too.
fn blow(file: &Path) {
    tracing::error!(file = %file.display(), "the fuse blows");
    if fs::remove_file(file).is_ok() {
        let _ = kill_process(getpid(), Signal::KILL);
    }
}

impl<K: Kernel> Fused<K> {
    /// With the fuse's file in the run directory.
    pub fn new(inner: K, paths: &Paths) -> Self {
        Self { inner, file: file(paths), writes: Mutex::new(0) }
    }

    fn write<T>(&self, write: impl FnOnce(&K) -> Result<T>) -> Result<T> {
        let fuse = read(&self.file);
        let number = self.number(fuse.is_some());
        if fuse == Some(Fuse::Before(number)) {
            blow(&self.file);
        }
        let result = write(&self.inner);
        if fuse == Some(Fuse::After(number)) {
            blow(&self.file);
        }
        result
    }

    /// This write's number since the file appeared, from 1.
    fn number(&self, armed: bool) -> usize {
        let mut writes = self.writes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *writes = if armed { *writes + 1 } else { 0 };
        *writes
    }
}

impl<K: Kernel> Kernel for Fused<K> {
    fn functions(&self) -> Result<Vec<Function>> {
        self.inner.functions()
    }
    fn observe(&self, device: &DeviceId) -> Result<Observed> {
        self.inner.observe(device)
    }
    fn native_driver(&self, device: &DeviceId) -> Result<Option<String>> {
        self.inner.native_driver(device)
    }
    fn open_netns(&self, path: &Path) -> Result<Netns> {
        self.inner.open_netns(path)
    }
    fn link(&self, device: &DeviceId, netns: &Netns) -> Result<Option<Netdev>> {
        self.inner.link(device, netns)
    }
    fn link_names(&self, netns: &Netns) -> Result<Vec<String>> {
        self.inner.link_names(netns)
    }
    fn host_used(&self) -> Result<Vec<Bdf>> {
        self.inner.host_used()
    }
    fn set_num_vfs(&self, pf: &Bdf, count: u32) -> Result<()> {
        self.write(|kernel| kernel.set_num_vfs(pf, count))
    }
    fn set_driver(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()> {
        self.write(|kernel| kernel.set_driver(device, binding, deadline))
    }
    fn rebind(&self, device: &DeviceId, deadline: Deadline) -> Result<()> {
        self.write(|kernel| kernel.rebind(device, deadline))
    }
    fn set_vf(&self, vf: &VfAddress, setting: &VfSetting) -> Result<()> {
        self.write(|kernel| kernel.set_vf(vf, setting))
    }
    fn set_link(&self, device: &DeviceId, netns: &Netns, setting: &LinkSetting) -> Result<()> {
        self.write(|kernel| kernel.set_link(device, netns, setting))
    }
    fn move_link(&self, device: &DeviceId, from: &Netns, to: &Netns, name: &IfName) -> Result<()> {
        self.write(|kernel| kernel.move_link(device, from, to, name))
    }
    fn announce(&self, device: &DeviceId, netns: &Netns) -> Result<()> {
        self.inner.announce(device, netns)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;
    use crate::{files::write_atomic, host::linux::Linux};

    /// Runs `test` of this binary in a process of its own with the fuse's directory; its exit signal.
    fn signal_of(test: &str, dir: &Path) -> Option<i32> {
        let name = format!("host::fuse::tests::{test}");
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", &name, "--ignored"]).env("FUSE_DIR", dir);
        child.output().unwrap().status.signal()
    }

    fn paths() -> Paths {
        Paths::below(Path::new(&std::env::var("FUSE_DIR").unwrap()))
    }

    #[test]
    #[ignore = "the victim of the tests below"]
    fn victim() {
        let kernel = Fused::new(Linux::new(paths()), &paths());
        for _ in 0..3 {
            let _ = kernel.set_num_vfs(&"0000:01:00.0".parse().unwrap(), 1);
        }
        point(&paths(), "record");
    }

    #[test]
    fn it_blows_once_where_it_is_told_to() {
        let dir = tempfile::tempdir().unwrap();
        let fuse = file(&Paths::below(dir.path()));
        for (text, dies) in
            [("before 3", true), ("after 3", true), ("at record", true), ("before 4", false), ("at other", false)]
        {
            write_atomic(&fuse, text.as_bytes(), 0o600).unwrap();
            assert_eq!(signal_of("victim", dir.path()).is_some(), dies, "{text}");
            assert_eq!(fuse.exists(), !dies, "{text}");
        }
        fs::remove_file(&fuse).unwrap();
        assert_eq!(signal_of("victim", dir.path()), None);
    }
}
