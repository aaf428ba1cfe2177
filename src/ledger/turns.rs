//! Threads of this process that want the same PF, one after the other: whoever polls a lock's file
//! beside others who do may be late for ever.

use std::{
    collections::BTreeSet,
    sync::{Arc, Condvar, Mutex, PoisonError},
};

use crate::{deadline::Deadline, device::Bdf};

/// The PFs that a thread of this process has.
#[derive(Debug, Default)]
pub(super) struct Turns {
    taken: Mutex<BTreeSet<Bdf>>,
    freed: Condvar,
}

/// A PF is this thread's until this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Arc<Turns>,
    pf: Bdf,
}

impl Turns {
    /// Waits for the PF until the deadline.
    pub(super) fn take(turns: &Arc<Self>, pf: &Bdf, deadline: Deadline) -> Option<Turn> {
        let taken = turns.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut taken, _) = turns
            .freed
            .wait_timeout_while(taken, deadline.left(), |taken| taken.contains(pf))
            .unwrap_or_else(PoisonError::into_inner);
        taken.insert(*pf).then(|| Turn {
            turns: Arc::clone(turns),
            pf: *pf,
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut taken = self
            .turns
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        taken.remove(&self.pf);
        self.turns.freed.notify_all();
    }
}
