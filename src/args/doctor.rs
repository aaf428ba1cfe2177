//! Flags of `doctor`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::PlaceArgs;

/// Flags of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Where the node's `/` is: `/host` in a pod of `kubectl debug node/NAME`.
    #[arg(long, default_value = "/")]
    pub root: PathBuf,
    /// Form of the output.
    #[arg(short, long, value_enum, default_value_t = DoctorOutput::Table)]
    pub output: DoctorOutput,
    /// Places on the host.
    #[command(flatten)]
    pub places: PlaceArgs,
}

/// Forms of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DoctorOutput {
    /// For people.
    Table,
    /// Stable, for programs.
    Json,
}
