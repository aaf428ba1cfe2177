//! Dying, or being refused, at a chosen write.

use std::io;

use super::super::{HostError, Result};

/// At which write, counted from 1, what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trip {
    /// Killed before it.
    Before(u32),
    /// Killed in the middle of it, where it has one: driver unbound, not yet bound.
    Amid(u32),
    /// Killed after it.
    After(u32),
    /// It fails, and nothing changes.
    Refuse(u32),
    /// It and all later ones fail.
    RefuseFrom(u32),
}

/// The fuse. When it has blown, nothing works until the next life.
#[derive(Debug, Default)]
pub(super) struct Fuse {
    trip: Option<Trip>,
    writes: u32,
    dead: bool,
}

impl Fuse {
    pub(super) fn arm(&mut self, trip: Trip) {
        *self = Self {
            trip: Some(trip),
            ..Self::default()
        };
    }

    pub(super) fn revive(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_dead(&self) -> bool {
        self.dead
    }

    pub(super) fn writes(&self) -> u32 {
        self.writes
    }

    pub(super) fn alive(&self, what: &str) -> Result<()> {
        if self.dead {
            Err(HostError::new(
                what,
                "write",
                io::Error::other("the process is dead"),
            ))
        } else {
            Ok(())
        }
    }

    pub(super) fn before(&mut self, what: &str) -> Result<()> {
        self.alive(what)?;
        self.writes += 1;
        match self.trip {
            Some(Trip::Before(n)) if n == self.writes => self.blow(what),
            Some(Trip::Refuse(n)) if n == self.writes => refused(what),
            Some(Trip::RefuseFrom(n)) if n <= self.writes => refused(what),
            _ => Ok(()),
        }
    }

    pub(super) fn amid(&mut self, what: &str) -> Result<()> {
        if self.trip == Some(Trip::Amid(self.writes)) {
            self.blow(what)
        } else {
            Ok(())
        }
    }

    pub(super) fn after(&mut self, what: &str) -> Result<()> {
        self.alive(what)?;
        if self.trip == Some(Trip::After(self.writes)) {
            self.blow(what)
        } else {
            Ok(())
        }
    }

    fn blow(&mut self, what: &str) -> Result<()> {
        self.dead = true;
        self.alive(what)
    }
}

fn refused(what: &str) -> Result<()> {
    let (subject, op) = what.split_once(": ").unwrap_or((what, "write"));
    Err(HostError::new(subject, op, io::Error::from_raw_os_error(5)))
}
