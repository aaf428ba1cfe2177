//! `demo`: the whole life of a claim on a recorded host, in seconds, without root and without a cluster.
//!
//! The kernel is the fake one, seeded from a recording; all else is what a node runs: engine, records, CDI writer, the
//! runtime's hooks, and the gRPC service over a real socket.

mod claim;
mod stage;
mod story;
mod tell;
#[cfg(test)]
mod tests;

use std::io::Write;

/// Tells the story on standard output.
pub(super) fn run() -> anyhow::Result<()> {
    tell(&mut std::io::stdout().lock())
}

fn tell(out: &mut dyn Write) -> anyhow::Result<()> {
    // Short, since the sockets' paths below it may have 107 bytes.
    let root = tempfile::Builder::new()
        .prefix("sriov-dra-demo-")
        .tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(story::tell(out, root.path()))
}
