//! The releases whose kubelet has been answered: devices restored, then their records removed.
//!
//! ```text
//!   records that are Unpreparing ─► due? ─► finish, each on a thread of its own ─► record gone
//!             ▲                                   └─► failed: later, or at the next kernel event
//!             └─ woken by Unprepare, by the kernel (link up, netdev appeared), by time
//! ```
//!
//! The records are the queue: nothing is lost with the process, and a second agent of the node
//! works on the same one, under the claims' locks.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::Notify, task::JoinSet, time::timeout};

use super::status::Reports;
use crate::{
    claim::{Engine, Releasing},
    deadline::Deadline,
    ledger::{ClaimRef, ClaimUid},
    telemetry::Metrics,
};

/// One attempt.
const ATTEMPT: Duration = Duration::from_secs(20);
const FIRST: Duration = Duration::from_millis(200);
const LONGEST: Duration = Duration::from_secs(30);
/// While there are releases, they are looked at this often: a taint is due after a few seconds.
const PERIOD: Duration = Duration::from_secs(1);
/// With none, another process may still begin one.
const IDLE: Duration = Duration::from_mins(1);

/// Who works on releases, and who has to know.
pub(super) struct Releases {
    pub(super) engine: Arc<Engine>,
    /// For whoever has read that a release did not work.
    pub(super) reports: Reports,
    /// A release has begun, or the kernel has changed.
    pub(super) wake: Arc<Notify>,
    /// Devices became free, or have to be tainted.
    pub(super) changed: Arc<Notify>,
    pub(super) metrics: Arc<Metrics>,
}

/// When a release is attempted again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Retry {
    at: Instant,
    pause: Duration,
}

/// Plans attempts; pure but for the clock that it is given.
#[derive(Debug, Default)]
struct Schedule(BTreeMap<ClaimUid, Retry>);

impl Schedule {
    fn is_due(&self, claim: &ClaimUid, now: Instant) -> bool {
        self.0.get(claim).is_none_or(|retry| retry.at <= now)
    }

    fn failed(&mut self, claim: ClaimUid, now: Instant) {
        let pause = self
            .0
            .get(&claim)
            .map_or(FIRST, |retry| (retry.pause * 2).min(LONGEST));
        self.0.insert(
            claim,
            Retry {
                at: now + pause,
                pause,
            },
        );
    }

    fn done(&mut self, claim: &ClaimUid) {
        self.0.remove(claim);
    }

    /// Something has changed that they may have waited for; those that fail often not at once.
    fn hasten(&mut self, now: Instant) {
        for retry in self.0.values_mut() {
            retry.at = retry.at.min(now + retry.pause / 4);
        }
    }
}

/// What one attempt has come to.
type Attempt = (ClaimRef, Result<(), String>);

impl Releases {
    /// Runs until the task is dropped.
    pub(super) async fn run(self) {
        let (mut schedule, mut attempts) = (Schedule::default(), JoinSet::new());
        let mut underway: Vec<ClaimUid> = Vec::new();
        let mut tainted = 0;
        loop {
            let releasing = self.releasing().await;
            self.begin_due(&releasing, &schedule, &mut underway, &mut attempts);
            let damaged = releasing.iter().filter(|one| one.is_damaged).count();
            self.metrics.releasing(releasing.len(), damaged);
            if damaged != std::mem::replace(&mut tainted, damaged) {
                self.changed.notify_one();
            }
            let pause = if releasing.is_empty() { IDLE } else { PERIOD };
            tokio::select! {
                Some(done) = attempts.join_next() => {
                    let (claim, result) = done.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
                    underway.retain(|other| *other != claim.uid);
                    self.ended(&mut schedule, &claim, result);
                }
                woken = timeout(pause, self.wake.notified()) => {
                    if woken.is_ok() {
                        schedule.hasten(Instant::now());
                    }
                }
            }
        }
    }

    async fn releasing(&self) -> Vec<Releasing> {
        let engine = Arc::clone(&self.engine);
        let listed = super::blocking(move || engine.releasing()).await;
        listed.unwrap_or_else(|error| {
            tracing::warn!(%error, "releases");
            Vec::new()
        })
    }

    fn begin_due(
        &self,
        releasing: &[Releasing],
        schedule: &Schedule,
        underway: &mut Vec<ClaimUid>,
        attempts: &mut JoinSet<Attempt>,
    ) {
        let now = Instant::now();
        for release in releasing {
            let claim = release.claim.clone();
            if underway.contains(&claim.uid) || !schedule.is_due(&claim.uid, now) {
                continue;
            }
            underway.push(claim.uid.clone());
            let engine = Arc::clone(&self.engine);
            attempts.spawn_blocking(move || {
                let done = engine.finish(&claim.uid, Deadline::after(ATTEMPT));
                (claim, done.map_err(|error| error.to_string()))
            });
        }
    }

    fn ended(&self, schedule: &mut Schedule, claim: &ClaimRef, result: Result<(), String>) {
        let uid = &claim.uid;
        match result {
            Ok(()) => {
                tracing::info!(%claim, %uid, "released");
                schedule.done(uid);
                self.reports.unprepared(claim);
            }
            Err(error) => {
                tracing::warn!(%claim, %uid, error, "release: will be tried again");
                schedule.failed(uid.clone(), Instant::now());
            }
        }
        self.changed.notify_one();
    }
}

/// Works on releases until there are none, or the time is over: an agent that ends leaves none
/// that it could have completed. Returns what is left: claim and devices, and why.
pub(super) async fn complete(engine: &Arc<Engine>, time: Duration) -> Vec<String> {
    let deadline = Deadline::after(time);
    let working = Arc::clone(engine);
    let work = super::blocking(move || {
        for release in working.releasing().unwrap_or_default() {
            if let Err(error) = working.finish(&release.claim.uid, deadline) {
                tracing::warn!(claim = %release.claim, %error, "not released when the agent ended");
            }
        }
    });
    let _ = timeout(time, work).await;
    let engine = Arc::clone(engine);
    let left = super::blocking(move || engine.releasing().unwrap_or_default()).await;
    left.iter().map(line).collect()
}

fn line(release: &Releasing) -> String {
    let devices: Vec<String> = release.devices.iter().map(ToString::to_string).collect();
    let unknown = || format!("is being released for {} s", release.age.as_secs());
    let why = release.error.clone().unwrap_or_else(unknown);
    format!("claim {} ({}): {why}", release.claim, devices.join(", "))
}

#[cfg(test)]
mod tests;
