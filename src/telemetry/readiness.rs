//! Readiness of the agent: whether all its parts have started.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

/// Parts that have not started yet. Ready when there are none.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<Mutex<BTreeSet<&'static str>>>);

impl Readiness {
    /// Registers a part; it counts as started when the returned task is dropped.
    #[must_use]
    pub fn task(&self, name: &'static str) -> Task {
        self.with(|pending| pending.insert(name));
        Task {
            readiness: self.clone(),
            name,
        }
    }

    /// The parts that have not started.
    #[must_use]
    pub fn pending(&self) -> Vec<&'static str> {
        self.with(|pending| pending.iter().copied().collect())
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeSet<&'static str>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A part that is starting; drop it when it has started.
#[derive(Debug)]
pub struct Task {
    readiness: Readiness,
    name: &'static str,
}

impl Drop for Task {
    fn drop(&mut self) {
        self.readiness.with(|pending| pending.remove(self.name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_means_that_every_part_has_started() {
        let readiness = Readiness::default();
        let (slices, kubelet) = (readiness.task("slices"), readiness.task("kubelet"));
        drop(slices);
        assert_eq!(readiness.pending(), ["kubelet"]);
        drop(kubelet);
        assert!(readiness.pending().is_empty());
    }
}
