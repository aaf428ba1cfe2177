//! Whether somebody else rewrites what this agent writes: an agent of a version without leases, or
//! another program. Then it writes rarely.

use std::{collections::BTreeMap, time::Duration};

use tokio::time::Instant;

use crate::slice::SliceChange;

/// What comes so soon after a write answers it, and so long a pause the answer causes.
const PAUSE: Duration = Duration::from_secs(10);
/// After so long without an answer and without a write the other writer is forgotten.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// What is known of the other writer.
#[derive(Debug, Default)]
pub(super) struct Contest {
    written: Option<Instant>,
    /// When somebody last undid what this agent had just written.
    answered: Option<Instant>,
    /// Somebody has deleted slices since the last round.
    deleted: bool,
    /// Slices that were created because others had been deleted, and when.
    recreated: BTreeMap<String, Instant>,
}

impl Contest {
    /// Somebody else has changed a slice that is known to this agent.
    pub(super) fn seen(&mut self, change: &SliceChange, now: Instant) {
        self.recreated.retain(|_, created| now < *created + PAUSE);
        let answers = match change {
            SliceChange::Applied { .. } => self.written.is_some_and(|at| now < at + PAUSE),
            // The kubelet deletes all slices when it starts, also fresh ones; deleting those that
            // came for them is another matter.
            SliceChange::Deleted { name } => {
                self.deleted = true;
                self.recreated.contains_key(name)
            }
            SliceChange::Unknown => false,
        };
        if answers && !self.is_on(now) {
            tracing::warn!(
                ?change,
                "another writer rewrites the slices of this node: at most one write in 10 s"
            );
        }
        if answers {
            self.answered = Some(now);
        }
    }

    /// When the next write may be; none: now.
    pub(super) fn pause(&self, now: Instant) -> Option<Instant> {
        let until = self.written.filter(|_| self.is_on(now))? + PAUSE;
        (now < until).then_some(until)
    }

    /// A write was tried.
    pub(super) fn wrote(&mut self, now: Instant) {
        self.answered = self.answered.filter(|_| self.is_on(now));
        self.written = Some(now);
    }

    /// A slice was created.
    pub(super) fn created(&mut self, name: &str, now: Instant) {
        if self.deleted {
            self.recreated.insert(name.to_owned(), now);
        }
    }

    /// The server holds what is desired.
    pub(super) fn settled(&mut self) {
        self.deleted = false;
    }

    /// Until a write has not been answered for the time that an answer takes.
    fn is_on(&self, now: Instant) -> bool {
        let (Some(written), Some(answered)) = (self.written, self.answered) else {
            return false;
        };
        let limit = match written > answered {
            true => written + PAUSE,
            false => answered + FORGOTTEN,
        };
        now < limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied() -> SliceChange {
        SliceChange::Applied {
            name: "a".into(),
            version: "1".into(),
        }
    }

    fn deleted(name: &str) -> SliceChange {
        SliceChange::Deleted { name: name.into() }
    }

    fn second(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_rewrite_just_after_a_write_slows_writing_until_nobody_answers() {
        let start = Instant::now();
        let at = |seconds| second(start, seconds);
        let mut contest = Contest::default();
        contest.wrote(at(0));
        contest.seen(&applied(), at(1));
        assert_eq!(contest.pause(at(1)), Some(at(10)));
        assert_eq!(contest.pause(at(10)), None);
        contest.wrote(at(10));
        assert_eq!(contest.pause(at(10)), Some(at(20)), "one, not a round");
        contest.seen(&applied(), at(12));
        assert_eq!(contest.pause(at(19)), Some(at(20)));
        contest.wrote(at(20));
        assert_eq!(contest.pause(at(29)), Some(at(30)));
        contest.wrote(at(30));
        assert_eq!(contest.pause(at(30)), None, "nobody has answered");
        contest.seen(&applied(), at(31));
        contest.seen(&applied(), at(40));
        contest.wrote(at(45));
        assert_eq!(contest.pause(at(46)), Some(at(55)), "however late");
        contest.seen(&applied(), at(47));
        contest.wrote(at(107));
        assert_eq!(contest.pause(at(107)), None, "forgotten");
    }

    #[test]
    fn an_edit_long_after_the_last_write_is_no_contest() {
        let start = Instant::now();
        let mut contest = Contest::default();
        contest.wrote(start);
        contest.seen(&applied(), second(start, 10));
        contest.wrote(second(start, 10));
        assert_eq!(contest.pause(second(start, 10)), None);
    }

    #[test]
    fn deletions_are_a_contest_once_what_replaced_them_is_deleted_too() {
        let start = Instant::now();
        let mut contest = Contest::default();
        contest.wrote(start);
        contest.created("first", start);
        contest.seen(&deleted("first"), start);
        contest.wrote(start);
        contest.created("second", start);
        contest.settled();
        assert_eq!(contest.pause(start), None, "the kubelet's wipe");
        contest.seen(&deleted("second"), start);
        assert_eq!(contest.pause(start), Some(second(start, 10)));
    }
}
