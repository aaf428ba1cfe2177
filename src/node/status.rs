//! What happened on the node, published: in the status of claims, and in events of claims and pods.
//!
//! ```text
//!  kubelet's calls, hooks, taints ─ Report ─► Book: one entry per claim, the latest state
//!                                               │ due, a few at once
//!                                               ▼
//!                                 records ─► delivery ─► API server
//!                                               └─ what did not get in: again, later
//! ```
//!
//! Whoever reports never waits. What the server does not take is tried again until it is in, or
//! until the claim is gone.

mod book;
mod delivery;
mod failure;
mod state;
mod taints;
#[cfg(test)]
mod tests;
mod work;

pub(super) use failure::Failure;

use std::{collections::BTreeMap, sync::Arc};

use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    attach::{Change, Sandbox},
    claim::{AllocatedClaim, Engine},
    cluster::{Cluster, Pods, Subject},
    device::DeviceId,
    ledger::{ClaimRef, ClaimUid},
    slice::Taint,
};
use book::Book;
use delivery::Delivery;
use taints::Taints;
use work::Outcome;

/// So many claims are written at once.
const AT_ONCE: usize = 8;

/// What is reported.
#[derive(Debug)]
enum Report {
    Prepared(ClaimRef),
    PrepareFailed(ClaimRef, Option<Box<AllocatedClaim>>, Failure),
    Unprepared(ClaimRef),
    UnprepareFailed(ClaimRef, Failure),
    Changed(Change),
    SandboxFailed(Sandbox, String),
    /// A claim of a sandbox that failed, or nothing but the pod if it has none here.
    AttachFailed(ClaimRef, Subject, String),
    Taints(BTreeMap<DeviceId, Vec<Taint>>),
    /// The taints of a claim's device have changed.
    Tainted(ClaimRef, Vec<String>, Option<String>),
}

/// Takes reports. Cheap to clone; nothing here waits.
#[derive(Debug, Clone)]
pub(super) struct Reports(UnboundedSender<Report>);

impl Reports {
    /// The other end is run by [`Reporter::run`].
    pub(super) fn new(cluster: Arc<dyn Cluster>, engine: Arc<Engine>) -> (Self, Reporter) {
        let (sender, inbox) = mpsc::unbounded_channel();
        let pods = cluster.pods();
        let delivery = Delivery {
            cluster,
            engine,
            pods,
        };
        let reporter = Reporter {
            delivery: Arc::new(delivery),
            inbox,
            book: Book::default(),
            taints: Taints::default(),
        };
        (Self(sender), reporter)
    }

    /// The claim is prepared.
    pub(super) fn prepared(&self, claim: &ClaimRef) {
        self.send(Report::Prepared(claim.clone()));
    }

    /// It is not; `allocated`: as it was read, if it could be read.
    pub(super) fn prepare_failed(
        &self,
        claim: &ClaimRef,
        allocated: Option<AllocatedClaim>,
        failure: Failure,
    ) {
        let allocated = allocated.map(Box::new);
        self.send(Report::PrepareFailed(claim.clone(), allocated, failure));
    }

    /// Nothing of the claim is left here.
    pub(super) fn unprepared(&self, claim: &ClaimRef) {
        self.send(Report::Unprepared(claim.clone()));
    }

    /// Something is.
    pub(super) fn unprepare_failed(&self, claim: &ClaimRef, failure: Failure) {
        self.send(Report::UnprepareFailed(claim.clone(), failure));
    }

    /// A netdev came into its pod, or left it.
    pub(super) fn changed(&self, change: Change) {
        self.send(Report::Changed(change));
    }

    /// A netdev did not come into its pod, or a container must not start.
    pub(super) fn attach_failed(&self, sandbox: &Sandbox, text: &str) {
        self.send(Report::SandboxFailed(sandbox.clone(), text.to_owned()));
    }

    /// All taints of the node's devices as they are now.
    pub(super) fn taints(&self, taints: &BTreeMap<DeviceId, Vec<Taint>>) {
        self.send(Report::Taints(taints.clone()));
    }

    /// Nobody listens any more only when the agent ends.
    fn send(&self, report: Report) {
        drop(self.0.send(report));
    }
}

/// Publishes what is reported.
pub(super) struct Reporter {
    delivery: Arc<Delivery>,
    inbox: UnboundedReceiver<Report>,
    book: Book,
    taints: Taints,
}

/// What a task has come to.
enum Done {
    Delivered(ClaimUid, Outcome),
    /// Reports that a report stands for.
    Found(Vec<Report>),
}

impl Reporter {
    /// Runs until nobody can report any more.
    pub(super) async fn run(mut self) {
        let mut tasks = JoinSet::new();
        loop {
            self.deliver_due(&mut tasks);
            let wake = self.book.wake();
            tokio::select! {
                report = self.inbox.recv() => match report {
                    Some(report) => self.take(report, &mut tasks),
                    None => return,
                },
                Some(done) = tasks.join_next() => match done {
                    Ok(done) => self.done(done, &mut tasks),
                    Err(error) => tracing::error!(%error, "status of claims"),
                },
                () = sleep_until(wake.unwrap_or_else(Instant::now)), if wake.is_some() => {}
            }
        }
    }

    fn deliver_due(&mut self, tasks: &mut JoinSet<Done>) {
        let room = AT_ONCE.saturating_sub(self.book.busy());
        for (uid, work) in self.book.due(Instant::now(), room) {
            let delivery = Arc::clone(&self.delivery);
            let gone = self.taints.gone();
            tasks.spawn(async move {
                let outcome = delivery.deliver(&uid, work, &gone).await;
                Done::Delivered(uid, outcome)
            });
        }
    }

    fn take(&mut self, report: Report, tasks: &mut JoinSet<Done>) {
        let delivery = Arc::clone(&self.delivery);
        match report {
            Report::SandboxFailed(sandbox, text) => {
                tasks.spawn(async move { Done::Found(delivery.claims_of(sandbox, text).await) });
            }
            Report::Taints(all) => {
                let changed = self.taints.replace(all);
                if !changed.is_empty() {
                    tasks.spawn(async move { Done::Found(delivery.tainted(changed).await) });
                }
            }
            report => self.book.take(report, Instant::now()),
        }
    }

    fn done(&mut self, done: Done, tasks: &mut JoinSet<Done>) {
        match done {
            Done::Delivered(uid, outcome) => self.book.delivered(&uid, outcome, Instant::now()),
            Done::Found(reports) => {
                for report in reports {
                    self.take(report, tasks);
                }
            }
        }
    }
}

/// The pods of this node with these UIDs, and whether all of them are known.
fn subjects(pods: &Pods, uids: &[String]) -> (Vec<Subject>, bool) {
    let known = uids.iter().filter_map(|uid| pods.by_uid(uid));
    let subjects: Vec<Subject> = known
        .map(|pod| Subject::Pod {
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            uid: pod.uid.clone(),
        })
        .collect();
    let all = subjects.len() == uids.len();
    (subjects, all)
}
