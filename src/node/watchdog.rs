//! Netdevs that should long be in their pods: then the runtime does not call us, whatever it says.
//!
//! containerd 1.7 keeps the connection of a plugin that answered Synchronize too late, and never
//! calls it. A new connection lists all sandboxes again, and what is missing is attached late;
//! until then the claim's start gate is closed, and the pod waits.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Notify, time::sleep};

use crate::{
    api::AttachMode,
    claim::Engine,
    ledger::{ClaimUid, Entry, Phase, Record},
};

const PERIOD: Duration = Duration::from_secs(5);
/// A sandbox comes within seconds of Prepare, but a busy node takes its time, and a connection that
/// goes away while a sandbox is being made costs that sandbox its call.
const FIRST: Duration = Duration::from_mins(1);
const LONGEST: Duration = Duration::from_mins(10);

/// When a claim is asked after next, and how long to wait then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wait {
    until: Instant,
    pause: Duration,
}

/// Runs until the task is dropped.
pub(super) async fn run(engine: Arc<Engine>, reconnect: Arc<Notify>) {
    let mut waits = BTreeMap::new();
    loop {
        sleep(PERIOD).await;
        let engine = Arc::clone(&engine);
        let missing = super::blocking(move || missing(&engine)).await;
        if overdue(&mut waits, &missing, Instant::now()) {
            tracing::warn!(claims = ?missing, "netdevs are not in their pods: asking the runtime for its sandboxes again");
            reconnect.notify_one();
        }
    }
}

fn missing(engine: &Engine) -> Vec<ClaimUid> {
    let records = engine
        .records()
        .unwrap_or_default()
        .into_iter()
        .filter_map(Entry::record);
    records
        .filter(is_missing)
        .map(|record| record.owner.claim.uid.clone())
        .collect()
}

fn is_missing(record: &Record) -> bool {
    let to_pod = |plan: &crate::ledger::NetdevPlan| plan.attach == AttachMode::Pod;
    let waits = record.devices.iter().any(|device| {
        device.netdev.as_ref().is_some_and(to_pod)
            && device.attachment.as_ref().is_none_or(|there| !there.done)
    });
    record.phase == Phase::Prepared && waits
}

/// Whether one of them has waited for too long; each is asked after less and less often.
fn overdue(waits: &mut BTreeMap<ClaimUid, Wait>, missing: &[ClaimUid], now: Instant) -> bool {
    waits.retain(|uid, _| missing.contains(uid));
    let mut overdue = false;
    for uid in missing {
        let wait = waits.entry(uid.clone()).or_insert(Wait {
            until: now + FIRST,
            pause: FIRST,
        });
        overdue |= now >= wait.until;
    }
    // One question is for all of them.
    for wait in waits.values_mut().filter(|_| overdue) {
        wait.pause = (wait.pause * 2).min(LONGEST);
        wait.until = now + wait.pause;
    }
    overdue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_asked_after_less_and_less_often_until_it_is_attached() {
        let (mut waits, start) = (BTreeMap::new(), Instant::now());
        let claim: ClaimUid = "a".parse().unwrap();
        let mut asked = Vec::new();
        for second in 0..500 {
            if overdue(
                &mut waits,
                std::slice::from_ref(&claim),
                start + Duration::from_secs(second),
            ) {
                asked.push(second);
            }
        }
        assert_eq!(asked, [60, 180, 420]);
        assert!(!overdue(&mut waits, &[], start));
        assert!(!overdue(
            &mut waits,
            std::slice::from_ref(&claim),
            start + Duration::from_secs(1000)
        ));
    }
}
