//! Flags of `explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// A ResourceClaim, ResourceClaimTemplate or DeviceClass: NAME, NAMESPACE/NAME, or with its
    /// kind as in class/NAME.
    #[arg(value_name = "CLAIM|CLASS")]
    pub subject: String,
    /// Namespace of a NAME without one.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Read manifests instead of the cluster: claims, classes and slices, as YAML or JSON. Use -
    /// for standard input.
    #[arg(short, long)]
    pub file: Vec<PathBuf>,
    /// Print one line per device instead of one per reason.
    #[arg(long)]
    pub all: bool,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
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
