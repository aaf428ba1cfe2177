//! `sriov-dra`: the command line.

use std::process::ExitCode;

use clap::Parser;

use sriov_dra::args::SriovDra;

fn main() -> ExitCode {
    match sriov_dra::cli::run(SriovDra::parse()) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("sriov-dra: {error:#}");
            ExitCode::FAILURE
        }
    }
}
