//! The API's own limits, applied before sending: one over-long value would make it refuse the whole slice.
//!
//! Source: `pkg/apis/resource/validation/validation.go` of Kubernetes.

use std::collections::BTreeSet;

use super::{Attribute, Device};

const MAX_VALUE: usize = 64;
const MAX_ATTRIBUTES: usize = 32;
const MAX_TAINTS: usize = 16;

/// Leaves out what would be refused, and tells what.
pub(super) fn valid(devices: Vec<Device>) -> (Vec<Device>, Vec<String>) {
    let (mut kept, mut warnings) = (Vec::new(), Vec::new());
    let mut names = BTreeSet::new();
    for mut device in devices {
        if !is_label(&device.name) || !names.insert(device.name.clone()) {
            warnings.push(format!("device {}: not a DNS label, or there twice; left out", device.name));
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
        let fault = fault(attribute, value);
        warnings.extend(fault.map(|fault| format!("device {name}: attribute {attribute} {value}: {fault}; left out")));
        fault.is_none()
    });
    while device.attributes.len() > MAX_ATTRIBUTES {
        let last = device.attributes.pop_last().map(|(attribute, _)| attribute);
        warnings.push(format!("device {name}: attribute {}: more than 32; left out", last.unwrap_or_default()));
    }
    if device.taints.len() > MAX_TAINTS {
        device.taints.truncate(MAX_TAINTS);
        warnings.push(format!("device {name}: more than 16 taints; the rest left out"));
    }
}

fn fault(name: &str, value: &Attribute) -> Option<&'static str> {
    match value {
        _ if !is_qualified(name) => Some("is not a qualified name"),
        Attribute::String(text) | Attribute::Version(text) if text.len() > MAX_VALUE => Some("has more than 64 bytes"),
        Attribute::Version(text) if !is_version(text) => Some("is not a semantic version"),
        _ => None,
    }
}

/// RFC 1123.
fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len()) && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// `[domain/]identifier`.
fn is_qualified(text: &str) -> bool {
    let (domain, id) = text.split_once('/').map_or((None, text), |(domain, id)| (Some(domain), id));
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let id_ok = (1..=32).contains(&id.len()) && id.chars().all(inner) && !id.starts_with(|c: char| c.is_ascii_digit());
    id_ok && domain.is_none_or(|domain| domain.len() <= 63 && domain.split('.').all(is_label))
}

/// `major.minor.patch[-pre][+build]`.
fn is_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let number = |part: &str| part.parse::<u64>().is_ok_and(|number| number.to_string() == part);
    core.split('.').count() == 3 && core.split('.').all(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(name: &str) -> Device {
        Device { name: name.into(), ..Device::default() }
    }

    #[test]
    fn a_bad_value_costs_itself_and_not_its_device() {
        let mut bad = device("0000-3b-02-1");
        bad.attributes.insert("long".into(), "x".repeat(65).into());
        bad.attributes.insert("fits".into(), "x".repeat(64).into());
        bad.attributes.insert("1st".into(), "".into());
        bad.attributes.insert("version".into(), Attribute::Version("1.2".into()));
        let (devices, warnings) = valid(vec![bad]);
        assert_eq!(devices[0].attributes.keys().collect::<Vec<_>>(), ["fits"]);
        assert_eq!(warnings.len(), 3);
        assert!(warnings.iter().any(|w| w.contains("attribute long") && w.contains("more than 64 bytes")));
    }

    #[test]
    fn names_are_labels_and_unique() {
        let (devices, warnings) = valid(vec![device("a"), device("a"), device("A"), device("-a")]);
        assert_eq!((devices.len(), warnings.len()), (1, 3));
    }

    #[test]
    fn attributes_over_the_limit_go_by_sorted_name() {
        let mut many = device("a");
        many.attributes = (0..40).map(|n| (format!("a{n:02}"), Attribute::Int(n))).collect();
        let (devices, warnings) = valid(vec![many]);
        assert_eq!((devices[0].attributes.len(), warnings.len()), (32, 8));
        assert!(devices[0].attributes.contains_key("a31") && !devices[0].attributes.contains_key("a32"));
    }

    #[test]
    fn qualified_names_and_versions() {
        for good in ["type", "k8s.cni.cncf.io/deviceID", "dra.net/numaNode", "_x1"] {
            assert!(is_qualified(good), "{good}");
        }
        for bad in ["", "1x", "a-b", "a/b/c", "A.io/x", &"x".repeat(33)] {
            assert!(!is_qualified(bad), "{bad}");
        }
        assert!(is_version("1.20.0-rc.1+b") && !is_version("1.02.0") && !is_version("v1.2.3"));
    }
}
