//! `sriov-dra`: the command line.

use std::process::ExitCode;

use clap::Parser;

use sriov_dra::{
    args::SriovDra,
    errors::{tell, with_sources},
};

fn main() -> ExitCode {
    match sriov_dra::cli::run(SriovDra::parse()) {
        Ok(code) => code.into(),
        Err(error) => {
            tell(&format!("sriov-dra: {}", with_sources(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}
