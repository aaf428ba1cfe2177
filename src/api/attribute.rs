//! Attributes of devices: a value, the API's limits on it, and the names that are this driver's
//! own.
//!
//! Source of the limits: `pkg/apis/resource/validation/validation.go` of Kubernetes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Attributes and capacities of one device at most.
pub const MAX_ATTRIBUTES: usize = 32;
/// Bytes of a text.
pub(crate) const MAX_VALUE: usize = 64;

/// The pool's name as Multus knows it. The one own attribute that a policy may set.
pub const RESOURCE_NAME: &str = "k8s.cni.cncf.io/resourceName";

/// What this driver publishes itself. A name without a domain is in the driver's.
pub const OWN_ATTRIBUTES: [&str; 29] = [
    "acpiIndex",
    "auxDevice",
    "ddpProfile",
    "deviceID",
    "dra.net/numaNode",
    "driver",
    "eswitchMode",
    "index",
    "isolated",
    "k8s.cni.cncf.io/deviceID",
    RESOURCE_NAME,
    "linkSpeed",
    "linkType",
    "numVFs",
    "pKey",
    "pciAddress",
    "pfDeviceID",
    "pfName",
    "pfPciAddress",
    "pool",
    "rdma",
    "resource.kubernetes.io/numaNode",
    "resource.kubernetes.io/pciBusID",
    "resource.kubernetes.io/pcieRoot",
    "totalVFs",
    "type",
    "vdpaCapable",
    "vdpaType",
    "vendor",
];

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Attribute {
    /// At most 64 bytes.
    String(String),
    /// A number.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// Semantic version 2.0.0, at most 64 bytes.
    Version(String),
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl From<u32> for Attribute {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) | Self::Version(text) => f.write_str(text),
            Self::Int(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
        }
    }
}

impl Attribute {
    /// Why the API server would refuse the attribute, and the whole slice with it; none when it
    /// takes it.
    #[must_use]
    pub fn fault(&self, name: &str) -> Option<&'static str> {
        match self {
            _ if !is_qualified(name) => Some("is not a qualified name"),
            Self::String(text) | Self::Version(text) if text.len() > MAX_VALUE => {
                Some("has more than 64 bytes")
            }
            Self::Version(text) if semver::Version::parse(text).is_err() => {
                Some("is not a semantic version")
            }
            _ => None,
        }
    }
}

/// RFC 1123.
pub(crate) fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len())
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// `[domain/]identifier`.
fn is_qualified(text: &str) -> bool {
    let (domain, id) = text
        .split_once('/')
        .map_or((None, text), |(domain, id)| (Some(domain), id));
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let id_ok = (1..=32).contains(&id.len())
        && id.chars().all(inner)
        && !id.starts_with(|c: char| c.is_ascii_digit());
    id_ok && domain.is_none_or(|domain| domain.len() <= 63 && domain.split('.').all(is_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qualified_names_and_versions() {
        for good in [
            "type",
            "k8s.cni.cncf.io/deviceID",
            "dra.net/numaNode",
            "_x1",
        ] {
            assert!(is_qualified(good), "{good}");
        }
        for bad in ["", "1x", "a-b", "a/b/c", "A.io/x", &"x".repeat(33)] {
            assert!(!is_qualified(bad), "{bad}");
        }
        let fault = |text: &str| Attribute::Version(text.into()).fault("v");
        assert_eq!(fault("1.20.0-rc.1+b"), None);
        for bad in ["1.2", "1.02.0", "v1.2.3", "1.2.3-", ""] {
            assert_eq!(fault(bad), Some("is not a semantic version"), "{bad}");
        }
    }
}
