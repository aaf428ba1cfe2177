//! Flags of `doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::PathArgs;

/// Flags of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// The node's root file system: `/host` in a pod of `kubectl debug node/NAME`.
    #[arg(long, default_value = "/")]
    pub root: PathBuf,
    /// Output format.
    #[arg(short, long, value_enum, default_value_t = DoctorOutput::Table)]
    pub output: DoctorOutput,
    /// Paths on the host.
    #[command(flatten)]
    pub paths: PathArgs,
}

/// Formats of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorOutput {
    /// Human-readable.
    Table,
    /// Machine-readable and stable.
    Json,
}
