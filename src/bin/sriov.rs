//! The CNI plugin `sriov`.

use std::{
    env,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use sriov_dra::{
    cni::{plugin::Processes, program},
    host::linux::Linux,
    paths::AGENT_FILE,
};

fn main() -> ExitCode {
    let mut stdin = Vec::new();
    // What cannot be read is refused as what it is: not JSON.
    let _ = io::stdin().read_to_end(&mut stdin);
    let answer = program::run(
        &|name| env::var_os(name),
        &stdin,
        Path::new(AGENT_FILE),
        |paths| (Arc::new(Linux::new(paths.clone())), Box::new(Processes)),
    );
    let written = io::stdout().write_all(answer.text.as_bytes());
    match written {
        Ok(()) => ExitCode::from(answer.code),
        Err(_) => ExitCode::FAILURE,
    }
}
