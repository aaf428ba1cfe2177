//! Flags of `list`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags of `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// All nodes' devices, from the cluster's slices and claims, instead of this host's functions. Needs no more than a
    /// kubeconfig.
    #[arg(long, group = "of_cluster")]
    pub cluster: bool,
    /// Manifests to take instead of the cluster: slices and claims, as YAML or JSON; - is standard input.
    #[arg(short, long, group = "of_cluster")]
    pub file: Vec<PathBuf>,
    /// Of the cluster, this node only.
    #[arg(long, requires = "of_cluster")]
    pub node: Option<String>,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// The Kubernetes node that this host is; its host name if absent.
    #[arg(long, env = "SRIOV_DRA_NODE_NAME")]
    pub node_name: Option<String>,
    /// The pools' config.json, or a directory of them, as given to `node`: for a host that cannot ask the cluster.
    #[arg(long, env = "SRIOV_DRA_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
    /// Resource prefix of pools that do not set their own: what precedes the `/` in a pool's name.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
    /// Records of claims.
    #[arg(long, env = "SRIOV_DRA_STATE_DIR", default_value = "/run/sriov-dra")]
    pub state_dir: PathBuf,
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    pub output: Output,
}

/// Forms of output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Table,
    /// For people with wide terminals: numbers, NUMA node, PCIe root, and the IOMMU group or the link's speed.
    Wide,
    /// Stable, for programs.
    Json,
    /// The same as YAML.
    Yaml,
}
