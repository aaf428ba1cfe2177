//! What other agents of the node and earlier pods have left, and what ends no agent.

use super::{super::super::recovery, *};

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

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_be_swept_keep_no_agent_from_starting() {
    let agent = Agent::new(&[]);
    let engine = &agent.claims.engine;
    let cdi = &engine.paths().cdi;
    crate::files::write_atomic(cdi, b"a file, not a directory", 0o600).unwrap();
    assert_eq!(recovery::run(engine).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_recovery_panics_keeps_no_other_from_being_served() {
    let agent = Agent::new(&[]);
    let claims = [
        allocated("x", "b", VF, "nic"),
        allocated("y", "b", "0000-02-10-2", "nic"),
    ];
    let engine = &agent.claims.engine;
    for claim in &claims {
        agent.prepare(claim).await.unwrap();
        let mut record = engine.store().load(&claim.claim.uid).unwrap().unwrap();
        (record.phase, record.devices[0].used) = (Phase::Unpreparing, Some(true));
        engine.store().save(&record).unwrap();
    }
    let first = crate::device::DeviceId::from_name(VF).unwrap();
    agent
        .fake
        .on_rebind(move |device, _| assert_ne!(*device, first, "a defect"));
    let left = recovery::run(engine).await.unwrap();
    let claims: Vec<&str> = left.iter().map(|left| left.claim.as_str()).collect();
    assert_eq!(claims, ["x"], "{left:?}");
    assert!(left[0].why.contains("panic"), "{left:?}");
}
