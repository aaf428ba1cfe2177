//! The CNI plugin's file on the node: put there, looked after, and taken away.
//!
//! ```text
//!  /sriov in the image ──► BIN_DIR/sriov          whole at any time: a temporary file, rename(2)
//!  BIN_DIR/sriov, not ours ──► BIN_DIR/sriov.orig and back
//!  checksums ──► BIN_DIR/.sriov-dra.json          before the plugin: a kill between them never makes
//!                                                 a version of ours the original
//!  flags ──► /etc/cni/net.d/sriov-dra.d/config.json
//! ```
//!
//! A runtime executes the file that a network's `type` names, so the plugin for InfiniBand is the
//! same file under a second name. No link: whoever copies a plugin of that name to the node would
//! write through it.

mod install;
mod record;
mod replaced;
#[cfg(test)]
mod tests;
mod uninstall;

pub(crate) use install::{install, put_back};
pub(crate) use replaced::{Replaced, replaced};
pub(crate) use uninstall::uninstall;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::args::CniPlace;

/// The type of networks of Ethernet devices.
const SRIOV: &str = "sriov";
/// That of InfiniBand devices.
const IB_SRIOV: &str = "ib-sriov";

/// The plugin that the runtime executes for networks of this type.
fn plugin(place: &CniPlace, kind: &str) -> PathBuf {
    place.bin_dir.join(kind)
}

/// What was there before it.
fn original(place: &CniPlace, kind: &str) -> PathBuf {
    place.bin_dir.join(format!("{kind}.orig"))
}

/// Holds off whoever installs or uninstalls at the same time.
fn lock(place: &CniPlace) -> anyhow::Result<File> {
    let dir = &place.bin_dir;
    anyhow::ensure!(
        dir.is_dir(),
        "--bin-dir {}: no such directory; it must be where the container runtime finds CNI plugins",
        dir.display()
    );
    let file = File::open(dir).and_then(|file| file.lock().map(|()| file));
    file.with_context(|| format!("lock {}", dir.display()))
}

/// The file's bytes, if there is one.
fn read(path: &Path) -> anyhow::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        read => read
            .map(Some)
            .with_context(|| format!("read {}", path.display())),
    }
}
