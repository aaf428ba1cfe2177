//! `cni install` and `cni uninstall`: the CNI plugin's file on the node.
//!
//! ```text
//!  /sriov in the image ──► BIN_DIR/sriov          whole at any time: a temporary file, rename(2)
//!  BIN_DIR/sriov, not ours ──► BIN_DIR/sriov.orig and back
//!  checksums ──► BIN_DIR/.sriov-dra.json          before the plugin: a kill between them never makes
//!                                                 a version of ours the original
//!  flags ──► /etc/cni/net.d/sriov-dra.d/config.json
//! ```

mod exec;
mod install;
mod record;
#[cfg(test)]
mod tests;
mod uninstall;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::args::{CniArgs, CniCommand, CniPlace};

pub(super) fn run(args: &CniArgs) -> anyhow::Result<()> {
    let text = match &args.command {
        CniCommand::Install(args) => install::install(args)?,
        CniCommand::Uninstall(args) => uninstall::uninstall(args)?,
        CniCommand::Exec(args) => return exec::exec(args),
    };
    super::print(&text)
}

/// The plugin that the runtime calls.
fn plugin(place: &CniPlace) -> PathBuf {
    place.bin_dir.join("sriov")
}

/// What was there before it.
fn original(place: &CniPlace) -> PathBuf {
    place.bin_dir.join("sriov.orig")
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
