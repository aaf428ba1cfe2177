//! Flags of `explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{KubeconfigArgs, names};

/// Flags of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// A ResourceClaim, ResourceClaimTemplate or DeviceClass: NAME, NAMESPACE/NAME, or with its
    /// kind as in class/NAME. pod/NAME: all claims of the pod.
    #[arg(value_name = "CLAIM|CLASS|pod/NAME")]
    pub subject: String,
    /// Namespace of a NAME without one. Default: that of the kubeconfig's context; of manifests,
    /// default.
    #[arg(short, long, value_parser = names::namespace)]
    pub namespace: Option<String>,
    /// The cluster.
    #[command(flatten)]
    pub cluster: KubeconfigArgs,
    /// Read manifests instead of the cluster: claims, classes and slices, as YAML or JSON. Use -
    /// for standard input.
    #[arg(short, long)]
    pub file: Vec<PathBuf>,
    /// Print one line per device instead of one per reason, and the constraints of every node.
    #[arg(long, visible_alias = "verbose")]
    pub all: bool,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io", value_parser = names::driver)]
    pub driver_name: String,
    /// Resource prefix of pools that do not set one.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com", value_parser = names::prefix)]
    pub resource_prefix: String,
    /// Output format.
    #[arg(short, long, value_enum, default_value_t = Report::Table)]
    pub output: Report,
}

/// Formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// Human-readable.
    Table,
    /// Machine-readable and stable.
    Json,
}
