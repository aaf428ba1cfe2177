//! Fault injection: a crash or an error at a chosen write.

use std::io;

use super::super::{HostError, Result};

/// Which fault, at which write, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process crashes before it.
    Before(u32),
    /// The process crashes in the middle of a write of two steps: driver unbound, not yet bound.
    During(u32),
    /// The process crashes after it.
    After(u32),
    /// It fails without a change.
    Fail(u32),
    /// It and all later ones fail.
    FailFrom(u32),
}

/// Injects the fault. After a crash every operation fails until the restart.
#[derive(Debug, Default)]
pub(super) struct FaultInjector {
    fault: Option<Fault>,
    writes: u32,
    crashed: bool,
}

impl FaultInjector {
    pub(super) fn arm(&mut self, fault: Fault) {
        *self = Self {
            fault: Some(fault),
            ..Self::default()
        };
    }

    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_crashed(&self) -> bool {
        self.crashed
    }

    pub(super) fn writes(&self) -> u32 {
        self.writes
    }

    pub(super) fn check_running(&self, what: &str) -> Result<()> {
        if self.crashed {
            Err(HostError::new(
                what,
                "write",
                io::Error::other("the process has crashed"),
            ))
        } else {
            Ok(())
        }
    }

    pub(super) fn before(&mut self, what: &str) -> Result<()> {
        self.check_running(what)?;
        self.writes += 1;
        match self.fault {
            Some(Fault::Before(n)) if n == self.writes => self.crash(what),
            Some(Fault::Fail(n)) if n == self.writes => refused(what),
            Some(Fault::FailFrom(n)) if n <= self.writes => refused(what),
            _ => Ok(()),
        }
    }

    pub(super) fn during(&mut self, what: &str) -> Result<()> {
        if self.fault == Some(Fault::During(self.writes)) {
            self.crash(what)
        } else {
            Ok(())
        }
    }

    pub(super) fn after(&mut self, what: &str) -> Result<()> {
        self.check_running(what)?;
        if self.fault == Some(Fault::After(self.writes)) {
            self.crash(what)
        } else {
            Ok(())
        }
    }

    fn crash(&mut self, what: &str) -> Result<()> {
        self.crashed = true;
        self.check_running(what)
    }
}

fn refused(what: &str) -> Result<()> {
    let (subject, op) = what.split_once(": ").unwrap_or((what, "write"));
    Err(HostError::new(subject, op, io::Error::from_raw_os_error(5)))
}
