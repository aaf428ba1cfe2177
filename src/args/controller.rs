//! Flags of the controller.

use clap::Args;

use super::LogFormat;
use crate::cluster::ConfigMapName;

/// Flags of `controller`.
#[derive(Debug, Clone, Args)]
pub struct ControllerArgs {
    /// ConfigMaps with config.json, as NAMESPACE/NAME. All keys are read.
    #[arg(long, env = "SRIOV_DRA_CONFIG_MAPS", value_delimiter = ',')]
    pub config_map: Vec<ConfigMapName>,
    /// Label selector of ConfigMaps, instead of --config-map.
    #[arg(long, env = "SRIOV_DRA_CONFIG_LABEL", conflicts_with = "config_map")]
    pub config_label: Option<String>,
    /// Namespaces of the ConfigMaps that --config-label finds: whoever may write ConfigMaps there
    /// may create DeviceClasses. Default: all.
    #[arg(
        long,
        env = "SRIOV_DRA_CONFIG_NAMESPACES",
        value_delimiter = ',',
        requires = "config_label"
    )]
    pub config_namespace: Vec<String>,
    /// Namespace of SriovResourcePolicies and DeviceAttributes that define pools. Default: none.
    #[arg(long, env = "SRIOV_DRA_POLICY_NAMESPACE", required_unless_present_any = ["config_label", "config_map"])]
    pub policy_namespace: Option<String>,
    /// Resource prefix of pools that do not set one.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// Log filter: a level, or levels by target as in `info,sriov_dra::controller=debug`.
    #[arg(long, env = "SRIOV_DRA_LOG", default_value = "info")]
    pub log: String,
    /// Log format.
    #[arg(long, env = "SRIOV_DRA_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}
