//! Claims whose unprepare never came: the kubelet lost its memory, or the pod moved while it was
//! down.
//!
//! A record is stale when the API server says so (no such claim, another UID, no allocation of its
//! devices here) and its netdev is in no
//! living pod. Looked for at start and every ten minutes.

use std::{sync::Arc, time::Duration};

use super::claims::NodeClaims;
use crate::{deadline::Deadline, ledger::ClaimRef};

const PERIOD: Duration = Duration::from_mins(10);
const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs until the task is dropped.
pub(super) async fn run(claims: Arc<NodeClaims>) {
    let mut ticks = tokio::time::interval(PERIOD);
    loop {
        ticks.tick().await;
        for claim in claims.engine.idle_claims() {
            if let Err(error) = collect(&claims, &claim).await {
                tracing::warn!(claim = %claim, error, "stale claim check");
            }
        }
        sweep_leases(&claims).await;
    }
}

/// Leases that are no claim's any more: a reboot takes the records, and plugins keep theirs.
async fn sweep_leases(claims: &NodeClaims) {
    let engine = Arc::clone(&claims.engine);
    let sweep = move || engine.sweep_leases(Deadline::after(TIMEOUT));
    for error in super::blocking(sweep).await.err().unwrap_or_default() {
        tracing::warn!(%error, "lease of no claim");
    }
}

pub(super) async fn collect(claims: &NodeClaims, claim: &ClaimRef) -> Result<(), String> {
    let deadline = Deadline::after(TIMEOUT);
    claims.reclaim_stale(claim, deadline).await.map(drop)
}
