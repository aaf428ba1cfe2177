//! A part of sysfs as text: directories, in each the files with their content, and links as `->
//! TARGET`.

use std::{collections::BTreeMap, fs, io, os::unix::fs::symlink, path::Path};

use serde::{Deserialize, Serialize};

/// By directory, relative to sysfs' root, as are the targets of links.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SysfsTree(BTreeMap<String, BTreeMap<String, String>>);

const LINK: &str = "-> ";

impl SysfsTree {
    /// Whether nothing is recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A file with this content.
    pub fn file(&mut self, dir: &str, name: &str, content: impl ToString) {
        self.0
            .entry(dir.to_owned())
            .or_default()
            .insert(name.to_owned(), content.to_string());
    }

    /// A directory, which may stay empty.
    pub fn dir(&mut self, dir: &str) {
        self.0.entry(dir.to_owned()).or_default();
    }

    /// A link to another directory of the tree.
    pub fn link(&mut self, dir: &str, name: &str, target: &str) {
        self.file(dir, name, format!("{LINK}{target}"));
    }

    /// Whether the directory has such an entry.
    #[must_use]
    pub fn has(&self, dir: &str, name: &str) -> bool {
        self.0
            .get(dir)
            .is_some_and(|entries| entries.contains_key(name))
    }

    /// Writes all below a directory.
    pub(in crate::host) fn unpack(&self, root: &Path) -> io::Result<()> {
        for (dir, entries) in &self.0 {
            let dir = root.join(dir);
            fs::create_dir_all(&dir)?;
            for (name, content) in entries {
                match content.strip_prefix(LINK) {
                    Some(target) => symlink(root.join(target), dir.join(name))?,
                    None => io::Write::write_all(
                        &mut fs::File::create_new(dir.join(name))?,
                        format!("{content}\n").as_bytes(),
                    )?,
                }
            }
        }
        Ok(())
    }
}
