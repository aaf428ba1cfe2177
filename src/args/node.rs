//! Flags of the agent.

use std::path::PathBuf;

use clap::Args;

use super::{LogFormat, PathArgs};
use crate::inventory::Pattern;

/// Flags of `node`.
#[derive(Debug, Clone, Args)]
pub struct NodeArgs {
    /// Name of this Kubernetes node.
    #[arg(long, env = "SRIOV_DRA_NODE_NAME")]
    pub node_name: String,
    /// Name of the driver: API group, attribute domain and CDI vendor as well.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// UID of the agent's own pod, so that two agents can run side by side during a rolling update.
    #[arg(long, env = "SRIOV_DRA_POD_UID", default_value = "")]
    pub pod_uid: String,
    /// Publish and prepare only these functions: PCI addresses, names of PFs, or PCI IDs such as
    /// 8086:154c or 15b3:*. A PF includes its VFs and SFs. Default: all.
    #[arg(long, env = "SRIOV_DRA_INCLUDE", value_delimiter = ',')]
    pub include: Vec<Pattern>,
    /// Never publish or prepare these functions, in the same form. Takes precedence over --include.
    #[arg(long, env = "SRIOV_DRA_EXCLUDE", value_delimiter = ',')]
    pub exclude: Vec<Pattern>,
    /// The SR-IOV device plugin's config.json with the pools, or a directory with one file per node
    /// name and `config.json` as the default. Reloaded when it changes.
    #[arg(long, env = "SRIOV_DRA_CONFIG_FILE")]
    pub config_file: Option<PathBuf>,
    /// Resource prefix of pools that do not set one.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
    /// Namespace of the SriovResourcePolicies and DeviceAttributes (of the Go DRA driver) to apply.
    /// Default: none.
    #[arg(long, env = "SRIOV_DRA_POLICY_NAMESPACE")]
    pub policy_namespace: Option<String>,
    /// Drivers that claims may bind to a function, in addition to its current one.
    #[arg(
        long,
        env = "SRIOV_DRA_ALLOW_DRIVERS",
        value_delimiter = ',',
        default_value = "vfio-pci"
    )]
    pub allow_drivers: Vec<String>,
    /// Let VFIO serve functions that no IOMMU confines: their users can read and write all memory
    /// of the node. It also needs enable_unsafe_noiommu_mode=1 of the module vfio.
    #[arg(long = "allow-noiommu", env = "SRIOV_DRA_ALLOW_NOIOMMU")]
    pub allow_no_iommu: bool,
    /// Read the networks that pods select by annotation, so that Multus and the CNI binary attach
    /// the devices that those take.
    #[arg(long, env = "SRIOV_DRA_CNI")]
    pub cni: bool,
    /// Directory that the CNI plugin was installed into: report when another program replaces it
    /// there. Default: none is looked after.
    #[arg(long, env = "SRIOV_DRA_CNI_BIN_DIR")]
    pub cni_bin_dir: Option<PathBuf>,
    /// Install the CNI plugin again when another program has replaced it.
    #[arg(long, env = "SRIOV_DRA_CNI_REINSTALL")]
    pub cni_reinstall: bool,
    /// Run the IPAM plugins that DeviceClasses ask for, from these directories of the host,
    /// separated by colons. Default: none are run.
    #[arg(long, env = "SRIOV_DRA_CNI_PATH", value_delimiter = ':')]
    pub cni_path: Vec<PathBuf>,
    /// Where the agent sees the host's root directory: IPAM plugins run with it as theirs.
    #[arg(long, env = "SRIOV_DRA_HOST_ROOT", default_value = "/")]
    pub host_root: PathBuf,
    /// Paths on the host.
    #[command(flatten)]
    pub paths: PathArgs,
    /// Log filter: a level, or levels by target as in `info,sriov_dra::claim=debug`.
    #[arg(long, env = "SRIOV_DRA_LOG", default_value = "info")]
    pub log: String,
    /// Log format.
    #[arg(long, env = "SRIOV_DRA_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}
