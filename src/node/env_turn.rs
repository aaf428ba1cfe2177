//! Which agent of this node sets containers' variables: of two that share it during an update, one
//! only, since the runtime refuses a container for which two plugins set the same variable
//! (`adjustEnv` in `pkg/adaptation/result.go` of NRI).

use std::sync::{Mutex, PoisonError};

use crate::ledger::{SliceLock, SliceLocks};

/// This agent's turn.
pub(super) struct EnvTurn {
    locks: SliceLocks,
    /// Until the process ends.
    held: Mutex<Option<SliceLock>>,
}

impl EnvTurn {
    pub(super) fn new(locks: SliceLocks) -> Self {
        Self {
            locks,
            held: Mutex::default(),
        }
    }

    /// Whether this agent sets them: the first that is asked, until it ends.
    pub(super) fn is_own(&self) -> bool {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(SliceLock::is_in_place) {
            return true;
        }
        *held = self.locks.try_env().unwrap_or_else(|error| {
            tracing::warn!(%error, "env.lock");
            None
        });
        held.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::Paths;

    #[test]
    fn one_agent_sets_variables_until_it_ends() {
        let dir = tempfile::tempdir().unwrap();
        let turn = || EnvTurn::new(SliceLocks::started(&Paths::below(dir.path()), 1));
        let (old, new) = (turn(), turn());
        assert!(old.is_own() && !new.is_own() && old.is_own());
        drop(old);
        assert!(new.is_own());
    }
}
