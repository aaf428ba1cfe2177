//! Records on disk: one small file per claim.
//!
//! The file's name is `<uid>+<device>+<device>….json`, so that even a record that cannot be read still tells which
//! devices it holds, and so that "who holds this device?" opens no file. Devices that are only observed
//! (`adminAccess`) are not in the name. What does not fit in a file name is `+more`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{ClaimUid, DeviceRecord, Record};
use crate::{device::DeviceId, files::Disk};

/// Major version of the record's format that this build writes and reads.
pub const VERSION: u32 = 1;

/// The longest file name that Linux' file systems take.
const LONGEST_NAME: usize = 255;
const MORE: &str = "more";

/// The records of this node.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
    disk: Disk,
}

/// A record as found on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// It can be read.
    Readable(Box<Record>),
    /// It cannot; it is kept, and its devices are out of use.
    Unreadable {
        /// The claim, from the file's name.
        uid: ClaimUid,
        /// Devices, from the file's name.
        devices: Vec<DeviceId>,
        /// What is wrong with it.
        why: String,
    },
}

/// What a record's file name tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// The claim.
    pub uid: ClaimUid,
    /// The devices that it holds, as far as they fit.
    pub devices: Vec<DeviceId>,
    /// There are more devices than the name has room for.
    pub more: bool,
}

/// A record that cannot be written, read or understood.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system's refusal.
    #[error("record {path}: {source}")]
    Io {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The record is there and must be kept, but says nothing to this version.
    #[error(
        "record of claim {uid}: {why}; it is kept, and its devices stay out of use until it is released by hand"
    )]
    Unreadable {
        /// The claim.
        uid: ClaimUid,
        /// What is wrong with it.
        why: String,
    },
}

impl Store {
    /// The records in `dir`, see [`crate::paths::Paths::records`].
    #[must_use]
    pub fn new(dir: PathBuf, disk: Disk) -> Self {
        Self { dir, disk }
    }

    /// The record of a claim, if it has one.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when it has one that cannot be understood.
    pub fn load(&self, uid: &ClaimUid) -> Result<Option<Record>, StoreError> {
        let Some((path, title)) = self
            .files()?
            .into_iter()
            .find(|(_, title)| title.uid == *uid)
        else {
            return Ok(None);
        };
        match read(&path, title) {
            Some(Entry::Readable(record)) => Ok(Some(*record)),
            Some(Entry::Unreadable { uid, why, .. }) => Err(StoreError::Unreadable { uid, why }),
            None => Ok(None),
        }
    }

    /// Writes a record, whole or not at all.
    ///
    /// # Errors
    /// The file system's.
    pub fn save(&self, record: &Record) -> Result<(), StoreError> {
        let path = self.dir.join(file_name(record));
        let text =
            serde_json::to_vec_pretty(record).map_err(|error| io_error(&path, error.into()))?;
        self.disk
            .write(&path, &text, 0o600)
            .map_err(|error| io_error(&path, error))?;
        self.remove_but(&record.claim.uid, Some(&path))
    }

    /// Forgets a claim; nothing to forget is success.
    ///
    /// # Errors
    /// The file system's.
    pub fn remove(&self, uid: &ClaimUid) -> Result<(), StoreError> {
        self.remove_but(uid, None)
    }

    /// All records, by UID.
    ///
    /// # Errors
    /// The directory cannot be read. A record that cannot be is an [`Entry::Unreadable`].
    pub fn all(&self) -> Result<Vec<Entry>, StoreError> {
        Ok(self
            .files()?
            .into_iter()
            .filter_map(|(path, title)| read(&path, title))
            .collect())
    }

    /// What the records' names tell, without reading them.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn titles(&self) -> Result<Vec<Title>, StoreError> {
        Ok(self.files()?.into_iter().map(|(_, title)| title).collect())
    }

    fn files(&self) -> Result<Vec<(PathBuf, Title)>, StoreError> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| io_error(&self.dir, error))?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| io_error(&self.dir, error))?;
            files.extend(
                entry
                    .file_name()
                    .to_str()
                    .and_then(Title::read)
                    .map(|title| (entry.path(), title)),
            );
        }
        files.sort_by(|(_, one), (_, other)| one.uid.cmp(&other.uid));
        Ok(files)
    }

    fn remove_but(&self, uid: &ClaimUid, keep: Option<&Path>) -> Result<(), StoreError> {
        for (path, title) in self.files()? {
            if title.uid == *uid && Some(path.as_path()) != keep {
                self.disk
                    .remove(&path)
                    .map_err(|error| io_error(&path, error))?;
            }
        }
        Ok(())
    }
}

impl Entry {
    /// The claim's UID.
    #[must_use]
    pub fn uid(&self) -> &ClaimUid {
        match self {
            Self::Readable(record) => &record.claim.uid,
            Self::Unreadable { uid, .. } => uid,
        }
    }

    /// The record's devices; none when it cannot be read.
    #[must_use]
    pub fn devices(&self) -> &[DeviceRecord] {
        match self {
            Self::Readable(record) => &record.devices,
            Self::Unreadable { .. } => &[],
        }
    }

    /// The record, if it can be read.
    #[must_use]
    pub fn record(self) -> Option<Record> {
        match self {
            Self::Readable(record) => Some(*record),
            Self::Unreadable { .. } => None,
        }
    }
}

impl Title {
    /// Reads a file's name; none for files that are not records.
    fn read(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".json")?.split('+');
        let uid = parts.next()?.parse().ok()?;
        let (mut devices, mut more) = (Vec::new(), false);
        for part in parts {
            match DeviceId::from_name(part) {
                Ok(device) => devices.push(device),
                Err(_) => more = true,
            }
        }
        Some(Self { uid, devices, more })
    }
}

/// `<uid>+<device>….json`, cut with `+more` where it gets too long.
fn file_name(record: &Record) -> String {
    let room = LONGEST_NAME - MORE.len() - ".json".len() - 1;
    let mut name = record.claim.uid.to_string();
    for device in record.devices.iter().filter(|device| !device.admin_access) {
        let part = device.id.name();
        if name.len() + 1 + part.len() > room {
            name = format!("{name}+{MORE}");
            break;
        }
        name = format!("{name}+{part}");
    }
    format!("{name}.json")
}

/// None: it has been removed meanwhile.
fn read(path: &Path, title: Title) -> Option<Entry> {
    let parsed = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => Err(error.to_string()),
        Ok(text) => parse(&text),
    };
    let record = parsed.and_then(|record| match record.claim.uid == title.uid {
        true => Ok(record),
        false => Err(format!("its content is of claim {}", record.claim.uid)),
    });
    Some(match record {
        Ok(record) => Entry::Readable(Box::new(record)),
        Err(why) => Entry::Unreadable {
            uid: title.uid,
            devices: title.devices,
            why,
        },
    })
}

/// Reads a record of this major version; additions of a later minor one are ignored.
pub(crate) fn parse(text: &[u8]) -> Result<Record, String> {
    #[derive(serde::Deserialize)]
    struct Version {
        version: u32,
    }
    let Version { version } = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if version > VERSION {
        return Err(format!(
            "format version {version} is newer than this program's {VERSION}"
        ));
    }
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

fn io_error(path: &Path, source: io::Error) -> StoreError {
    StoreError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
#[path = "store/tests.rs"]
mod tests;
