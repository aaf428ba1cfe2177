//! Flags of the controller.

use clap::Args;

use super::LogFormat;
use crate::cluster::ConfigMapName;

/// Flags of `controller`.
#[derive(Debug, Clone, Args)]
pub struct ControllerArgs {
    /// ConfigMaps of config.json, as NAMESPACE/NAME; every key is read.
    #[arg(long, env = "SRIOV_DRA_CONFIG_MAPS", value_delimiter = ',')]
    pub config_map: Vec<ConfigMapName>,
    /// ConfigMaps of any namespace by this label selector instead.
    #[arg(long, env = "SRIOV_DRA_CONFIG_LABEL", conflicts_with = "config_map")]
    pub config_label: Option<String>,
    /// The namespace whose SriovResourcePolicies and DeviceAttributes name pools too; none if absent.
    #[arg(long, env = "SRIOV_DRA_POLICY_NAMESPACE", required_unless_present_any = ["config_label", "config_map"])]
    pub policy_namespace: Option<String>,
    /// Resource prefix of pools that do not set their own: what precedes the `/` in a pool's name.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// Which log lines: a level, or targets as in `info,sriov_dra::controller=debug`.
    #[arg(long, env = "SRIOV_DRA_LOG", default_value = "info")]
    pub log: String,
    /// Form of the log lines.
    #[arg(long, env = "SRIOV_DRA_LOG_FORMAT", value_enum, default_value_t = LogFormat::Json)]
    pub log_format: LogFormat,
}
