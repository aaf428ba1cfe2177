//! Basic types without I/O: addresses, functions, their settings.
//!
//! Depends on no other module. Every value that has a format is a newtype that is parsed once, at
//! the boundary, and is valid from then on.

mod address;
mod function;
mod guid;
mod name;
mod settings;
mod yields;

pub use address::{Bdf, DeviceId};
pub use function::{
    Bound, Capabilities, EswitchMode, Function, FunctionKind, IncarnationId, LinkType, Netdev,
    Observed, PciIds, RdmaDevice, VdpaType,
};
pub use guid::Guid;
pub use name::IfName;
pub use settings::{
    Binding, LinkSetting, LinkState, Mac, NetdevState, Route, VfAddress, VfSetting, VfSettings,
    VlanProto, VlanTag,
};
pub use yields::{GroupMember, IommuGroup, Yields};

/// A string that cannot be parsed.
///
/// Displays as `NOUN "VALUE": REASON`, e.g. `interface name "a/b": must not contain '/'`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{noun} {value:?}: {reason}")]
pub struct ParseError {
    /// What was being parsed.
    pub noun: &'static str,
    /// The given string.
    pub value: String,
    /// What is wrong with it, and what would be valid.
    pub reason: &'static str,
}

impl ParseError {
    pub(crate) fn new(noun: &'static str, value: &str, reason: &'static str) -> Self {
        Self {
            noun,
            value: value.to_owned(),
            reason,
        }
    }
}
