//! `sriov-dra`: subcommands, nothing else.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match sriov_dra::cli::run(sriov_dra::cli::SriovDra::parse()) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("sriov-dra: {error:#}");
            ExitCode::FAILURE
        }
    }
}
