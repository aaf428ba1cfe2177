//! What is collected of a network.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::fields::Fields;

/// The settings of a network, collected from its plugins.
pub(super) struct Settings {
    /// The administrator's settings, for the class.
    pub(super) class: Fields,
    /// The user's settings, for the claim.
    pub(super) claim: Fields,
    /// Fields that claims may set in addition.
    pub(super) allow: BTreeSet<&'static str>,
    /// PCI address of a fixed device.
    pub(super) device: Option<String>,
    /// The IPAM plugin that the agents run, if it is not `static`.
    pub(super) ipam: Option<Delegated>,
}

/// `ipam` of a plugin that the agents run.
pub(super) struct Delegated {
    /// Where it is.
    pub(super) at: String,
    /// `type`.
    pub(super) plugin: String,
    /// The object.
    pub(super) config: Map<String, Value>,
}
