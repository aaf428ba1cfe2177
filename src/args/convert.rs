//! Flags of `convert`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags of `convert`.
#[derive(Debug, Clone, Args)]
pub struct ConvertArgs {
    /// config.json, or YAML or JSON of ConfigMaps, NetworkAttachmentDefinitions, Pods, Deployments and so on; `-` is
    /// standard input. All together: the networks of a pod may be in another file.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Form of the objects, on standard output.
    #[arg(short, long, value_enum, default_value_t = Documents::Yaml)]
    pub output: Documents,
    /// Form of the report, on standard error.
    #[arg(long, value_enum, default_value_t = ReportForm::Table)]
    pub report: ReportForm,
    /// Give pods claims even where they could stay as they are.
    #[arg(long)]
    pub claims: bool,
    /// Exit code 1 if anything cannot be converted.
    #[arg(long)]
    pub strict: bool,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// Resource prefix of pools that do not set their own: what precedes the `/` in a pool's name.
    #[arg(long, env = "SRIOV_DRA_RESOURCE_PREFIX", default_value = "intel.com")]
    pub resource_prefix: String,
}

/// Forms of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Documents {
    /// For `kubectl apply -f`, and for people.
    Yaml,
    /// One List.
    Json,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportForm {
    /// For people.
    Table,
    /// Stable, for programs.
    Json,
}
