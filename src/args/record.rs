//! Flags of `record`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `record`.
#[derive(Debug, Clone, Args)]
pub struct RecordArgs {
    /// Output file. Default, and for -: standard output.
    #[arg(short, long)]
    pub out: Option<PathBuf>,
}
