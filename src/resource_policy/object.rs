//! The two kinds as the server has them.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

/// Their API group, and the Go driver's name.
pub const GROUP: &str = "sriovnetwork.k8snetworkplumbingwg.io";
/// Their version.
pub const VERSION: &str = "v1alpha1";

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Selects devices.
    Policy,
    /// Says what selected devices get.
    Attributes,
}

impl Kind {
    /// `kind`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "SriovResourcePolicy",
            Self::Attributes => "DeviceAttributes",
        }
    }

    /// The resource in paths and in RBAC.
    #[must_use]
    pub fn plural(self) -> &'static str {
        match self {
            Self::Policy => "sriovresourcepolicies",
            Self::Attributes => "deviceattributes",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One object.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Which kind.
    pub kind: Kind,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// As it was written.
    pub spec: Value,
    /// What was last said of it; null if nothing.
    pub status: Value,
}

/// `SriovResourcePolicy blue`.
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}

/// All objects of a namespace, in any order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Objects {
    /// The policies.
    pub policies: Vec<Object>,
    /// What they give.
    pub attributes: Vec<Object>,
}
