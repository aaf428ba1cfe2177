//! Whether this agent writes the node's slices: one does, also while two of them share the node
//! during a rolling update.
//!
//! ```text
//!  waiting ── slices.lock is free ────────────────────────────► writer
//!     │                                                           │ another has slices.next
//!     └─ ready for 10 s, newer than the writer: takes slices.next ┘ waiting again
//!        keeps it until it has slices.lock and has listed
//! ```
//!
//! An agent takes `slices.next` once. So the newest, the one that started last, ends up as the
//! writer, and one that crashes again and again stops the older for a moment each time only.

#[cfg(test)]
mod tests;

use std::{io, time::Duration};

use tokio::time::Instant;

use crate::ledger::{SliceLock, SliceLocks};

/// An agent that is ready for so long may become the writer's successor.
const READY: Duration = Duration::from_secs(10);
/// A successor takes over at its next look. One that has not for so long is stopped or hangs, and
/// the others need not wait for it.
const STUCK: Duration = Duration::from_secs(5);
/// So long the writer then goes on, before it makes way for that successor once more.
const RESUMED: Duration = Duration::from_secs(30);

/// This agent's part in who writes.
pub struct Lease {
    locks: SliceLocks,
    ready: Box<dyn Fn() -> bool + Send + Sync>,
    writer: Option<SliceLock>,
    next: Option<SliceLock>,
    /// It has had `slices.next`.
    asked: bool,
    ready_since: Option<Instant>,
    /// Since when another agent has had `slices.next` while this one waits.
    other_since: Option<Instant>,
    /// It became the writer because the successor is stuck: until when it takes no notice of it.
    resumed_until: Option<Instant>,
    fault: Option<String>,
}

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    Same,
    /// This agent writes from now on.
    Gained,
    /// Another one does.
    Lost,
}

impl Lease {
    /// By these locks; `ready` is whether the agent serves.
    #[must_use]
    pub fn new(locks: SliceLocks, ready: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self {
            locks,
            ready: Box::new(ready),
            writer: None,
            next: None,
            asked: false,
            ready_since: None,
            other_since: None,
            resumed_until: None,
            fault: None,
        }
    }

    pub(super) fn is_writer(&self) -> bool {
        self.writer.is_some()
    }

    /// The writer has listed the slices: it is not the successor any more.
    pub(super) fn listed(&mut self) {
        if self.is_writer() {
            self.next = None;
        }
    }

    /// Looks at the locks, and takes or drops its own.
    pub(super) fn look(&mut self, now: Instant) -> Turn {
        let turn = match self.is_writer() {
            true => self.make_way(now),
            false => self.ask(now).and_then(|()| self.take(now)),
        };
        let fault = turn.as_ref().err().map(ToString::to_string);
        if fault != self.fault
            && let Some(fault) = &fault
        {
            tracing::warn!(fault, "the locks of this node's slices");
        }
        self.fault = fault;
        turn.unwrap_or(Turn::Same)
    }

    fn make_way(&mut self, now: Instant) -> io::Result<Turn> {
        let in_place = self.writer.as_ref().is_some_and(SliceLock::is_in_place);
        let deaf = self.next.is_some() || self.resumed_until.is_some_and(|until| now < until);
        if in_place && (deaf || !self.locks.has_successor()?) {
            return Ok(Turn::Same);
        }
        (self.writer, self.next, self.resumed_until) = (None, None, None);
        Ok(Turn::Lost)
    }

    fn ask(&mut self, now: Instant) -> io::Result<()> {
        if !(self.ready)() {
            self.ready_since = None;
            return Ok(());
        }
        let since = *self.ready_since.get_or_insert(now);
        if self.asked || now < since + READY || self.locks.writer_is_newer() {
            return Ok(());
        }
        self.next = self.locks.try_successor()?;
        self.asked = self.next.is_some();
        Ok(())
    }

    fn take(&mut self, now: Instant) -> io::Result<Turn> {
        if self.next.is_some() || !self.locks.has_successor()? {
            self.other_since = None;
        } else if now < *self.other_since.get_or_insert(now) + STUCK {
            return Ok(Turn::Same);
        }
        self.writer = self.locks.try_writer()?;
        if !self.is_writer() {
            return Ok(Turn::Same);
        }
        self.resumed_until = self.other_since.take().map(|_| now + RESUMED);
        Ok(Turn::Gained)
    }
}
