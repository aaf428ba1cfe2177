//! Spec files in the directory that the runtime reads.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use super::Spec;
use crate::files;

/// Only the runtime reads specs, as root. They have what a claim sets as environment variables.
const MODE: u32 = 0o600;

/// Writes the spec of a claim.
///
/// # Errors
/// The file system's, with the file's path.
pub fn write(dir: &Path, driver: &str, uid: impl fmt::Display, spec: &Spec) -> io::Result<()> {
    let path = file(dir, driver, uid);
    let mut text = serde_json::to_vec_pretty(spec)?;
    text.push(b'\n');
    files::write_atomic(&path, &text, MODE).map_err(|error| with_path(&path, &error))
}

/// Whether the spec of a claim exists.
#[must_use]
pub fn exists(dir: &Path, driver: &str, uid: impl fmt::Display) -> bool {
    file(dir, driver, uid).exists()
}

/// Removes the spec of a claim. Succeeds if it does not exist.
///
/// # Errors
/// The file system's, with the file's path.
pub fn remove(dir: &Path, driver: &str, uid: impl fmt::Display) -> io::Result<()> {
    let path = file(dir, driver, uid);
    files::remove(&path).map_err(|error| with_path(&path, &error))
}

/// Removes this driver's specs of claims for which `keep` is false. Files of other drivers are
/// never touched.
///
/// # Errors
/// The file system's.
pub fn remove_orphans(dir: &Path, driver: &str, keep: impl Fn(&str) -> bool) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if claim_of(name, driver).is_some_and(|uid| !keep(uid)) {
            files::remove(&path)?;
        }
    }
    Ok(())
}

fn prefix(driver: &str) -> String {
    format!("{driver}-claim_")
}

fn file(dir: &Path, driver: &str, uid: impl fmt::Display) -> PathBuf {
    dir.join(format!("{}{uid}.json", prefix(driver)))
}

fn claim_of<'a>(name: &'a str, driver: &str) -> Option<&'a str> {
    name.strip_prefix(&prefix(driver))?.strip_suffix(".json")
}

fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
