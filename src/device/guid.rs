//! InfiniBand GUIDs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ParseError;

/// A GUID of an InfiniBand node or port. Any eight bytes; [`Guid::is_assigned`] says whether it
/// names anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 8]);

impl Guid {
    /// All zero: a VF that none was ever given.
    pub const ZERO: Self = Self([0; 8]);
    /// All ones: what takes a GUID back. mlx5 does not take zero for that, and the plugin
    /// `ib-sriov-cni` sets this one too.
    pub const NONE: Self = Self([0xff; 8]);

    /// Whether it is the GUID of something.
    #[must_use]
    pub fn is_assigned(self) -> bool {
        self != Self::ZERO && self != Self::NONE
    }
}

impl FromStr for Guid {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || {
            let right = "must be eight hex pairs like 00:02:c9:03:00:00:10:01";
            ParseError::new("GUID", text, right)
        };
        let pair = |part: &str| {
            let plain = part.len() == 2 && part.bytes().all(|c| c.is_ascii_hexdigit());
            plain.then(|| u8::from_str_radix(part, 16).ok()).flatten()
        };
        let bytes: Option<Vec<u8>> = text.split(':').map(pair).collect();
        let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(error)
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.0.map(|byte| format!("{byte:02x}"));
        f.write_str(&pairs.join(":"))
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Guid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Guid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_are_eight_pairs() {
        let guid = Guid([0, 2, 0xc9, 3, 0, 0, 0x10, 1]);
        assert_eq!("00:02:C9:03:00:00:10:01".parse(), Ok(guid));
        assert_eq!(guid.to_string(), "00:02:c9:03:00:00:10:01");
        for bad in [
            "",
            "00:02:c9:03:00:00:10",
            "0:2:c9:3:0:0:10:1",
            "00:02:c9:03:00:00:10:01:00",
        ] {
            assert!(bad.parse::<Guid>().is_err(), "{bad}");
        }
        assert!(guid.is_assigned() && !Guid::ZERO.is_assigned() && !Guid::NONE.is_assigned());
    }
}
