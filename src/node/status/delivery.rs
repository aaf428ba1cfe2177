//! One claim's status and events, to the API server.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Report,
    state::statuses,
    subjects,
    taints::{self, Changed},
    work::{Notice, Outcome, Work},
};
use crate::{
    attach::Sandbox,
    claim::Engine,
    cluster::{Cluster, ClusterError, ErrorKind, Event, Pods, Subject},
    device::DeviceId,
    ledger::{ClaimRef, ClaimUid, Entry, Phase, Record},
};

/// Where what is reported is looked up, and goes.
pub(super) struct Delivery {
    pub(super) cluster: Arc<dyn Cluster>,
    pub(super) engine: Arc<Engine>,
    /// This node's pods.
    pub(super) pods: Pods,
}

impl Delivery {
    /// Writes the claim's status, and its events. An event does not wait for the status.
    pub(super) async fn deliver(
        &self,
        uid: &ClaimUid,
        work: Work,
        gone: &BTreeSet<DeviceId>,
    ) -> Outcome {
        let record = self.load(uid).await;
        let recorded = || record.as_ref().map(|record| (*record.owner.claim).clone());
        let Some(claim) = work.state.claim.clone().or_else(recorded) else {
            return Outcome::default();
        };
        let mut outcome = Outcome::default();
        let status = self.write(&claim, record.as_ref(), &work, gone);
        let events = self.tell_all(&claim, record.as_ref(), &work);
        let ((again, says_failed), (sent, left)) = futures::join!(status, events);
        (outcome.again, outcome.says_failed) = (again, says_failed);
        (outcome.sent, outcome.left) = (sent, left);
        outcome
    }

    /// Whether it is to be tried again, and whether the server has a failure now.
    async fn write(
        &self,
        claim: &ClaimRef,
        record: Option<&Record>,
        work: &Work,
        gone: &BTreeSet<DeviceId>,
    ) -> (bool, Option<bool>) {
        let here = self.engine.identity().pool();
        let statuses = statuses(record, &work.state, gone, here);
        let statuses = statuses.or_else(|| work.clear.then(Vec::new));
        let Some(statuses) = statuses.filter(|_| work.status) else {
            return (false, None);
        };
        match self.cluster.report(claim, &statuses).await {
            Ok(()) => (false, Some(work.state.failure.is_some())),
            // The claim is gone, or is another node's: nobody reads it.
            Err(error) if error.kind == ErrorKind::NotFound => (false, Some(false)),
            Err(error) => {
                tracing::warn!(%claim, %error, "claim status, trying again");
                (true, None)
            }
        }
    }

    async fn tell_all(
        &self,
        claim: &ClaimRef,
        record: Option<&Record>,
        work: &Work,
    ) -> (Vec<(&'static str, String)>, Vec<Notice>) {
        let (mut sent, mut left) = (Vec::new(), Vec::new());
        for notice in &work.notices {
            let mut notice = notice.clone();
            match self.send(claim, record, &mut notice, work.early).await {
                true => sent.push((notice.reason, notice.note)),
                false => left.push(notice),
            }
        }
        (sent, left)
    }

    /// Sends it to whoever does not have it yet. False: somebody is left.
    async fn send(
        &self,
        claim: &ClaimRef,
        record: Option<&Record>,
        notice: &mut Notice,
        early: bool,
    ) -> bool {
        let (subjects, all_known) = self.concerned(claim, record, notice);
        let mut all = all_known || !early;
        for subject in subjects {
            if notice.sent.contains(&subject) {
                continue;
            }
            let event = Event {
                subject: subject.clone(),
                warning: true,
                reason: notice.reason,
                action: notice.action,
                note: notice.note.clone(),
            };
            match self.cluster.event(&event).await {
                Err(error) if is_retried(&error, early) => all = false,
                sent => {
                    if let Err(error) = sent {
                        tracing::warn!(%claim, %error, "event");
                    }
                    notice.sent.push(subject);
                }
            }
        }
        all
    }

    /// The claim, and the pods that use it here.
    fn concerned(
        &self,
        claim: &ClaimRef,
        record: Option<&Record>,
        notice: &Notice,
    ) -> (Vec<Subject>, bool) {
        let mut uids = notice.pods.clone();
        if uids.is_empty() && notice.subjects.is_empty() {
            let reserved = record.iter().flat_map(|record| &record.owner.reserved_for);
            uids.extend(reserved.cloned());
            let using = self.pods.of_claim(&claim.namespace, &claim.name);
            let using = using.iter().map(|pod| pod.uid.clone());
            uids.extend(using.filter(|_| record.is_none()));
        }
        let (pods, mut all_known) = subjects(&self.pods, &uids);
        // A pod that is not here any more is waited for only as long as not all pods are known.
        all_known |= self.pods.complete() && notice.reason != "PrepareFailed";
        let claim = Subject::Claim(claim.clone());
        let all = [claim].into_iter().chain(notice.subjects.clone());
        (all.chain(pods).collect(), all_known)
    }

    async fn load(&self, uid: &ClaimUid) -> Option<Record> {
        let (engine, uid) = (Arc::clone(&self.engine), uid.clone());
        let loaded = crate::node::blocking(move || engine.store().load(&uid)).await;
        loaded.ok().flatten()
    }

    async fn records(&self) -> Vec<Record> {
        let engine = Arc::clone(&self.engine);
        let entries = crate::node::blocking(move || engine.records()).await;
        let entries = entries.unwrap_or_default().into_iter();
        entries.filter_map(Entry::record).collect()
    }

    /// The claims that a sandbox's failure concerns.
    pub(super) async fn claims_of(&self, sandbox: Sandbox, text: String) -> Vec<Report> {
        let pod = Subject::Pod {
            namespace: sandbox.namespace,
            name: sandbox.name,
            uid: sandbox.pod_uid.clone(),
        };
        let known = self.pods.by_uid(&sandbox.pod_uid);
        let uses = |record: &Record| {
            let claim = &record.owner.claim;
            let named = known.as_ref().is_some_and(|pod| {
                pod.namespace == claim.namespace && pod.claims.contains(&claim.name)
            });
            named || record.owner.reserved_for.contains(&sandbox.pod_uid)
        };
        let records = self.records().await.into_iter();
        let claims = records
            .filter(uses)
            .map(|record| (*record.owner.claim).clone());
        claims
            .map(|claim| Report::AttachFailed(claim, pod.clone(), text.clone()))
            .collect()
    }

    /// The claims that hold devices whose taints have changed.
    pub(super) async fn tainted(&self, changed: Changed) -> Vec<Report> {
        let records = self.records().await.into_iter();
        let prepared = records.filter(|record| record.phase == Phase::Prepared);
        let reports = prepared.filter_map(|record| {
            let held: Vec<DeviceId> = record
                .held()
                .filter(|id| changed.contains_key(id))
                .collect();
            if held.is_empty() {
                return None;
            }
            let notes = held.iter().filter_map(|id| taints::note(id, &changed[id]));
            let notes: Vec<String> = notes.collect();
            let note = (!notes.is_empty()).then(|| notes.join("; "));
            let (claim, pods) = (record.owner.claim, record.owner.reserved_for);
            Some(Report::Tainted((*claim).clone(), pods, note))
        });
        reports.collect()
    }
}

/// What the server will never take is not sent again. Rights may come a little later.
fn is_retried(error: &ClusterError, early: bool) -> bool {
    match error.kind {
        ErrorKind::Unreachable | ErrorKind::Conflict => true,
        ErrorKind::Forbidden => early,
        ErrorKind::NotFound | ErrorKind::Invalid => false,
    }
}
