//! Flags of `cni`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::paths::AGENT_FILE;

/// Flags of `cni`.
#[derive(Debug, Clone, Args)]
pub struct CniArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: CniCommand,
}

/// Subcommands of `cni`.
#[derive(Debug, Clone, Subcommand)]
pub enum CniCommand {
    /// Copy the plugin into the runtime's directory, and write where the agent is.
    Install(CniInstallArgs),
    /// Remove the plugin and what was written, and put back the plugin that was there before.
    Uninstall(CniUninstallArgs),
    /// Execute a plugin with another root directory.
    #[command(hide = true)]
    Exec(CniExecArgs),
}

/// Flags of `cni exec`.
#[derive(Debug, Clone, Args)]
pub struct CniExecArgs {
    /// The plugin's root directory.
    #[arg(long)]
    pub root: PathBuf,
    /// The plugin, below it.
    pub plugin: PathBuf,
}

/// Where the plugin is on the node.
#[derive(Debug, Clone, Args)]
pub struct CniPlace {
    /// Directory in which the container runtime finds CNI plugins.
    #[arg(long, default_value = "/opt/cni/bin")]
    pub bin_dir: PathBuf,
    /// The file that says where the agent is. Only for tests: the plugin reads the
    /// default.
    #[arg(long, default_value = AGENT_FILE, hide = true)]
    pub config: PathBuf,
    /// UID of the agent's pod.
    #[arg(long, env = "SRIOV_DRA_POD_UID", default_value = "")]
    pub pod_uid: String,
}

/// Flags of `cni install`.
#[derive(Debug, Clone, Args)]
pub struct CniInstallArgs {
    /// Where.
    #[command(flatten)]
    pub place: CniPlace,
    /// The plugin. Default: `sriov` beside this executable.
    #[arg(long)]
    pub plugin: Option<PathBuf>,
    /// Install it as `ib-sriov` as well, for InfiniBand networks.
    #[arg(long)]
    pub infiniband: bool,
    /// Keep a plugin of another origin that is there, as `sriov.orig`.
    #[arg(long)]
    pub keep_original: bool,
    /// Directory of the agent's state on the node.
    #[arg(long, env = "SRIOV_DRA_STATE_DIR", default_value = "/run/sriov-dra")]
    pub state_dir: PathBuf,
    /// Directory of CDI specs on the node.
    #[arg(long, env = "SRIOV_DRA_CDI_ROOT", default_value = "/var/run/cdi")]
    pub cdi_root: PathBuf,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
}

/// Flags of `cni uninstall`.
#[derive(Debug, Clone, Args)]
pub struct CniUninstallArgs {
    /// Where.
    #[command(flatten)]
    pub place: CniPlace,
    /// Do nothing if another pod than --pod-uid has installed the plugin since.
    #[arg(long)]
    pub own: bool,
}
