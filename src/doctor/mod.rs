//! Checks whether a node meets the requirements of the driver, and how to fix what is missing.
//!
//! ```text
//!  /proc, /sys, /etc, sockets ─► gather ─► Facts ─► run_checks ─► findings with remedies
//! ```
//!
//! Reads only, changes nothing. [`run_checks`] does no I/O; what could not be read is reported as
//! unknown, never as ok.

mod checks;
mod containerd;
mod crio;
mod gather;
mod host_paths;
mod kubelet;
mod layout;
mod process;
mod runtime;
#[cfg(test)]
mod tests;
mod toml_file;

pub use checks::run_checks;
pub use gather::gather;
pub use host_paths::HostPaths;
pub use kubelet::Kubelet;
pub use runtime::{Kind, Runtime, Settings};

use serde::Serialize;

/// Result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As required.
    #[serde(rename = "fine")]
    Ok,
    /// Cannot be read from here.
    Unknown,
    /// The driver works, but a feature is missing or may not work as expected.
    Warning,
    /// The driver does not work.
    #[serde(rename = "broken")]
    Error,
}

impl Verdict {
    /// As printed.
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

/// Result of a check, with details.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Name of the check.
    pub check: &'static str,
    /// Result.
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// How to fix it; empty if ok.
    pub remedy: String,
}

/// A kernel module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Module {
    /// Loaded or built in.
    Loaded,
    /// Installed but not loaded.
    Loadable,
    /// Not installed.
    Missing,
}

/// A physical function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pf {
    /// PCI address.
    pub address: String,
    /// `sriov_numvfs`.
    pub num_vfs: u32,
    /// `sriov_totalvfs`.
    pub total_vfs: u32,
}

/// Facts about a node. `None`: cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// `--root`.
    pub root: String,
    /// The root has files of a node.
    pub is_node: bool,
    /// How many IOMMU groups.
    pub iommu_groups: Option<usize>,
    /// `/proc/cmdline`.
    pub command_line: Option<String>,
    /// `vendor_id` of `/proc/cpuinfo`.
    pub processor: Option<String>,
    /// Kernel modules by name, with `_`.
    pub modules: Vec<(&'static str, Option<Module>)>,
    /// The container runtime.
    pub runtime: Option<Runtime>,
    /// The directory of CDI specs.
    pub cdi: String,
    /// The NRI socket exists.
    pub nri: Option<bool>,
    /// Where it is looked for.
    pub nri_socket: String,
    /// The kubelet's configuration.
    pub kubelet: Option<Kubelet>,
    /// The kubelet's `plugins_registry` exists.
    pub registry: bool,
    /// Another directory that is the kubelet's root directory.
    pub kubelet_root: Option<String>,
    /// The state directory is on a tmpfs; `None`: it does not exist.
    pub state_in_memory: Option<bool>,
    /// Number of processes visible from here.
    pub processes: usize,
    /// Other programs that run here and allocate the same devices.
    pub other_allocators: Vec<&'static str>,
    /// Resources of device plugins, and how many network functions of this node each has.
    pub plugin_resources: Vec<(String, usize)>,
    /// PFs of network devices.
    pub pfs: Vec<Pf>,
    /// RDMA devices are shared by all network namespaces, or each exclusive to one; `None`: no
    /// RDMA.
    pub rdma_shared: Option<bool>,
    /// Whether NetworkManager has unmanaged devices configured; `None`: it does not run.
    pub network_manager: Option<bool>,
}
