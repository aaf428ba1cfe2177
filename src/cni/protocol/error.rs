//! Errors as a runtime reads them.

use std::fmt;

use serde_json::{Map, Value};

use super::Version;

/// An error's code. Below 100 they are the specification's, from 100 on our own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u32);

impl Code {
    /// The version of the configuration or what it asks of that version is not supported.
    pub const INCOMPATIBLE_VERSION: Self = Self(1);
    /// A field is not supported; key and value are in the message.
    pub const UNSUPPORTED_FIELD: Self = Self(2);
    /// The container is unknown or does not exist: the runtime need not clean up.
    pub const UNKNOWN_CONTAINER: Self = Self(3);
    /// A variable is missing or invalid; its name is in the message.
    pub const INVALID_ENVIRONMENT: Self = Self(4);
    /// I/O, such as stdin that cannot be read.
    pub const IO: Self = Self(5);
    /// Content that cannot be decoded.
    pub const DECODING: Self = Self(6);
    /// A configuration that can be decoded, and is invalid.
    pub const INVALID_CONFIG: Self = Self(7);
    /// The network namespace is not one, or the plugin's own. libcni's, not the specification's.
    pub const INVALID_NETNS: Self = Self(8);
    /// Something is not ready yet.
    pub const TRY_AGAIN_LATER: Self = Self(11);
    /// STATUS: ADD cannot be served.
    pub const NOT_AVAILABLE: Self = Self(50);
    /// STATUS: ADD cannot be served, and containers in the network may have lost connectivity.
    pub const LIMITED_CONNECTIVITY: Self = Self(51);
    /// An IPAM plugin did not do what it was called for, and has given no code.
    pub const IPAM: Self = Self(100);
    /// Anything else, as libcni has it.
    pub const INTERNAL: Self = Self(999);
}

/// Why a call was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CniError {
    /// What kind.
    pub code: Code,
    /// One line.
    pub msg: String,
    /// More, or empty.
    pub details: String,
}

impl CniError {
    /// An error without details.
    #[must_use]
    pub fn new(code: Code, msg: impl Into<String>) -> Self {
        Self {
            code,
            msg: msg.into(),
            details: String::new(),
        }
    }

    /// The same with details.
    #[must_use]
    pub fn with_details(self, details: impl Into<String>) -> Self {
        Self {
            details: details.into(),
            ..self
        }
    }

    /// Content that cannot be decoded: `vlan: is "5", must be an integer`.
    pub(in crate::cni) fn decoding(place: &str, reason: &str) -> Self {
        Self::new(Code::DECODING, format!("{place}: {reason}"))
    }

    /// An invalid value: `vlan: 5000 is out of range, must be 0 to 4094`.
    pub(in crate::cni) fn config(place: &str, reason: &str) -> Self {
        Self::new(Code::INVALID_CONFIG, format!("{place}: {reason}"))
    }

    /// An invalid variable.
    pub(in crate::cni) fn variable(name: &str, reason: &str) -> Self {
        Self::new(Code::INVALID_ENVIRONMENT, format!("{name}: {reason}"))
    }

    /// The error object, in one line.
    #[must_use]
    pub fn to_json(&self, version: Version) -> String {
        let mut object = Map::new();
        object.insert("cniVersion".into(), version.as_str().into());
        object.insert("code".into(), self.code.0.into());
        object.insert("msg".into(), self.msg.as_str().into());
        if !self.details.is_empty() {
            object.insert("details".into(), self.details.as_str().into());
        }
        Value::Object(object).to_string()
    }
}

impl fmt::Display for CniError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.msg)?;
        match &*self.details {
            "" => Ok(()),
            details => write!(f, "; {details}"),
        }
    }
}

impl std::error::Error for CniError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_has_what_the_specification_names() {
        let error = CniError::new(Code::TRY_AGAIN_LATER, "the agent is away");
        assert_eq!(
            error.to_json(Version::V031),
            r#"{"cniVersion":"0.3.1","code":11,"msg":"the agent is away"}"#
        );
        assert_eq!(
            error
                .clone()
                .with_details("since \"now\"")
                .to_json(Version::V110),
            r#"{"cniVersion":"1.1.0","code":11,"details":"since \"now\"","msg":"the agent is away"}"#
        );
        assert_eq!(
            error.with_details("5 s").to_string(),
            "the agent is away; 5 s"
        );
    }
}
