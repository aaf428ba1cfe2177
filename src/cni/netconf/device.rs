//! The device that a meta-plugin names.

use std::fmt;

use super::network::Runtime;
use crate::{
    cni::{json::Object, json::quoted, protocol::CniError},
    device::{Bdf, DeviceId},
};

/// What `deviceID` names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeviceHint {
    /// A PCI function.
    Pci(Bdf),
    /// An auxiliary device, of a sub-function: `mlx5_core.sf.4`.
    Auxiliary(String),
    /// A sub-function by its PF and number, as its CDI device is named: `0000-3b-00-0-sf4`.
    SubFunction(DeviceId),
}

impl fmt::Display for DeviceHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pci(bdf) => bdf.fmt(f),
            Self::Auxiliary(name) => f.write_str(name),
            Self::SubFunction(id) => f.write_str(&id.name()),
        }
    }
}

/// `deviceID`, else `pciBusID` or `runtimeConfig.deviceID`, which Multus sets to the same.
pub(super) fn read(
    object: &Object<'_>,
    runtime: &Runtime,
    warnings: &mut Vec<String>,
) -> Result<Option<DeviceHint>, CniError> {
    const NAME: &str = "deviceID";
    let other = object.text("pciBusID").ok().flatten();
    let other = other.or(runtime.device.as_deref());
    let given = object.text(NAME)?;
    let device = given.or(other).map(|text| parse(NAME, text)).transpose()?;
    if let Some(other) = other.filter(|other| parse(NAME, other).ok() != device) {
        warnings.push(format!(
            "pciBusID: {} is not deviceID, and not used",
            quoted(other)
        ));
    }
    Ok(device)
}

fn parse(place: &str, text: &str) -> Result<DeviceHint, CniError> {
    let lower = text.trim().to_ascii_lowercase();
    let with_domain = format!("0000:{lower}");
    let bdf = lower.parse().or_else(|_| with_domain.parse());
    let pci = bdf.ok().map(DeviceHint::Pci);
    let auxiliary = || is_auxiliary(text).then(|| DeviceHint::Auxiliary(text.to_owned()));
    let device = pci.or_else(auxiliary).or_else(|| sub_function(&lower));
    device.ok_or_else(|| {
        let right = "must be a PCI address like 0000:3b:02.1 or an auxiliary device";
        let reason = format!("{} is no device, {right}", quoted(text));
        CniError::config(place, &reason)
    })
}

fn sub_function(name: &str) -> Option<DeviceHint> {
    let device = DeviceId::from_name(name).ok()?;
    matches!(device, DeviceId::Sf { .. }).then_some(DeviceHint::SubFunction(device))
}

/// `MODULE.NAME.NUMBER`.
fn is_auxiliary(text: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    let parts: Vec<&str> = text.split('.').collect();
    matches!(parts[..], [module, name, number]
        if word(module) && word(name) && number.parse::<u32>().is_ok_and(|parsed| parsed.to_string() == number))
}
