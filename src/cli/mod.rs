//! The command line: one file per subcommand.

mod check;
mod cni;
mod columns;
mod convert;
mod demo;
mod doctor;
mod document;
mod explain;
mod list;
mod record;
mod uninstall_check;

use crate::args::{Command, SriovDra};

/// Runs a parsed command line. Returns the exit code: 0 for success, 1 for failure, 2 if `explain`
/// has no answer.
///
/// # Errors
/// The error of the subcommand, which `main` prints.
pub fn run(cli: SriovDra) -> anyhow::Result<u8> {
    match cli.command {
        Command::Node(args) => crate::node::run(*args).map(|()| 0),
        Command::Controller(args) => crate::controller::run(*args).map(|()| 0),
        Command::Demo => demo::run().map(|()| 0),
        Command::List(args) => list::run(&args).map(|()| 0),
        Command::Explain(args) => Ok(explain::run(&args)),
        Command::Record(args) => record::run(&args).map(|()| 0),
        Command::Convert(args) => convert::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Check(args) => check::run(&args),
        Command::UninstallCheck(args) => uninstall_check::run(&args),
        Command::Cni(args) => cni::run(&args).map(|()| 0),
    }
}

/// Writes to standard output; a closed pipe (`| head`) is not an error.
fn print(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    unless_closed(
        std::io::stdout()
            .write_all(text.as_bytes())
            .map_err(Into::into),
    )
}

/// The result of writing output, but for a reader that has closed its end of the pipe: it has what
/// it wanted.
fn unless_closed(result: anyhow::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if is_closed_pipe(&error) => Ok(()),
        result => result,
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
