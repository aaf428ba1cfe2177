//! Versions of the specification.

use std::fmt;

/// A version that we answer in, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// 0.1.0, also when a configuration has no version.
    V010,
    /// 0.2.0: the last with one address per family and without interfaces.
    V020,
    /// 0.3.0.
    V030,
    /// 0.3.1.
    V031,
    /// 0.4.0: the first with CHECK.
    V040,
    /// 1.0.0: addresses without their family.
    V100,
    /// 1.1.0: the first with GC and STATUS, and with an interface's MTU, socket and PCI address.
    V110,
}

impl Version {
    /// All, oldest first: those that the Go plugin lists too.
    pub const ALL: [Self; 7] = [
        Self::V010,
        Self::V020,
        Self::V030,
        Self::V031,
        Self::V040,
        Self::V100,
        Self::V110,
    ];
    /// The newest: of answers to calls that name no version that we know.
    pub const CURRENT: Self = Self::V110;

    /// As in a configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V010 => "0.1.0",
            Self::V020 => "0.2.0",
            Self::V030 => "0.3.0",
            Self::V031 => "0.3.1",
            Self::V040 => "0.4.0",
            Self::V100 => "1.0.0",
            Self::V110 => "1.1.0",
        }
    }

    /// The version that is written so. Nothing at all is 0.1.0, as libcni has it.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let text = if text.is_empty() { "0.1.0" } else { text };
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    /// Whether results have an address per family, and cannot be without one.
    #[must_use]
    pub fn needs_address(self) -> bool {
        self <= Self::V020
    }

    /// The list, for messages.
    #[must_use]
    pub fn list() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
