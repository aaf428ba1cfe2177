//! What is to be published of each claim, and when. Pure: time is passed in.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    Failure, Report,
    work::{Notice, Outcome, State, Work},
};
use crate::{
    attach::Change,
    claim::{AllocatedClaim, AllocatedDevice},
    cluster::Subject,
    ledger::{ClaimRef, ClaimUid},
};

/// The first and the longest pause before what the server did not take is tried again.
const FIRST_RETRY: Duration = Duration::from_secs(1);
const LONGEST_RETRY: Duration = Duration::from_mins(1);
/// An event with the same text is counted, but not more often than this.
const REPEAT: Duration = Duration::from_mins(1);
/// Events of one reason with another text each time are no more frequent than this.
const ANOTHER: Duration = Duration::from_secs(10);
/// What nobody has reported about for so long is forgotten.
const FORGET: Duration = Duration::from_mins(10);
/// The kubelet may know a pod before this agent does: so many deliveries wait for it.
const EARLY: u32 = 5;

/// All claims about which something was reported lately.
#[derive(Debug, Default)]
pub(super) struct Book(HashMap<ClaimUid, Entry>);

/// One claim.
#[derive(Debug)]
struct Entry {
    state: State,
    /// The state has changed since it was last written, or was not written yet.
    unwritten: bool,
    /// The server has a failure, which has to go when nothing else is written.
    says_failed: bool,
    notices: BTreeMap<&'static str, Waiting>,
    sent: BTreeMap<&'static str, Sent>,
    /// Deliveries that failed, one after the other.
    failures: u32,
    due: Instant,
    /// A delivery is under way.
    busy: bool,
    touched: Instant,
}

#[derive(Debug)]
struct Waiting {
    notice: Notice,
    not_before: Instant,
}

#[derive(Debug)]
struct Sent {
    note: String,
    at: Instant,
}

impl Entry {
    fn new(now: Instant) -> Self {
        Self {
            state: State::default(),
            unwritten: false,
            says_failed: false,
            notices: BTreeMap::new(),
            sent: BTreeMap::new(),
            failures: 0,
            due: now,
            busy: false,
            touched: now,
        }
    }

    /// Something is new: it is tried at once, whatever failed before.
    fn renew(&mut self, now: Instant) {
        (self.unwritten, self.failures, self.due) = (true, 0, now);
    }

    /// When the next delivery is due.
    fn next(&self) -> Option<Instant> {
        if self.busy {
            return None;
        }
        let notices = self.notices.values().map(|waiting| waiting.not_before);
        let first = match self.unwritten {
            true => Some(self.due),
            false => notices.min(),
        };
        first.map(|first| first.max(self.due))
    }

    fn work(&mut self, now: Instant) -> Work {
        let due = |waiting: &&Waiting| waiting.not_before <= now;
        let notices = self.notices.values().filter(due);
        let notices: Vec<Notice> = notices.map(|waiting| waiting.notice.clone()).collect();
        self.notices.retain(|_, waiting| waiting.not_before > now);
        self.busy = true;
        Work {
            state: self.state.clone(),
            status: std::mem::take(&mut self.unwritten),
            clear: self.says_failed,
            notices,
            early: self.failures < EARLY,
        }
    }

    /// An event, unless the same was sent just now.
    fn notify(&mut self, notice: Notice, now: Instant) {
        let sent = self.sent.get(notice.reason);
        let is_same = sent.is_some_and(|sent| sent.note == notice.note);
        if is_same && sent.is_some_and(|sent| now < sent.at + REPEAT) {
            return;
        }
        let not_before = sent.map_or(now, |sent| (sent.at + ANOTHER).max(now));
        let waiting = Waiting { notice, not_before };
        self.notices.insert(waiting.notice.reason, waiting);
    }

    /// The next delivery is later, and later each time.
    fn pause(&mut self, now: Instant) {
        let pause = FIRST_RETRY.saturating_mul(1 << self.failures.min(16));
        self.due = now + pause.min(LONGEST_RETRY);
        self.failures += 1;
    }

    fn failed(&mut self, claim: ClaimRef, failure: Failure) {
        self.state.claim = Some(claim);
        self.state.failure = Some(failure);
    }

    /// What an earlier failure says is no longer so.
    fn succeeded(&mut self) {
        self.state.failure = None;
        self.state.devices.clear();
        self.notices.remove("PrepareFailed");
        self.notices.remove("UnprepareFailed");
    }
}

impl Book {
    /// How many deliveries are under way.
    pub(super) fn busy(&self) -> usize {
        self.0.values().filter(|entry| entry.busy).count()
    }

    /// When something is due next.
    pub(super) fn wake(&self) -> Option<Instant> {
        self.0.values().filter_map(Entry::next).min()
    }

    /// What is due, the longest due first, and at most so many claims.
    pub(super) fn due(&mut self, now: Instant, room: usize) -> Vec<(ClaimUid, Work)> {
        self.0.retain(|_, entry| {
            entry.busy || entry.next().is_some() || now < entry.touched + FORGET
        });
        let mut due: Vec<(Instant, ClaimUid)> = self
            .0
            .iter()
            .filter_map(|(uid, entry)| Some((entry.next()?, uid.clone())))
            .filter(|(at, _)| *at <= now)
            .collect();
        due.sort();
        due.truncate(room);
        let work = |(_, uid): (Instant, ClaimUid)| {
            let work = self.0.get_mut(&uid)?.work(now);
            Some((uid, work))
        };
        due.into_iter().filter_map(work).collect()
    }

    /// Takes what was reported of a claim; the latest state wins.
    pub(super) fn take(&mut self, report: Report, now: Instant) {
        match report {
            Report::Prepared(claim) => self.prepared(claim, now),
            Report::PrepareFailed(claim, allocated, failure) => {
                self.prepare_failed(claim, allocated.map(|boxed| *boxed), failure, now);
            }
            Report::Unprepared(claim) => self.unprepared(&claim, now),
            Report::UnprepareFailed(claim, failure) => self.unprepare_failed(claim, failure, now),
            Report::Changed(change) => self.changed(change, now),
            Report::AttachFailed(claim, pod, text) => self.attach_failed(claim, pod, text, now),
            Report::Tainted(claim, pods, note) => self.tainted(claim, pods, note, now),
            // These are for several claims, and are resolved before.
            Report::SandboxFailed(..) | Report::Taints(_) => {}
        }
    }

    fn entry(&mut self, uid: &ClaimUid, now: Instant) -> &mut Entry {
        let entry = self.0.entry(uid.clone());
        let entry = entry.or_insert_with(|| Entry::new(now));
        entry.touched = now;
        entry
    }

    fn prepared(&mut self, claim: ClaimRef, now: Instant) {
        let entry = self.entry(&claim.uid.clone(), now);
        entry.succeeded();
        entry.state.claim = Some(claim);
        entry.renew(now);
    }

    fn prepare_failed(
        &mut self,
        claim: ClaimRef,
        allocated: Option<AllocatedClaim>,
        failure: Failure,
        now: Instant,
    ) {
        let entry = self.entry(&claim.uid.clone(), now);
        let pods = allocated.as_ref().map(|found| found.reserved_for.clone());
        let device = |result: AllocatedDevice| (result.device, result.share_id);
        let devices = allocated.map(|found| found.devices.into_iter().map(device).collect());
        let devices: Vec<_> = devices.unwrap_or_else(|| entry.state.devices.clone());
        let is_new =
            entry.state.failure.as_ref() != Some(&failure) || entry.state.devices != devices;
        entry.state.devices = devices;
        let notice = notice(
            "PrepareFailed",
            "Prepare",
            &failure.text,
            pods.unwrap_or_default(),
        );
        entry.notify(notice, now);
        entry.failed(claim, failure);
        // The kubelet tries again and again: nothing new is to be written then.
        if is_new {
            entry.renew(now);
        }
    }

    fn unprepared(&mut self, claim: &ClaimRef, now: Instant) {
        let Some(entry) = self.0.get_mut(&claim.uid) else {
            return;
        };
        entry.touched = now;
        entry.succeeded();
        entry.state.network = None;
        if entry.says_failed {
            entry.renew(now);
        }
    }

    fn unprepare_failed(&mut self, claim: ClaimRef, failure: Failure, now: Instant) {
        let entry = self.entry(&claim.uid.clone(), now);
        let is_new = entry.state.failure.as_ref() != Some(&failure);
        let notice = notice("UnprepareFailed", "Unprepare", &failure.text, Vec::new());
        entry.notify(notice, now);
        entry.failed(claim, failure);
        if is_new {
            entry.renew(now);
        }
    }

    fn changed(&mut self, change: Change, now: Instant) {
        let uid = change.claim();
        let entry = self.entry(&uid, now);
        entry.state.network = None;
        entry.notices.remove("AttachFailed");
        entry.renew(now);
    }

    fn attach_failed(&mut self, claim: ClaimRef, pod: Subject, text: String, now: Instant) {
        let entry = self.entry(&claim.uid.clone(), now);
        let mut notice = notice("AttachFailed", "Attach", &text, Vec::new());
        notice.subjects.push(pod);
        entry.notify(notice, now);
        entry.state.claim = Some(claim);
        if entry.state.network.replace(text.clone()).as_ref() != Some(&text) {
            entry.renew(now);
        }
    }

    fn tainted(&mut self, claim: ClaimRef, pods: Vec<String>, note: Option<String>, now: Instant) {
        let entry = self.entry(&claim.uid.clone(), now);
        entry.state.claim = Some(claim);
        match note {
            Some(note) => entry.notify(notice("DeviceTainted", "Taint", &note, pods), now),
            None => drop(entry.notices.remove("DeviceTainted")),
        }
        entry.renew(now);
    }

    /// What became of a delivery: what is left of it is tried again later, unless something newer
    /// takes its place.
    pub(super) fn delivered(&mut self, uid: &ClaimUid, outcome: Outcome, now: Instant) {
        let Some(entry) = self.0.get_mut(uid) else {
            return;
        };
        entry.busy = false;
        for (reason, note) in outcome.sent {
            entry.sent.insert(reason, Sent { note, at: now });
        }
        if let Some(says_failed) = outcome.says_failed {
            entry.says_failed = says_failed;
        }
        let is_retried = outcome.again || !outcome.left.is_empty();
        for notice in outcome.left {
            let not_before = now;
            entry
                .notices
                .entry(notice.reason)
                .or_insert(Waiting { notice, not_before });
        }
        let is_newer = entry.unwritten;
        entry.unwritten |= outcome.again;
        match is_retried {
            true if is_newer => {}
            true => entry.pause(now),
            false => entry.failures = 0,
        }
    }
}

fn notice(reason: &'static str, action: &'static str, note: &str, pods: Vec<String>) -> Notice {
    Notice {
        reason,
        action,
        note: note.to_owned(),
        pods,
        subjects: Vec::new(),
        sent: Vec::new(),
    }
}
