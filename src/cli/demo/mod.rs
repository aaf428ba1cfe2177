//! `demo`: the life cycle of a claim on a recorded host, in seconds, without root or a cluster.
//!
//! The kernel is a fake, initialised from a recording. Everything else is what runs on a node:
//! engine, records, CDI writer, the runtime's hooks, and the gRPC service on a real socket.

mod claim;
mod node;
mod output;
#[cfg(test)]
mod tests;
mod walkthrough;

use std::io::Write;

/// Prints the walkthrough on standard output.
pub(super) fn run() -> anyhow::Result<()> {
    super::unless_closed(run_on(&mut std::io::stdout().lock()))
}

fn run_on(out: &mut dyn Write) -> anyhow::Result<()> {
    // A short prefix: the path of a unix socket is limited to 107 bytes.
    let root = tempfile::Builder::new()
        .prefix("sriov-dra-demo-")
        .tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(walkthrough::run(out, root.path()))
}
