//! Names of network interfaces.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ParseError;

/// A network interface's name as the kernel accepts it: 1 to 15 bytes (IFNAMSIZ with the NUL is
/// 16), no `/`, no `:`, no white space, not `.` or `..` (`dev_valid_name` in `net/core/dev.c`). `%`
/// is rejected too, since the kernel reads it as a pattern (`dev_alloc_name`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct IfName(String);

impl IfName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that the kernel has for an interface, whatever it is: a tenant may have chosen it.
    #[must_use]
    pub fn of_kernel(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl FromStr for IfName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match invalid_reason(text) {
            Some(reason) => Err(ParseError::new("interface name", text, reason)),
            None => Ok(Self(text.to_owned())),
        }
    }
}

fn invalid_reason(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("must not be empty"),
        "." | ".." => Some("must not be . or .."),
        "lo" | "all" | "default" => Some("is reserved by the kernel, choose another, e.g. net1"),
        _ if text.len() > 15 => Some("must have at most 15 bytes"),
        _ if text.contains(|c: char| "/:%".contains(c) || c.is_whitespace() || c.is_control()) => {
            Some("must not contain '/', ':', '%' or white space")
        }
        _ => None,
    }
}

impl fmt::Display for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for IfName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// From a record: the name may be one that the kernel had.
impl<'de> Deserialize<'de> for IfName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        match name.is_empty() || name.contains(['/', '\0']) {
            true => name.parse().map_err(serde::de::Error::custom),
            false => Ok(Self(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_kernels_rules() {
        for good in ["net1", "enp59s0f0v2", "fifteen-bytes-x", "ü"] {
            assert_eq!(good.parse::<IfName>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            ".",
            "..",
            "sixteen-bytes-xx",
            "a/b",
            "a:1",
            "a b",
            "net%d",
            "lo",
        ] {
            assert!(bad.parse::<IfName>().is_err(), "{bad}");
        }
    }
}
