//! Flags of the agent.

use std::path::PathBuf;

use clap::Args;

use super::{LogFormat, PlaceArgs};
use crate::inventory::Pattern;

/// Flags of `node`.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// The Kubernetes node that this is.
    #[arg(long, env = "SRIOV_DRA_NODE_NAME")]
    pub node_name: String,
    /// Name of the driver: API group, attribute domain and CDI vendor as well.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// UID of the agent's own pod: two agents serve side by side during a rolling update.
    #[arg(long, env = "SRIOV_DRA_POD_UID", default_value = "")]
    pub pod_uid: String,
    /// Functions that are published and prepared, no others: PCI addresses, names of PFs, numbers as in 8086:154c or
    /// 15b3:*. A PF stands for its VFs and SFs too. Default: all.
    #[arg(long, env = "SRIOV_DRA_INCLUDE", value_delimiter = ',')]
    pub include: Vec<Pattern>,
    /// Functions that are never published nor prepared, in the same form; over --include.
    #[arg(long, env = "SRIOV_DRA_EXCLUDE", value_delimiter = ',')]
    pub exclude: Vec<Pattern>,
    /// The SR-IOV device plugin's config.json: pools of devices. Or a directory with a file per node name, else
    /// `config.json`. Read again when it changes.
    #[arg(long, env = "SRIOV_DRA_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
    /// Resource prefix of pools that do not set their own: what precedes the `/` in a pool's name.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
    /// The namespace whose SriovResourcePolicies and DeviceAttributes apply, those of the Go DRA driver; none if absent.
    #[arg(long, env = "SRIOV_DRA_POLICY_NAMESPACE")]
    pub policy_namespace: Option<String>,
    /// Drivers that a claim may bind besides the one that a function has.
    #[arg(
        long,
        env = "SRIOV_DRA_ALLOW_DRIVERS",
        value_delimiter = ',',
        default_value = "vfio-pci"
    )]
    pub allow_drivers: Vec<String>,
    /// Places on the host.
    #[command(flatten)]
    pub places: PlaceArgs,
    /// Which log lines: a level, or targets as in `info,sriov_dra::claim=debug`.
    #[arg(long, env = "SRIOV_DRA_LOG", default_value = "info")]
    pub log: String,
    /// Form of the log lines.
    #[arg(long, env = "SRIOV_DRA_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}
