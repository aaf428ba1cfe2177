//! Lab scenarios of sriov-dra: what users do on a real Kubernetes with real SR-IOV, and what must
//! hold.
//!
//! ```text
//!  e2e/lab/lab run -- cargo run -p e2e -- --only b,c
//!
//!  scenarios/a_….rs   one scenario a file ─► lab, space, pod, claim, node, vf: what they are written with
//!  scenarios/table.rs where each runs, for how long and why ─► plan ─► run ─► outcome
//!  bench/             figures, without thresholds
//! ```
//!
//! `IMAGE` names the release image, `FUSE_IMAGE` the one with the cargo feature `fuse` (for
//! scenario g); `IMAGE_ARCHIVE` and `FUSE_IMAGE_ARCHIVE` are imported into the nodes first when
//! they are set.

mod agent;
mod bench;
mod claim;
mod command;
mod configs;
mod cpu;
mod device;
mod dump;
mod eventually;
mod guest;
mod keep;
mod kube;
mod lab;
mod log;
mod manifest;
mod multus;
mod network;
mod node;
mod options;
mod outcome;
mod phantom;
mod plan;
mod pod;
mod programs;
mod release;
mod run;
mod scenarios;
mod slices;
mod space;

use std::process::ExitCode;

use options::{Action, Options, USAGE};

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(wrong) => {
            eprintln!("e2e: {wrong:#}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match execute(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("e2e: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "the output")]
fn execute(options: &Options) -> anyhow::Result<bool> {
    match options.action {
        Action::Help => println!("{USAGE}"),
        Action::List => println!("{}", plan::list()),
        Action::Bench => bench::run(options)?,
        Action::Run => return run::run(options),
    }
    Ok(true)
}
