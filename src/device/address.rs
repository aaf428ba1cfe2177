//! PCI addresses, and the identity that names a device everywhere.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::ParseError;

/// A PCI address: domain, bus, device, function (`0000:3b:02.1`).
///
/// Parsed and printed as in sysfs: lower-case hex, a domain of four or more digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bdf {
    domain: u32,
    bus: u8,
    device: u8,
    function: u8,
}

const FORM: &str = "must be a PCI address like 0000:3b:02.1, lower-case hex";

impl Bdf {
    /// Its number among the functions of all buses of its domain: PCI's routing ID, with the domain
    /// above.
    #[must_use]
    pub fn routing_id(&self) -> u64 {
        let function =
            u64::from(self.bus) << 8 | u64::from(self.device) << 3 | u64::from(self.function);
        u64::from(self.domain) << 16 | function
    }
}

impl FromStr for Bdf {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("PCI address", text, FORM);
        let bdf = split(text).ok_or_else(error)?;
        (bdf.to_string() == text).then_some(bdf).ok_or_else(error)
    }
}

/// Parses the four numbers; the caller compares the printed form, which rejects other spellings.
fn split(text: &str) -> Option<Bdf> {
    let (domain, rest) = text.split_once(':')?;
    let (bus, rest) = rest.split_once(':')?;
    let (device, function) = rest.split_once('.')?;
    let bdf = Bdf {
        domain: u32::from_str_radix(domain, 16).ok()?,
        bus: u8::from_str_radix(bus, 16).ok()?,
        device: u8::from_str_radix(device, 16).ok()?,
        function: u8::from_str_radix(function, 16).ok()?,
    };
    (bdf.device < 32 && bdf.function < 8).then_some(bdf)
}

impl fmt::Display for Bdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            domain,
            bus,
            device,
            function,
        } = self;
        write!(f, "{domain:04x}:{bus:02x}:{device:02x}.{function:x}")
    }
}

impl fmt::Debug for Bdf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The identity of a device while it is published: what the device name in a ResourceSlice stands
/// for.
///
/// A PCI function is identified by its address, a sub-function by its parent and number, since the
/// kernel reuses the numbers of auxiliary devices.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceId {
    /// A PCI function: PF, VF or accelerator.
    Pci(Bdf),
    /// A sub-function: the PF that it was created on, and its number.
    Sf {
        /// The PF.
        parent: Bdf,
        /// devlink's `sfnum`.
        number: u32,
    },
}

impl DeviceId {
    /// The PCI address: the function's own, or the parent's for a sub-function.
    #[must_use]
    pub fn pci(&self) -> Bdf {
        match self {
            Self::Pci(bdf) | Self::Sf { parent: bdf, .. } => *bdf,
        }
    }

    /// The device name in ResourceSlices: a DNS label of at most 63 characters (`0000-3b-02-1`,
    /// `0000-3b-00-0-sf4`).
    #[must_use]
    pub fn name(&self) -> String {
        let dashed = self.pci().to_string().replace([':', '.'], "-");
        match self {
            Self::Pci(_) => dashed,
            Self::Sf { number, .. } => format!("{dashed}-sf{number}"),
        }
    }

    /// Parses a [`DeviceId::name`].
    ///
    /// # Errors
    /// The name is not one that this driver publishes.
    pub fn from_name(name: &str) -> Result<Self, ParseError> {
        let error = || {
            ParseError::new(
                "device name",
                name,
                "must be like 0000-3b-02-1 or 0000-3b-00-0-sf4",
            )
        };
        let (dashed, sf) = match name.split_once("-sf") {
            Some((dashed, number)) => (dashed, Some(number.parse::<u32>().map_err(|_| error())?)),
            None => (name, None),
        };
        let parts: Vec<&str> = dashed.split('-').collect();
        let [domain, bus, device, function] = parts[..] else {
            return Err(error());
        };
        let bdf: Bdf = format!("{domain}:{bus}:{device}.{function}")
            .parse()
            .map_err(|_| error())?;
        let id = sf.map_or(Self::Pci(bdf), |number| Self::Sf {
            parent: bdf,
            number,
        });
        (id.name() == name).then_some(id).ok_or_else(error)
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pci(bdf) => bdf.fmt(f),
            Self::Sf { parent, number } => write!(f, "{parent}/sf{number}"),
        }
    }
}

impl fmt::Debug for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Bdf> for DeviceId {
    fn from(bdf: Bdf) -> Self {
        Self::Pci(bdf)
    }
}

impl TryFrom<String> for Bdf {
    type Error = ParseError;
    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl Serialize for Bdf {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Bdf {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl Serialize for DeviceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for DeviceId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_name(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_round_trip() {
        for text in ["0000:3b:02.1", "0000:00:1f.7", "10000:01:00.0"] {
            let bdf: Bdf = text.parse().unwrap();
            assert_eq!(bdf.to_string(), text);
            let id = DeviceId::Pci(bdf);
            assert_eq!(DeviceId::from_name(&id.name()).unwrap(), id);
            let sf = DeviceId::Sf {
                parent: bdf,
                number: 4,
            };
            assert_eq!(DeviceId::from_name(&sf.name()).unwrap(), sf);
        }
    }

    #[test]
    fn other_spellings_are_invalid() {
        for text in [
            "3b:02.1",
            "0000:3B:02.1",
            "0000:3b:20.1",
            "0000:3b:02.8",
            "0:3b:02.1",
            "0000:3b:02.1/..",
            "",
        ] {
            assert!(text.parse::<Bdf>().is_err(), "{text}");
        }
        for name in [
            "0000-3b-02",
            "0000-3b-02-1-sfx",
            "0000-3b-02-1-sf04",
            "../0000-3b-02-1",
            "0000-3B-02-1",
        ] {
            assert!(DeviceId::from_name(name).is_err(), "{name}");
        }
    }
}
