//! What is known of a device and the kernel does not show: notes that outlive claims.
//!
//! One small file per device in `<run>/devices`, of one incarnation of it: another device at the
//! same address has none.

use std::{fs, io, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::{
    device::{DeviceId, IncarnationId, Mac},
    files::Disk,
    paths::Paths,
};

/// Whose a MAC is that a PF holds for a VF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// Of which device.
    pub incarnation: IncarnationId,
    /// The MAC.
    pub mac: Mac,
    /// Whether the administrator has set it; else this driver has, for a PF that takes none back.
    pub administrator: bool,
}

/// The notes of this node.
#[derive(Debug, Clone)]
pub struct Notes {
    dir: PathBuf,
    disk: Disk,
}

impl Notes {
    /// In their directory.
    #[must_use]
    pub fn new(paths: &Paths, disk: Disk) -> Self {
        Self {
            dir: paths.notes(),
            disk,
        }
    }

    /// The note of this incarnation of a device. One that cannot be read is none.
    #[must_use]
    pub fn load(&self, device: &DeviceId, incarnation: IncarnationId) -> Option<Note> {
        let text = fs::read(self.path(device)).ok()?;
        let note: Note = serde_json::from_slice(&text)
            .inspect_err(|error| tracing::warn!(%device, %error, "note"))
            .ok()?;
        (note.incarnation == incarnation).then_some(note)
    }

    /// Writes a note, unless it is there already.
    ///
    /// # Errors
    /// The file system's.
    pub fn save(&self, device: &DeviceId, note: &Note) -> Result<(), StoreError> {
        if self.load(device, note.incarnation) == Some(*note) {
            return Ok(());
        }
        let path = self.path(device);
        let failed = |source: io::Error| StoreError::Io {
            path: path.clone(),
            source,
        };
        let text = serde_json::to_vec(note).map_err(|error| failed(error.into()))?;
        self.disk.write(&path, &text, 0o600).map_err(failed)
    }

    /// The devices that have a note, of whatever incarnation.
    #[must_use]
    pub fn devices(&self) -> Vec<DeviceId> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let device = |name: &str| DeviceId::from_name(name.strip_suffix(".json")?).ok();
        entries
            .filter_map(|entry| device(entry.file_name().to_str()?))
            .collect()
    }

    /// Removes a device's note; none is success.
    ///
    /// # Errors
    /// The file system's.
    pub fn remove(&self, device: &DeviceId) -> Result<(), StoreError> {
        let path = self.path(device);
        let removed = self.disk.remove(&path);
        removed.map_err(|source| StoreError::Io { path, source })
    }

    fn path(&self, device: &DeviceId) -> PathBuf {
        self.dir.join(format!("{}.json", device.name()))
    }
}
