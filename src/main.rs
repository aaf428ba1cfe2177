//! `sriov-dra`: the command line.

use std::process::ExitCode;

use clap::Parser;

use sriov_dra::{args::SriovDra, errors::with_sources};

fn main() -> ExitCode {
    match sriov_dra::cli::run(SriovDra::parse()) {
        Ok(code) => code.into(),
        Err(error) => {
            eprintln!("sriov-dra: {}", with_sources(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}
