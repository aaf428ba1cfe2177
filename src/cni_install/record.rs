//! What was installed into a directory and by whom: a file beside the plugin, so that both are lost or
//! kept together, whatever becomes of the rest of the node.

use std::{
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{SRIOV, read};
use crate::files::{remove, write_durable};

/// How many of our own earlier versions are remembered.
const REMEMBERED: usize = 16;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record {
    /// UID of the pod that installed the plugin last; `""` if none did.
    #[serde(default)]
    pub(super) installed_by: String,
    /// Checksums of the plugins that were installed, the newest last: any other is another's.
    #[serde(default)]
    checksums: Vec<String>,
    /// The types of networks whose plugin it is. Earlier versions had `sriov` only.
    #[serde(default = "sriov")]
    plugins: Vec<String>,
    /// Whether a plugin of another origin was to be kept.
    #[serde(default)]
    keep_original: bool,
}

fn sriov() -> Vec<String> {
    vec![SRIOV.to_owned()]
}

impl Record {
    /// None: there is none, or none that can be read.
    pub(super) fn read(bin_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&read(&path(bin_dir)).ok()??).ok()
    }

    pub(super) fn is_ours(&self, plugin: &[u8]) -> bool {
        self.checksums.contains(&checksum(plugin))
    }

    pub(super) fn add(&mut self, plugin: &[u8]) {
        let new = checksum(plugin);
        self.checksums.retain(|known| *known != new);
        self.checksums.push(new);
        let old = self.checksums.len().saturating_sub(REMEMBERED);
        self.checksums.drain(..old);
    }

    /// The types of networks whose plugin was installed.
    pub(super) fn kinds(&self) -> &[String] {
        &self.plugins
    }

    /// Those of them that an installation of these only does not have.
    pub(super) fn leaves(&self, kinds: &[&str]) -> Vec<String> {
        let unwanted = |kind: &&String| !kinds.contains(&kind.as_str());
        self.plugins.iter().filter(unwanted).cloned().collect()
    }

    pub(super) fn keeps_original(&self) -> bool {
        self.keep_original
    }

    pub(super) fn is_of(&mut self, kinds: &[&str], keep_original: bool) {
        self.keep_original = keep_original;
        self.plugins = kinds.iter().map(|kind| (*kind).to_owned()).collect();
    }

    pub(super) fn write(&self, bin_dir: &Path) -> io::Result<()> {
        write_durable(&path(bin_dir), &serde_json::to_vec(self)?, 0o644)
    }

    pub(super) fn remove(bin_dir: &Path) -> io::Result<()> {
        remove(&path(bin_dir))
    }
}

fn path(bin_dir: &Path) -> PathBuf {
    bin_dir.join(".sriov-dra.json")
}

/// Length and 64 bits of FNV-1a: whether it is one of ours, no protection against anybody.
fn checksum(bytes: &[u8]) -> String {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{}-{hash:016x}", bytes.len())
}
