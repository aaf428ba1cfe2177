//! Flags of `convert`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags of `convert`.
#[derive(Debug, Clone, Args)]
pub struct ConvertArgs {
    /// config.json, or YAML or JSON of ConfigMaps, NetworkAttachmentDefinitions, Pods, Deployments
    /// and so on. Use - for standard input. All files are converted together: the networks of a pod
    /// can be in another file.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Format of the objects, on standard output.
    #[arg(short, long, value_enum, default_value_t = Documents::Yaml)]
    pub output: Documents,
    /// Format of the report, on standard error.
    #[arg(long, value_enum, default_value_t = ReportFormat::Table)]
    pub report: ReportFormat,
    /// Convert pods to claims even if they could be left unchanged.
    #[arg(long)]
    pub claims: bool,
    /// Exit with code 1 if anything is unsupported.
    #[arg(long)]
    pub strict: bool,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// Resource prefix of pools that do not set one.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
}

/// Formats of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Documents {
    /// YAML documents, for `kubectl apply -f`.
    Yaml,
    /// A List in JSON.
    Json,
}

/// Formats of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Human-readable.
    Table,
    /// Machine-readable and stable.
    Json,
}
