//! Every write of a slice asks here.

use tokio::time::Instant;

use super::{
    contest::Contest,
    lease::{Lease, Turn},
};
use crate::slice::SliceChange;

/// Whether this agent may write now.
#[derive(Default)]
pub(super) struct Gate {
    /// None: no other agent has this node.
    lease: Option<Lease>,
    contest: Contest,
}

/// Why a round ended before all was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Another agent writes.
    NotTheWriter,
    /// Another program rewrites the slices.
    Until(Instant),
}

impl Gate {
    pub(super) fn leased(lease: Lease) -> Self {
        Self {
            lease: Some(lease),
            contest: Contest::default(),
        }
    }

    pub(super) fn has_lease(&self) -> bool {
        self.lease.is_some()
    }

    pub(super) fn is_writer(&self) -> bool {
        self.lease.as_ref().is_none_or(Lease::is_writer)
    }

    /// Looks whether this or another agent is the writer now. True: this one has become it.
    pub(super) fn look(&mut self) -> bool {
        let Some(lease) = &mut self.lease else {
            return false;
        };
        let turn = lease.look(Instant::now());
        match turn {
            Turn::Same => {}
            Turn::Gained => {
                tracing::info!("this agent writes the node's slices from now on");
                self.contest = Contest::default();
            }
            Turn::Lost => {
                tracing::info!("another agent of this node writes its slices from now on");
            }
        }
        turn == Turn::Gained
    }

    /// The slices have been listed.
    pub(super) fn listed(&mut self) {
        if let Some(lease) = &mut self.lease {
            lease.listed();
        }
    }

    /// Why the next write must not be.
    pub(super) fn stop(&mut self) -> Option<Stop> {
        if self.is_writer() {
            self.look();
        }
        if !self.is_writer() {
            return Some(Stop::NotTheWriter);
        }
        self.contest.pause(Instant::now()).map(Stop::Until)
    }

    pub(super) fn seen(&mut self, change: &SliceChange) {
        if self.is_writer() {
            self.contest.seen(change, Instant::now());
        }
    }

    pub(super) fn wrote(&mut self) {
        self.contest.wrote(Instant::now());
    }

    pub(super) fn created(&mut self, name: &str) {
        self.contest.created(name, Instant::now());
    }

    pub(super) fn settled(&mut self) {
        self.contest.settled();
    }
}
