//! What other agents of the node and earlier pods have left, and what ends no agent.

use super::*;

/// One agent finds a claim stale; before it has its lock, the other has prepared it anew.
#[tokio::test(flavor = "multi_thread")]
async fn what_another_agent_has_prepared_meanwhile_is_not_collected() {
    let agent = Agent::new(&[]);
    let engine = &agent.claims.engine;
    let (first, anew) = (
        allocated("x", "b", VF, "nic"),
        allocated("x", "b", "0000-02-10-2", "nic"),
    );
    let load = || engine.store().load(&first.claim.uid).unwrap();
    agent.prepare(&first).await.unwrap();
    let judged = load().unwrap();
    agent.prepare(&anew).await.unwrap();
    let before = (agent.fake.dump(), load());
    let deadline = Deadline::after(TIMEOUT);
    engine.reclaim(&judged, deadline).unwrap();
    assert_eq!((agent.fake.dump(), load()), before);
    engine.reclaim(&load().unwrap(), deadline).unwrap();
    assert_eq!(load(), None);
}
