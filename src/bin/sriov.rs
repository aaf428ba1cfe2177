//! The CNI plugin `sriov`.

use std::{
    env,
    io::{self, Read, Write},
    path::Path,
    process::ExitCode,
    sync::Arc,
};

use sriov_dra::{
    claim::{Engine, Identity},
    cni::{plugin::Processes, program},
    host::linux::Linux,
    paths::{AGENT_FILE, Paths},
};

fn main() -> ExitCode {
    let mut stdin = Vec::new();
    // What cannot be read is refused as what it is: not JSON.
    let _ = io::stdin().read_to_end(&mut stdin);
    let answer = program::run(
        &|name| env::var_os(name),
        &stdin,
        Path::new(AGENT_FILE),
        |paths, identity| (engine(paths, identity), Box::new(Processes)),
    );
    let written = io::stdout().write_all(answer.text.as_bytes());
    match written {
        Ok(()) => ExitCode::from(answer.code),
        Err(_) => ExitCode::FAILURE,
    }
}

#[cfg(not(feature = "fuse"))]
fn engine(paths: Paths, identity: Identity) -> Engine {
    Engine::new(Arc::new(Linux::new(paths.clone())), paths, identity)
}

/// Changes of the kernel's state and of records pass one fuse.
#[cfg(feature = "fuse")]
fn engine(paths: Paths, identity: Identity) -> Engine {
    use sriov_dra::host::{fuse::Fuse, wrapped::Wrapped};
    let fuse = Fuse::of_plugin(&paths);
    let hook = fuse.change_hook();
    let kernel = Wrapped::new(Linux::new(paths.clone()), fuse);
    Engine::with_hook(Arc::new(kernel), paths, identity, hook)
}
