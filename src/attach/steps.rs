//! How long the steps of a call take, for the log: a pod's start waits for all of them.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use super::Sandbox;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Waits for the locks of claims and devices.
    Locks,
    /// Looks whether the device is the claim's, and where its netdev is.
    Look,
    /// Moves the netdev, and sets all that it is to have.
    Move,
    /// Writes records.
    Record,
    /// Opens the start gate.
    StartGate,
}

const NUMBER: usize = 5;

/// A stopwatch for each step.
#[derive(Debug)]
pub(super) struct Steps {
    begun: Instant,
    took: [Cell<Duration>; NUMBER],
}

impl Steps {
    pub(super) fn begin() -> Self {
        Self {
            begun: Instant::now(),
            took: Default::default(),
        }
    }

    /// Does the work as a part of this step.
    pub(super) fn time<T>(&self, step: Step, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let result = work();
        let took = &self.took[step as usize];
        took.set(took.get() + begun.elapsed());
        result
    }

    fn ms(&self, step: Step) -> f64 {
        millis(self.took[step as usize].get())
    }

    /// A line for a sandbox that has all of its netdevs.
    pub(super) fn log(&self, sandbox: &Sandbox) {
        tracing::info!(
            pod = %sandbox,
            ms = millis(self.begun.elapsed()),
            locks_ms = self.ms(Step::Locks),
            look_ms = self.ms(Step::Look),
            move_ms = self.ms(Step::Move),
            record_ms = self.ms(Step::Record),
            start_gate_ms = self.ms(Step::StartGate),
            "attached"
        );
    }
}

/// With three digits: a step may take less than one.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_a_stopwatch_of_its_own() {
        let steps = Steps::begin();
        let answer = steps.time(Step::Move, || {
            while steps.begun.elapsed().is_zero() {}
            7
        });
        assert_eq!(answer, 7);
        let once = steps.took[Step::Move as usize].get();
        steps.time(Step::Move, || ());
        assert!(steps.took[Step::Move as usize].get() >= once);
        let others = [Step::Locks, Step::Look, Step::Record, Step::StartGate];
        assert!(others.iter().all(|step| steps.ms(*step) == 0.0));
        assert_eq!(millis(Duration::from_nanos(1_234_567)), 1.235);
    }
}
