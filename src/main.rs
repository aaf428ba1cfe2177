//! `sriov-dra`: the command line.

use std::process::ExitCode;

use clap::Parser;

use sriov_dra::{
    args::SriovDra,
    errors::{print_error, with_sources},
};

fn main() -> ExitCode {
    match sriov_dra::cli::run(SriovDra::parse()) {
        Ok(code) => code.into(),
        Err(error) => {
            print_error(&format!("sriov-dra: {}", with_sources(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}
