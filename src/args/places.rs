//! Places on the host.

use std::path::PathBuf;

use clap::Args;

use crate::paths::Paths;

/// Places on the host, for those who moved them.
#[derive(Debug, Clone, Args)]
pub struct PlaceArgs {
    /// The kubelet's root directory.
    #[arg(
        long,
        env = "SRIOV_DRA_KUBELET_ROOT",
        default_value = "/var/lib/kubelet"
    )]
    pub kubelet_root: PathBuf,
    /// Where the runtime reads CDI specs.
    #[arg(long, env = "SRIOV_DRA_CDI_ROOT", default_value = "/var/run/cdi")]
    pub cdi_root: PathBuf,
    /// Records of claims; a tmpfs, so that it dies with the boot.
    #[arg(long, env = "SRIOV_DRA_STATE_DIR", default_value = "/run/sriov-dra")]
    pub state_dir: PathBuf,
    /// The runtime's NRI socket.
    #[arg(
        long,
        env = "SRIOV_DRA_NRI_SOCKET",
        default_value = "/var/run/nri/nri.sock"
    )]
    pub nri_socket: PathBuf,
}

impl PlaceArgs {
    /// As the paths that everything else uses.
    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths {
            kubelet: self.kubelet_root.clone(),
            cdi: self.cdi_root.clone(),
            run: self.state_dir.clone(),
            nri: self.nri_socket.clone(),
            ..Paths::default()
        }
    }
}
