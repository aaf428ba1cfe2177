//! What a pool that was read cannot mean: what the device plugin dies of once it has read
//! everything, and values that never match.

use super::{
    ConfigError, DeviceType, PfFunctions, Pool, Selector, Warning,
    error::{Place, quoted},
    functions::Entry,
    selector::p_key,
    values::{self, Right, address, ddp_profile, driver, never_matches, number},
};
use crate::device::Bdf;

/// The oddities of a pool.
pub(super) fn pool(pool: &Pool) -> Result<Vec<Warning>, ConfigError> {
    let place = Place::at(&pool.place);
    let mut warnings = pool.name.lint(&place);
    warnings.extend(
        pool.additional_info
            .iter()
            .flat_map(|info| info.lint(&place)),
    );
    for selector in &pool.selectors {
        together(selector, pool.device_type)?;
        warnings.extend(selector_values(selector));
    }
    Ok(warnings)
}

/// What the device plugin refuses to start with.
fn together(selector: &Selector, device_type: DeviceType) -> Result<(), ConfigError> {
    let place = Place::at(&selector.place);
    if selector.is_rdma && selector.vdpa_type.is_some() {
        let reason =
            "true does not go with vdpaType in one selector object, must be one of the two";
        return Err(ConfigError::new(&place.key("isRdma"), reason));
    }
    if device_type != DeviceType::AuxNetDevice {
        return Ok(());
    }
    let place = place.key("auxTypes");
    if selector.aux_types.is_empty() {
        return Err(ConfigError::new(
            &place,
            "is missing, must be [\"sf\"] in every selector object of auxNetDevice",
        ));
    }
    match selector
        .aux_types
        .iter()
        .enumerate()
        .find(|(_, aux)| *aux != "sf")
    {
        None => Ok(()),
        Some((index, aux)) => Err(ConfigError::new(
            &place.item(index),
            format!("{} is not supported, must be \"sf\"", quoted(aux)),
        )),
    }
}

fn selector_values(selector: &Selector) -> Vec<Warning> {
    let place = Place::at(&selector.place);
    let lists: [(&str, &[String], Right); 7] = [
        ("vendors", &selector.vendors, number),
        ("devices", &selector.devices, number),
        ("drivers", &selector.drivers, driver),
        ("pciAddresses", &selector.pci_addresses, address),
        ("acpiIndexes", &selector.acpi_indexes, acpi_index),
        ("linkTypes", &selector.link_types, link_type),
        ("ddpProfiles", &selector.ddp_profiles, ddp_profile),
    ];
    let never = lists.into_iter().flat_map(|(name, values, right)| {
        let place = place.key(name);
        let wrong = values
            .iter()
            .enumerate()
            .filter_map(move |(index, value)| Some((index, value, right(value)?)));
        wrong
            .map(move |(index, value, right)| never_matches(&place.item(index), value, &right))
            .collect::<Vec<_>>()
    });
    let pf_names = functions(&place.key("pfNames"), &selector.pf_names, pf_name);
    let root_devices = functions(
        &place.key("rootDevices"),
        &selector.root_devices,
        root_device,
    );
    never
        .chain(pf_names)
        .chain(root_devices)
        .chain(links(selector, &place))
        .collect()
}

fn acpi_index(value: &str) -> Option<String> {
    let number = value
        .parse::<u32>()
        .is_ok_and(|number| number.to_string() == value);
    // The empty text matches a device without an index, so it is not for nothing.
    (!number && !value.is_empty()).then(|| "a decimal number like \"101\"".to_owned())
}

fn link_type(value: &str) -> Option<String> {
    match value {
        "ether" | "infiniband" => None,
        _ if value.to_ascii_lowercase().starts_with("eth") => Some("\"ether\"".to_owned()),
        _ => Some("\"ether\" or \"infiniband\"".to_owned()),
    }
}

fn pf_name(value: &str) -> Option<String> {
    values::pf_name(value).map(|right| format!("{right} (addresses go into rootDevices)"))
}

fn root_device(value: &str) -> Option<String> {
    value
        .to_ascii_lowercase()
        .parse::<Bdf>()
        .is_err()
        .then(|| "a PCI address like \"0000:3b:00.0#0-3\"".to_owned())
}

/// Items of `pfNames` and `rootDevices`.
fn functions(place: &Place, items: &[PfFunctions], right: Right) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let (place, text) = (place.item(index), item.to_string());
        if let Some(first) = items[..index].iter().find(|first| first.names(item.pf())) {
            let first = quoted(&first.to_string());
            let reason = format!(
                "{} is never looked at, {first} has that PF already, must be one item",
                quoted(&text)
            );
            warnings.push(Warning::new(&place, reason));
        } else if let Some(right) = right(item.pf()) {
            warnings.push(never_matches(&place, &text, &right));
        } else if item.is_garbled() {
            warnings.push(never_matches(
                &place,
                &text,
                "like \"ens1f0#0-3,7\", with one '#'",
            ));
        }
        warnings.extend(
            item.entries()
                .iter()
                .filter_map(odd_entry)
                .map(|odd| Warning::new(&place, format!("{}: {odd}", quoted(&text)))),
        );
    }
    warnings
}

fn odd_entry(entry: &Entry) -> Option<String> {
    match entry {
        Entry::Junk(text) => Some(format!(
            "{} is no number and no range like 0-3, nothing from there on is selected",
            quoted(text)
        )),
        Entry::Range(first, last) if first > last => {
            Some(format!("{first}-{last} is empty, must be {last}-{first}"))
        }
        Entry::Range(..) => None,
    }
}

fn links(selector: &Selector, place: &Place) -> Vec<Warning> {
    let mut warnings = Vec::new();
    if selector.link_types.len() > 1 {
        let reason =
            "has several values: any of them is taken, the device plugin would have a single one";
        warnings.push(Warning::new(&place.key("linkTypes"), reason));
    }
    let keys = place.key("pKeys");
    let ethernet_only = !selector.link_types.is_empty()
        && !selector.link_types.iter().any(|link| link == "infiniband");
    if !selector.p_keys.is_empty() && ethernet_only {
        warnings.push(Warning::new(
            &keys,
            "never matches, only devices of linkTypes [\"infiniband\"] have a key",
        ));
    }
    for (index, key) in selector.p_keys.iter().enumerate() {
        match p_key(key) {
            None => warnings.push(never_matches(
                &keys.item(index),
                key,
                "0x and 4 hex digits like \"0x7fff\"",
            )),
            Some(number) if format!("{number:#06x}") != *key => {
                let reason = format!(
                    "{} is taken as {number:#06x}, the device plugin never matches it",
                    quoted(key)
                );
                warnings.push(Warning::new(&keys.item(index), reason));
            }
            Some(_) => {}
        }
    }
    let known = ["vhost", "virtio"];
    let vdpa = selector
        .vdpa_type
        .iter()
        .filter(|vdpa| !known.contains(&vdpa.as_str()));
    warnings.extend(
        vdpa.map(|vdpa| never_matches(&place.key("vdpaType"), vdpa, "\"vhost\" or \"virtio\"")),
    );
    warnings
}
