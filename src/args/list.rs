//! Flags of `list`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{KubeconfigArgs, names};

/// Flags of `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// List the devices of all nodes from the cluster's slices and claims, instead of the functions
    /// of this host. Only needs a kubeconfig.
    #[arg(long, group = "of_cluster")]
    pub cluster: bool,
    /// Which cluster.
    #[command(flatten)]
    pub kubeconfig: KubeconfigArgs,
    /// Read files instead of the cluster: manifests with slices and claims, as YAML or JSON, or a
    /// host that `sriov-dra record` wrote. Use - for standard input.
    #[arg(short, long, group = "of_cluster")]
    pub file: Vec<PathBuf>,
    /// List only this node of the cluster.
    #[arg(long, requires = "of_cluster")]
    pub node: Option<String>,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io", value_parser = names::driver)]
    pub driver_name: String,
    /// Name of this Kubernetes node. Default: the host name.
    #[arg(long, env = "SRIOV_DRA_NODE_NAME")]
    pub node_name: Option<String>,
    /// config.json with the pools, or a directory of them, as for `node`. Used if the cluster
    /// cannot be reached.
    #[arg(long, env = "SRIOV_DRA_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
    /// Resource prefix of pools that do not set one.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com", value_parser = names::prefix)]
    pub resource_prefix: String,
    /// Directory of the agent's state.
    #[arg(long, env = "SRIOV_DRA_STATE_DIR", default_value = "/run/sriov-dra")]
    pub state_dir: PathBuf,
    /// Output format.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Output formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Human-readable.
    Table,
    /// Human-readable with more columns: PCI IDs, NUMA node, PCIe root, and IOMMU group or link
    /// speed.
    Wide,
    /// Machine-readable and stable.
    Json,
    /// The same content as JSON.
    Yaml,
}
