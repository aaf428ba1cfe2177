//! Who has a device node open.

use std::fmt;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id in the host's namespace.
    pub pid: u32,
    /// `comm`.
    pub name: String,
}

/// Whether a device node is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeUse {
    /// Not, as far as the kernel shows it.
    Free,
    /// In these processes; none: in one that cannot be seen from here.
    Open(Vec<Process>),
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({})", self.pid, self.name)
    }
}
