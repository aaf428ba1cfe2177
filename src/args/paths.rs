//! Paths on the host.

use std::path::PathBuf;

use clap::Args;

use crate::paths::Paths;

/// Paths on the host, for hosts that do not use the defaults.
#[derive(Debug, Clone, Args)]
pub struct PathArgs {
    /// The kubelet's root directory.
    #[arg(
        long,
        env = "SRIOV_DRA_KUBELET_ROOT",
        default_value = "/var/lib/kubelet"
    )]
    pub kubelet_root: PathBuf,
    /// Directory of CDI specs that the container runtime reads.
    #[arg(long, env = "SRIOV_DRA_CDI_ROOT", default_value = "/var/run/cdi")]
    pub cdi_root: PathBuf,
    /// Directory of the agent's state. Should be on a tmpfs, which a reboot clears.
    #[arg(long, env = "SRIOV_DRA_STATE_DIR", default_value = "/run/sriov-dra")]
    pub state_dir: PathBuf,
    /// The container runtime's NRI socket.
    #[arg(
        long,
        env = "SRIOV_DRA_NRI_SOCKET",
        default_value = "/var/run/nri/nri.sock"
    )]
    pub nri_socket: PathBuf,
}

impl PathArgs {
    /// Converts to the paths that all modules use.
    #[must_use]
    pub fn to_paths(&self) -> Paths {
        Paths {
            kubelet: self.kubelet_root.clone(),
            cdi: self.cdi_root.clone(),
            run: self.state_dir.clone(),
            nri: self.nri_socket.clone(),
            ..Paths::default()
        }
    }
}
