//! The command line: one file per subcommand.

mod check;
mod columns;
mod convert;
mod demo;
mod doctor;
mod explain;
mod list;
mod record;
mod uninstall_check;

use crate::args::{Command, SriovDra};

/// Runs a parsed command line. Returns the exit code: 0 for success, 1 for failure.
///
/// # Errors
/// The error of the subcommand, which `main` prints.
pub fn run(cli: SriovDra) -> anyhow::Result<u8> {
    match cli.command {
        Command::Node(args) => crate::node::run(*args).map(|()| 0),
        Command::Controller(args) => crate::controller::run(*args).map(|()| 0),
        Command::Demo => demo::run().map(|()| 0),
        Command::List(args) => list::run(&args).map(|()| 0),
        Command::Explain(args) => explain::run(&args).map(|()| 0),
        Command::Record(args) => record::run(&args).map(|()| 0),
        Command::Convert(args) => convert::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Check(args) => check::run(&args),
        Command::UninstallCheck(args) => uninstall_check::run(&args),
    }
}

/// Writes to standard output; a closed pipe (`| head`) is not an error.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
