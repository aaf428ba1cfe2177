//! Records on disk: one small file per owner, a directory per kind of owner.
//!
//! The file's name is `<key>+<device>+<device>….json` (a claim's key is its UID), so that even a
//! record that cannot be read still says which devices it holds, and so that "who holds this
//! device?" opens no file. Devices that are only observed (`adminAccess`) are not in the name. What
//! does not fit in a file name is `+more`.

use std::{
    collections::BTreeSet,
    fs, io,
    marker::PhantomData,
    path::{Path, PathBuf},
    str::FromStr,
};

use serde::Deserialize;
use serde_json::Value;

use super::{
    owner::{ClaimOwner, Owner},
    record::{DeviceRecord, Record},
};
use crate::{device::DeviceId, files::Disk, paths::Paths};

/// Major version of the record's format that this build writes and reads.
pub const VERSION: u32 = 1;

/// The longest file name that Linux' file systems take.
const LONGEST_NAME: usize = 255;
const MORE: &str = "more";

/// The records of one kind of owner on this node; of claims unless said otherwise.
#[derive(Debug, Clone)]
pub struct Store<O: Owner = ClaimOwner> {
    dir: PathBuf,
    disk: Disk,
    owner: PhantomData<fn() -> O>,
}

/// A record as found on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry<O: Owner = ClaimOwner> {
    /// It can be read.
    Readable(Box<Record<O>>),
    /// It cannot; it is kept, and its devices are out of use.
    Unreadable {
        /// The owner, from the file's name.
        key: O::Key,
        /// Devices, from the file's name.
        devices: Vec<DeviceId>,
        /// What is wrong with it.
        why: String,
    },
}

/// What a record's file name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title<K> {
    /// The owner.
    pub key: K,
    /// The devices that it holds, as far as they fit.
    pub devices: Vec<DeviceId>,
    /// There are more devices than fit in the name.
    pub more: bool,
}

/// A record's file, and what its name says.
type File<O> = (PathBuf, Title<<O as Owner>::Key>);

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
        "record of {owner}: {why}; it is kept, and its devices stay out of use until it is released by hand"
    )]
    Unreadable {
        /// Whose: `claim` and its UID.
        owner: String,
        /// What is wrong with it.
        why: String,
    },
}

impl<O: Owner> Store<O> {
    /// The records of this kind of owner, in its directory.
    #[must_use]
    pub fn new(paths: &Paths, disk: Disk) -> Self {
        Self {
            dir: O::dir(paths),
            disk,
            owner: PhantomData,
        }
    }

    /// What changes files here, for those who change others that go with a record.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// The record of an owner, if it has one.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when it has one that cannot be understood.
    pub fn load(&self, key: &O::Key) -> Result<Option<Record<O>>, StoreError> {
        let Some((path, title)) = self
            .files()?
            .into_iter()
            .find(|(_, title)| title.key == *key)
        else {
            return Ok(None);
        };
        match read(&path, title) {
            Some(Entry::Readable(record)) => Ok(Some(*record)),
            Some(Entry::Unreadable { key, why, .. }) => Err(StoreError::Unreadable {
                owner: format!("{} {key}", O::KIND),
                why,
            }),
            None => Ok(None),
        }
    }

    /// Writes a record, whole or not at all.
    ///
    /// # Errors
    /// The file system's.
    pub fn save(&self, record: &Record<O>) -> Result<(), StoreError> {
        let path = self.dir.join(file_name(record));
        let text =
            serde_json::to_vec_pretty(record).map_err(|error| io_error(&path, error.into()))?;
        self.disk
            .write(&path, &text, 0o600)
            .map_err(|error| io_error(&path, error))?;
        self.remove_but(record.owner.key(), Some(&path))
    }

    /// Forgets an owner; nothing to forget is success.
    ///
    /// # Errors
    /// The file system's.
    pub fn remove(&self, key: &O::Key) -> Result<(), StoreError> {
        self.remove_but(key, None)
    }

    /// All records, by key.
    ///
    /// # Errors
    /// The directory cannot be read. A record that cannot be is an [`Entry::Unreadable`].
    pub fn all(&self) -> Result<Vec<Entry<O>>, StoreError> {
        Ok(self
            .files()?
            .into_iter()
            .filter_map(|(path, title)| read(&path, title))
            .collect())
    }

    /// What the records' names say, without reading them.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn titles(&self) -> Result<Vec<Title<O::Key>>, StoreError> {
        Ok(self.files()?.into_iter().map(|(_, title)| title).collect())
    }

    /// Whether this owner has a record, readable or not.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn has(&self, key: &O::Key) -> Result<bool, StoreError> {
        Ok(self.files()?.iter().any(|(_, title)| title.key == *key))
    }

    /// Who holds one of these devices. A file is read only when its name does not say all.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn holder(
        &self,
        devices: &BTreeSet<DeviceId>,
    ) -> Result<Option<(DeviceId, O::Key)>, StoreError> {
        for (path, title) in self.files()? {
            let key = title.key.clone();
            let mut held = title.devices.clone();
            if title.more {
                held.extend(read::<O>(&path, title).iter().flat_map(Entry::held));
            }
            if let Some(device) = held.into_iter().find(|device| devices.contains(device)) {
                return Ok(Some((device, key)));
            }
        }
        Ok(None)
    }

    fn files(&self) -> Result<Vec<File<O>>, StoreError> {
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
                    .and_then(Title::<O::Key>::read)
                    .map(|title| (entry.path(), title)),
            );
        }
        files.sort_by(|(_, one), (_, other)| one.key.cmp(&other.key));
        Ok(files)
    }

    fn remove_but(&self, key: &O::Key, keep: Option<&Path>) -> Result<(), StoreError> {
        for (path, title) in self.files()? {
            if title.key == *key && Some(path.as_path()) != keep {
                self.disk
                    .remove(&path)
                    .map_err(|error| io_error(&path, error))?;
            }
        }
        Ok(())
    }
}

impl<O: Owner> Entry<O> {
    /// What identifies the owner; a claim's UID.
    #[must_use]
    pub fn key(&self) -> &O::Key {
        match self {
            Self::Readable(record) => record.owner.key(),
            Self::Unreadable { key, .. } => key,
        }
    }

    /// The devices that nobody else may have.
    #[must_use]
    pub fn held(&self) -> Vec<DeviceId> {
        match self {
            Self::Readable(record) => record.held().collect(),
            Self::Unreadable { devices, .. } => devices.clone(),
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
    pub fn record(self) -> Option<Record<O>> {
        match self {
            Self::Readable(record) => Some(*record),
            Self::Unreadable { .. } => None,
        }
    }
}

impl<K: FromStr> Title<K> {
    /// Reads a file's name; none for files that are not records.
    fn read(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".json")?.split('+');
        let key = parts.next()?.parse().ok()?;
        let (mut devices, mut more) = (Vec::new(), false);
        for part in parts {
            match DeviceId::from_name(part) {
                Ok(device) => devices.push(device),
                Err(_) => more = true,
            }
        }
        Some(Self { key, devices, more })
    }
}

/// `<key>+<device>….json`, cut with `+more` where it gets too long.
fn file_name<O: Owner>(record: &Record<O>) -> String {
    let longest = LONGEST_NAME - MORE.len() - ".json".len() - 1;
    let mut name = record.owner.key().to_string();
    for device in record.held() {
        let part = device.name();
        if name.len() + 1 + part.len() > longest {
            name = format!("{name}+{MORE}");
            break;
        }
        name = format!("{name}+{part}");
    }
    format!("{name}.json")
}

/// None: it has been removed meanwhile.
fn read<O: Owner>(path: &Path, title: Title<O::Key>) -> Option<Entry<O>> {
    let text = match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        text => text.map_err(|error| error.to_string()),
    };
    let parsed = text.as_deref().map_err(Clone::clone).and_then(parse);
    let record = parsed.and_then(|record: Record<O>| match *record.owner.key() == title.key {
        true => Ok(record),
        false => Err(format!(
            "its content is of {} {}",
            O::KIND,
            record.owner.key()
        )),
    });
    Some(match record {
        Ok(record) => Entry::Readable(Box::new(record)),
        Err(why) => Entry::Unreadable {
            devices: match (&text, title.more) {
                (Ok(text), true) => also_held(text, title.devices),
                _ => title.devices,
            },
            key: title.key,
            why,
        },
    })
}

/// The devices of the file's name, and those that did not fit in it, as far as a record that this
/// version cannot read still lists them.
fn also_held(text: &[u8], mut devices: Vec<DeviceId>) -> Vec<DeviceId> {
    let value: Value = serde_json::from_slice(text).unwrap_or_default();
    let listed = value["devices"].as_array().into_iter().flatten();
    let held = listed.filter(|device| device["adminAccess"] != true);
    for id in held.filter_map(|device| DeviceId::deserialize(&device["id"]).ok()) {
        if !devices.contains(&id) {
            devices.push(id);
        }
    }
    devices
}

/// Reads a record of this major version; fields that a later minor one has added are kept.
fn parse<O: Owner>(text: &[u8]) -> Result<Record<O>, String> {
    #[derive(Deserialize)]
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
