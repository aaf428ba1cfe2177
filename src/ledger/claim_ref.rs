//! Which claim.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::name::is_file_name;
use crate::device::ParseError;

/// A claim's UID. It names files, so only `[0-9a-z-]`, 1 to 63 of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ClaimUid(String);

impl ClaimUid {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ClaimUid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if is_file_name(text, 63, plain) {
            return Ok(Self(text.to_owned()));
        }
        Err(ParseError::new(
            "claim UID",
            text,
            "must be 1 to 63 of a-z, 0-9 and '-'",
        ))
    }
}

impl fmt::Display for ClaimUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ClaimUid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// Which claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimRef {
    /// `metadata.uid`.
    pub uid: ClaimUid,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
}

impl ClaimRef {
    /// Whether this is another claim of the same name: one of the two is gone from the cluster.
    #[must_use]
    pub fn replaces(&self, other: &Self) -> bool {
        (&self.namespace, &self.name) == (&other.namespace, &other.name) && self.uid != other.uid
    }
}

impl fmt::Display for ClaimRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uid_cannot_leave_its_directory() {
        assert!(
            "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e"
                .parse::<ClaimUid>()
                .is_ok()
        );
        for bad in ["", "../x", "a/b", "A", "-a", &"a".repeat(64)] {
            assert!(bad.parse::<ClaimUid>().is_err(), "{bad}");
        }
    }
}
