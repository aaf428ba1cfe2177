//! At start: what a dead agent left is undone, for no longer than the node can wait.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{
    blocking,
    status::{Failure, Reports},
};
use crate::{
    claim::Engine,
    deadline::Deadline,
    ledger::{ClaimUid, Phase},
};

/// Serving begins after this at the latest. A claim whose recovery hangs in the kernel stays locked
/// by its thread, and the others are served.
const LONGEST: Duration = Duration::from_secs(15);

/// A claim that is not restored, or of which that is not known yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unrestored {
    pub(super) claim: ClaimUid,
    pub(super) why: String,
}

/// Each claim on a thread of its own. Returns those that are not as they should be.
pub(super) async fn run(engine: &Arc<Engine>) -> anyhow::Result<Vec<Unrestored>> {
    run_for(engine, LONGEST).await
}

pub(super) async fn run_for(
    engine: &Arc<Engine>,
    longest: Duration,
) -> anyhow::Result<Vec<Unrestored>> {
    let begun = Instant::now();
    let listing = Arc::clone(engine);
    let mut open = blocking(move || listing.claims()).await?;
    let mut recovering = JoinSet::new();
    for claim in open.clone() {
        let engine = Arc::clone(engine);
        recovering.spawn_blocking(move || {
            let done = recovered(&engine, &claim, longest);
            (claim, done)
        });
    }
    let mut left = Vec::new();
    while let Ok(Some(done)) = timeout_at(begun + longest, recovering.join_next()).await {
        let (claim, done) = done?;
        open.retain(|other| *other != claim);
        if let Err(why) = done {
            tracing::error!(%claim, error = why, "recovery");
            left.push(Unrestored { claim, why });
        }
    }
    if !recovering.is_empty() {
        tracing::error!(
            claims = recovering.len(),
            seconds = longest.as_secs(),
            "recovery takes longer: serving the other claims"
        );
        recovering.detach_all();
    }
    let why = format!("recovery has not ended within {} s", longest.as_secs());
    let hung = |claim| Unrestored {
        claim,
        why: why.clone(),
    };
    left.extend(open.into_iter().map(hung));
    let engine = Arc::clone(engine);
    // Files that stay are in nobody's way.
    if let Err(error) = blocking(move || engine.sweep()).await {
        tracing::error!(%error, "files of claims that are gone");
    }
    Ok(left)
}

/// A defect that one claim brings to light must not keep the node from being served.
fn recovered(engine: &Engine, claim: &ClaimUid, longest: Duration) -> Result<(), String> {
    let recover = || engine.recover_claim(claim, Deadline::after(longest));
    match catch_unwind(AssertUnwindSafe(recover)) {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err("recovery has panicked; the agent's log says where".to_owned()),
    }
}

/// Says so in the status of the claims, and in events.
pub(super) async fn report(engine: &Arc<Engine>, left: Vec<Unrestored>, reports: &Reports) {
    for Unrestored { claim, why } in left {
        let engine = Arc::clone(engine);
        let record = blocking(move || engine.store().load(&claim).ok().flatten()).await;
        let Some(record) = record else { continue };
        let claim = &record.owner.claim;
        match record.phase {
            Phase::Prepared => reports.prepare_failed(claim, None, Failure::prepare(why)),
            Phase::Preparing | Phase::Unpreparing => {
                reports.unprepare_failed(claim, Failure::unprepare(why));
            }
        }
    }
}
