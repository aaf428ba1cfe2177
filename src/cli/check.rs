//! `check`: the liveness and readiness probe of the agent's pod.

use crate::{
    args::CheckArgs,
    telemetry::{agent_socket, query},
};

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<u8> {
    let socket = agent_socket(&args.state_dir, &args.pod_uid);
    let path = match (args.metrics, args.ready) {
        (true, _) => "/metrics",
        (false, true) => "/readyz",
        (false, false) => "/livez",
    };
    let (ok, text) = query(&socket, path).map_err(|error| {
        anyhow::anyhow!(
            "no agent answers at {}: {error}; is it running, with this --state-dir and --pod-uid?",
            socket.display()
        )
    })?;
    super::print(&text)?;
    Ok(u8::from(!ok))
}
