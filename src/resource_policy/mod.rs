//! The Go DRA driver's `SriovResourcePolicy` and `DeviceAttributes`: which devices get which
//! attributes of the administrator's own, and which pool.
//!
//! ```text
//!  SriovResourcePolicy ─► read ─┐
//!  DeviceAttributes ─► attributes┴► Library ─ assign(node, devices) ─► pool and attributes of each device
//! ```
//!
//! Knows the objects' JSON and the devices as filters see them, no server. Policies are sorted by
//! name, a policy's configs are in their order, and the first match wins; a device that config.json
//! gives to a pool stays in that one. What the Go driver passes over in silence is a
//! [`ConfigError`](crate::pool::ConfigError) or a problem here.

mod assign;
mod attributes;
mod fields;
mod filter;
mod labels;
mod library;
mod nearest;
mod nodes;
mod object;
mod read;
mod status;
#[cfg(test)]
mod tests;

pub use assign::{Decision, PolicyAssignment};
pub use filter::Seen;
pub use library::{Library, Problem};
pub use nodes::Node;
pub use object::{GROUP, Kind, Object, Objects, VERSION};

use filter::Filter;
use labels::LabelSelector;
use nodes::NodeSelector;

/// A `SriovResourcePolicy` that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Policy {
    /// None: all nodes.
    nodes: Option<NodeSelector>,
    configs: Vec<Config>,
}

/// One of a policy's `configs`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Config {
    /// Any of them takes a device; without any: all VFs.
    filters: Vec<Filter>,
    /// Whose attributes its devices get; none: nobody's.
    attributes: Option<LabelSelector>,
}
