//! Flags of `record`.

use std::path::PathBuf;

use clap::Args;

/// Flags of `record`.
#[derive(Debug, Clone, Args)]
pub struct RecordArgs {
    /// The file to write; standard output if absent.
    #[arg(short, long)]
    pub out: Option<PathBuf>,
}
