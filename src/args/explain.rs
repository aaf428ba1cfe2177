//! Flags of `explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Flags of `explain`.
#[derive(Debug, Clone, Args)]
pub struct ExplainArgs {
    /// A ResourceClaim, ResourceClaimTemplate or DeviceClass: NAME, NAMESPACE/NAME, or with its kind as in class/NAME.
    #[arg(value_name = "CLAIM|CLASS")]
    pub subject: String,
    /// The namespace of a name that does not say its own.
    #[arg(short, long, default_value = "default")]
    pub namespace: String,
    /// Manifests to take instead of the cluster: claims, classes, slices, as YAML or JSON; - is standard input.
    #[arg(short, long)]
    pub file: Vec<PathBuf>,
    /// One line for each device, not for each reason.
    #[arg(long)]
    pub all: bool,
    /// Name of the driver.
    #[arg(long, env = "SRIOV_DRA_DRIVER_NAME", default_value = "sriov-dra.io")]
    pub driver_name: String,
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = Report::Table)]
    pub output: Report,
}

/// Forms of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// For people.
    Table,
    /// Stable, for programs.
    Json,
}
