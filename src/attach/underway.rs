//! Which sandboxes are being attached right now. Shared by the hooks: the call that began an
//! attachment may be over long before the kernel is done, and then its containers wait for it, and
//! the sandbox's end ends it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// What is known of a sandbox by its id.
#[derive(Debug, Default)]
pub(super) struct Underway(Mutex<BTreeMap<String, State>>);

#[derive(Debug)]
enum State {
    AtWork(Ended),
    /// Why the last attempt did not succeed.
    Failed(String),
}

/// Whether the sandbox has ended since its attachment began.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended(Arc<AtomicBool>);

impl Ended {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Underway {
    fn states(&self) -> MutexGuard<'_, BTreeMap<String, State>> {
        // Each write is one call of the map: a panic elsewhere leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody begins to attach.
    pub(super) fn begin(&self, sandbox: &str) -> Ended {
        let mut states = self.states();
        if let Some(State::AtWork(ended)) = states.get(sandbox) {
            return ended.clone();
        }
        let ended = Ended::default();
        states.insert(sandbox.to_owned(), State::AtWork(ended.clone()));
        ended
    }

    /// It is done, or why it is not. Of a sandbox that has ended nothing is kept.
    pub(super) fn finish(&self, sandbox: &str, ended: &Ended, failure: Option<String>) {
        let mut states = self.states();
        match failure.filter(|_| !ended.is_set()) {
            Some(why) => states.insert(sandbox.to_owned(), State::Failed(why)),
            None => states.remove(sandbox),
        };
    }

    /// The sandbox ends: whoever attaches it stops before the next step.
    pub(super) fn end(&self, sandbox: &str) {
        if let Some(State::AtWork(ended)) = self.states().remove(sandbox) {
            ended.0.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn is_at_work(&self, sandbox: &str) -> bool {
        matches!(self.states().get(sandbox), Some(State::AtWork(_)))
    }

    /// Why the last attempt has failed.
    pub(super) fn failure(&self, sandbox: &str) -> Option<String> {
        match self.states().get(sandbox) {
            Some(State::Failed(why)) => Some(why.clone()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_seen_by_all_who_attach_and_forgets_the_sandbox() {
        let underway = Underway::default();
        let (first, second) = (underway.begin("a"), underway.begin("a"));
        assert!(underway.is_at_work("a") && !first.is_set());
        underway.end("a");
        assert!(first.is_set() && second.is_set() && !underway.is_at_work("a"));
        underway.finish("a", &first, Some("late".into()));
        assert_eq!(underway.failure("a"), None);
    }

    #[test]
    fn a_failure_is_kept_until_the_next_attempt() {
        let underway = Underway::default();
        let ended = underway.begin("a");
        underway.finish("a", &ended, Some("no route".into()));
        assert_eq!(underway.failure("a").as_deref(), Some("no route"));
        let ended = underway.begin("a");
        assert_eq!(underway.failure("a"), None);
        underway.finish("a", &ended, None);
        assert!(!underway.is_at_work("a") && underway.failure("a").is_none());
    }
}
