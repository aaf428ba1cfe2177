//! The leases that IPAM plugins keep for claims, on disk: plugins keep theirs across a reboot, which
//! the records of claims do not outlive.
//!
//! ```text
//!  <lib>/leases/UID+DEVICE.json    written, with fsync, before ADD; removed after DEL
//! ```

use std::{fs, io, path::PathBuf};

use super::{claim_ref::ClaimUid, lease::Lease};
use crate::{
    device::DeviceId,
    files::{self, Disk},
    paths::Paths,
};

/// The files.
#[derive(Debug, Clone)]
pub struct Leases {
    dir: PathBuf,
    disk: Disk,
}

impl Leases {
    /// Those at these paths.
    #[must_use]
    pub fn new(paths: &Paths, disk: Disk) -> Self {
        Self {
            dir: paths.leases(),
            disk,
        }
    }

    /// Writes down that a plugin may assign something from now on.
    ///
    /// # Errors
    /// The file system's.
    pub fn enter(&self, lease: &Lease) -> io::Result<()> {
        let path = self.path(&lease.claim.uid, &lease.device);
        let text = serde_json::to_vec_pretty(lease)?;
        let write = || files::write_durable(&path, &text, 0o600);
        self.disk.change("write lease", write)
    }

    /// Forgets a lease that its plugin has released.
    ///
    /// # Errors
    /// The file system's.
    pub fn remove(&self, lease: &Lease) -> io::Result<()> {
        let path = self.path(&lease.claim.uid, &lease.device);
        self.disk.change("remove lease", || files::remove(&path))
    }

    /// The lease of a claim's device.
    ///
    /// # Errors
    /// The file system's, or it cannot be read.
    pub fn load(&self, claim: &ClaimUid, device: &DeviceId) -> io::Result<Option<Lease>> {
        match fs::read(self.path(claim, device)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            text => Ok(Some(serde_json::from_slice(&text?)?)),
        }
    }

    /// All leases. Those that cannot be read are left alone, and named in the log.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn all(&self) -> io::Result<Vec<Lease>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            match fs::read(&path).and_then(|text| Ok(serde_json::from_slice(&text)?)) {
                Ok(lease) => all.push(lease),
                Err(error) => tracing::warn!(path = %path.display(), %error, "lease"),
            }
        }
        Ok(all)
    }

    fn path(&self, claim: &ClaimUid, device: &DeviceId) -> PathBuf {
        self.dir.join(format!("{claim}+{}.json", device.name()))
    }
}
