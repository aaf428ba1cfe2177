//! Flags of `check` and `uninstall-check`.

use std::path::PathBuf;

use clap::Args;

use super::names;

/// Flags of `check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// Directory of the agent's socket.
    #[arg(long, env = "SRIOV_DRA_STATE_DIR", default_value = "/run/sriov-dra")]
    pub state_dir: PathBuf,
    /// UID of the agent's pod, as for `node`.
    #[arg(long, env = "SRIOV_DRA_POD_UID", default_value = "")]
    pub pod_uid: String,
    /// Check readiness instead of liveness.
    #[arg(long)]
    pub ready: bool,
    /// Print the metrics instead.
    #[arg(long, conflicts_with = "ready")]
    pub metrics: bool,
}

/// Flags of `uninstall-check`.
#[derive(Debug, Clone, Args)]
pub struct UninstallCheckArgs {
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io", value_parser = names::driver)]
    pub driver_name: String,
}
