//! The API's own limits, applied before sending: one over-long value would make it refuse the whole
//! slice.
//!
//! Source: `pkg/apis/resource/validation/validation.go` of Kubernetes.

use std::collections::BTreeSet;

use crate::{
    api::{MAX_ATTRIBUTES, is_label},
    slice::Device,
};

const MAX_TAINTS: usize = 16;

/// Leaves out what would be refused; returns a warning for each.
pub(super) fn valid(devices: Vec<Device>) -> (Vec<Device>, Vec<String>) {
    let (mut kept, mut warnings) = (Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for mut device in devices {
        if !is_label(&device.name) || !names.insert(device.name.clone()) {
            warnings.push(format!(
                "device {}: not a DNS label, or there twice; left out",
                device.name
            ));
            continue;
        }
        trim(&mut device, &mut warnings);
        kept.push(device);
    }
    (kept, warnings)
}

fn trim(device: &mut Device, warnings: &mut Vec<String>) {
    let name = device.name.clone();
    device.attributes.retain(|attribute, value| {
        let fault = value.fault(attribute);
        warnings.extend(fault.map(|fault| {
            format!("device {name}: attribute {attribute} {value}: {fault}; left out")
        }));
        fault.is_none()
    });
    while device.attributes.len() > MAX_ATTRIBUTES {
        let last = device.attributes.pop_last().map(|(attribute, _)| attribute);
        warnings.push(format!(
            "device {name}: attribute {}: more than 32; left out",
            last.unwrap_or_default()
        ));
    }
    if device.taints.len() > MAX_TAINTS {
        device.taints.truncate(MAX_TAINTS);
        warnings.push(format!(
            "device {name}: more than 16 taints; the rest left out"
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Attribute;

    fn device(name: &str) -> Device {
        Device {
            name: name.into(),
            ..Device::default()
        }
    }

    #[test]
    fn a_bad_value_costs_itself_and_not_its_device() {
        let mut bad = device("0000-3b-02-1");
        bad.attributes.insert("long".into(), "x".repeat(65).into());
        bad.attributes.insert("fits".into(), "x".repeat(64).into());
        bad.attributes.insert("1st".into(), "".into());
        bad.attributes
            .insert("version".into(), Attribute::Version("1.2".into()));
        let (devices, warnings) = valid(vec![bad]);
        assert_eq!(devices[0].attributes.keys().collect::<Vec<_>>(), ["fits"]);
        assert_eq!(warnings.len(), 3);
        assert!(
            warnings
                .iter()
                .any(|w| w.contains("attribute long") && w.contains("more than 64 bytes"))
        );
    }

    #[test]
    fn names_are_labels_and_unique() {
        let (devices, warnings) = valid(vec![device("a"), device("a"), device("A"), device("-a")]);
        assert_eq!((devices.len(), warnings.len()), (1, 3));
    }

    #[test]
    fn attributes_over_the_limit_go_by_sorted_name() {
        let mut many = device("a");
        many.attributes = (0..40)
            .map(|n| (format!("a{n:02}"), Attribute::Int(n)))
            .collect();
        let (devices, warnings) = valid(vec![many]);
        assert_eq!((devices[0].attributes.len(), warnings.len()), (32, 8));
        assert!(
            devices[0].attributes.contains_key("a31") && !devices[0].attributes.contains_key("a32")
        );
    }
}
