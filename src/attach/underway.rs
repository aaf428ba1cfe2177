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

#[derive(Debug, Default)]
struct State {
    /// Attempts that have begun and not finished.
    at_work: usize,
    /// Shared with these attempts; those of before the sandbox's end have another one.
    ended: Ended,
    /// Why the last attempt to finish did not succeed.
    failure: Option<String>,
    /// A container has had its wait for the sandbox.
    waited: bool,
}

/// Whether the sandbox has ended since its attachment began.
#[derive(Debug, Clone, Default)]
pub(super) struct Ended(Arc<AtomicBool>);

impl Ended {
    pub(super) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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
        let state = states.entry(sandbox.to_owned()).or_default();
        state.at_work += 1;
        state.failure = None;
        state.ended.clone()
    }

    /// An attempt is done, or why it is not; others may still be at work. Of a sandbox that has
    /// ended, or is attached, nothing is kept.
    pub(super) fn finish(&self, sandbox: &str, ended: &Ended, failure: Option<String>) {
        let mut states = self.states();
        let Some(state) = states.get_mut(sandbox).filter(|has| has.ended.is(ended)) else {
            return;
        };
        state.at_work -= 1;
        state.failure = failure;
        if state.at_work == 0 && state.failure.is_none() {
            states.remove(sandbox);
        }
    }

    /// The sandbox ends: whoever attaches it stops before the next step.
    pub(super) fn end(&self, sandbox: &str) {
        if let Some(state) = self.states().remove(sandbox) {
            state.ended.0.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn is_at_work(&self, sandbox: &str) -> bool {
        self.states()
            .get(sandbox)
            .is_some_and(|state| state.at_work > 0)
    }

    /// Whether a container may wait for the sandbox: the first that asks while it is being attached.
    pub(super) fn may_wait(&self, sandbox: &str) -> bool {
        match self.states().get_mut(sandbox) {
            Some(state) => !std::mem::replace(&mut state.waited, true),
            None => true,
        }
    }

    /// Why the last attempt has failed.
    pub(super) fn failure(&self, sandbox: &str) -> Option<String> {
        let states = self.states();
        let state = states.get(sandbox).filter(|state| state.at_work == 0);
        state?.failure.clone()
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

    #[test]
    fn an_attempt_that_fails_leaves_the_mark_of_another_one() {
        let underway = Underway::default();
        let (first, second) = (underway.begin("a"), underway.begin("a"));
        underway.finish("a", &first, Some("locked".into()));
        assert!(underway.is_at_work("a") && underway.failure("a").is_none());
        underway.end("a");
        assert!(second.is_set());
    }

    #[test]
    fn an_attempt_that_succeeds_leaves_the_mark_of_another_one() {
        let underway = Underway::default();
        let (first, second) = (underway.begin("a"), underway.begin("a"));
        underway.finish("a", &first, None);
        assert!(underway.is_at_work("a"));
        underway.finish("a", &second, None);
        assert!(!underway.is_at_work("a"));
    }

    #[test]
    fn an_attempt_of_a_sandbox_that_ended_says_nothing_of_a_later_one() {
        let underway = Underway::default();
        let ended = underway.begin("a");
        underway.end("a");
        let later = underway.begin("a");
        underway.finish("a", &ended, Some("late".into()));
        assert!(underway.is_at_work("a") && !later.is_set());
    }

    #[test]
    fn one_container_of_a_sandbox_may_wait() {
        let underway = Underway::default();
        let ended = underway.begin("a");
        assert!(underway.may_wait("a") && !underway.may_wait("a") && underway.may_wait("b"));
        underway.finish("a", &ended, Some("no route".into()));
        underway.begin("a");
        assert!(!underway.may_wait("a"));
    }
}
