//! What a node lacks for this driver, and how to mend it.
//!
//! ```text
//!  /proc, /sys, /etc, sockets ─► gather ─► Facts ─► run_checks ─► findings with remedies
//! ```
//!
//! Reads only, changes nothing. [`run_checks`] is pure; what could not be seen is said to be unknown, never to be fine.

mod checks;
mod gather;
mod runtime;
#[cfg(test)]
mod tests;

pub use checks::run_checks;
pub use gather::{HostPaths, gather};

use serde::Serialize;

/// What a check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    #[serde(rename = "fine")]
    Ok,
    /// Could not be seen from here.
    Unknown,
    /// Works without; something is missing or may surprise.
    Warning,
    /// The driver cannot do its work.
    #[serde(rename = "broken")]
    Error,
}

impl Verdict {
    /// As shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One check's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, one or two words.
    pub check: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; empty when fine.
    pub remedy: String,
}

/// A kernel module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// Loaded or built in.
    Loaded,
    /// On the disk.
    Loadable,
    /// Neither.
    Missing,
}

/// A PF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pf {
    /// PCI address.
    pub address: String,
    /// `sriov_numvfs`.
    pub num_vfs: u32,
    /// `sriov_totalvfs`.
    pub total_vfs: u32,
}

/// What was gathered. `None`: could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// How many IOMMU groups.
    pub iommu_groups: Option<usize>,
    /// `/proc/cmdline`.
    pub command_line: Option<String>,
    /// The processor's maker, as in `/proc/cpuinfo`.
    pub processor: Option<String>,
    /// By name, with `_`.
    pub modules: Vec<(&'static str, Option<Module>)>,
    /// containerd's config.toml.
    pub containerd: Option<String>,
    /// CRI-O is configured.
    pub crio: bool,
    /// The CDI directory exists.
    pub cdi: bool,
    /// NRI's socket exists.
    pub nri: bool,
    /// The kubelet's config.yaml.
    pub kubelet: Option<String>,
    /// The kubelet's `plugins_registry` exists.
    pub registry: bool,
    /// The state directory is in memory; `None`: it does not exist.
    pub state_in_memory: Option<bool>,
    /// How many processes are seen from here.
    pub processes: usize,
    /// Names of others' programs that run here and give the same devices away.
    pub other_allocators: Vec<&'static str>,
    /// PFs of network cards.
    pub pfs: Vec<Pf>,
    /// RDMA devices are seen in all network namespaces, or each in one; `None`: there is no RDMA.
    pub rdma_shared: Option<bool>,
    /// NetworkManager runs; whether some devices are told to be none of its business.
    pub network_manager: Option<bool>,
}
