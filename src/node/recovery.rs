//! At start: what a dead agent left is undone, for no longer than the node can wait.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::blocking;
use crate::{claim::Engine, deadline::Deadline};

/// Serving begins after this at the latest. A claim whose recovery hangs in the kernel stays locked
/// by its thread, and the others are served.
const LONGEST: Duration = Duration::from_secs(15);

/// Each claim on a thread of its own.
pub(super) async fn run(engine: &Arc<Engine>) -> anyhow::Result<()> {
    run_for(engine, LONGEST).await
}

pub(super) async fn run_for(engine: &Arc<Engine>, longest: Duration) -> anyhow::Result<()> {
    let begun = Instant::now();
    let listing = Arc::clone(engine);
    let claims = blocking(move || listing.claims()).await?;
    let mut recovering = JoinSet::new();
    for claim in claims {
        let engine = Arc::clone(engine);
        recovering.spawn_blocking(move || {
            let done = engine.recover_claim(&claim, Deadline::after(longest));
            if let Err(error) = done {
                tracing::error!(%claim, %error, "recovery");
            }
        });
    }
    while let Ok(Some(done)) = timeout_at(begun + longest, recovering.join_next()).await {
        done?;
    }
    if !recovering.is_empty() {
        tracing::error!(
            claims = recovering.len(),
            seconds = longest.as_secs(),
            "recovery takes longer: serving the other claims"
        );
        recovering.detach_all();
    }
    let engine = Arc::clone(engine);
    Ok(blocking(move || engine.sweep()).await?)
}
