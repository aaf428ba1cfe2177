//! The JSON form: a list of NetworkSelectionElements.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::Value;

use super::{super::members::Members, Selection, hardware_address::is_hardware_address, selection};

pub(super) fn list(text: &str, namespace: &str) -> Result<Vec<Selection>, String> {
    // Go takes null for an empty list.
    let all: Option<Vec<Members>> = serde_json::from_str(text)
        .map_err(|error| format!("must be a JSON list of objects: {error}"))?;
    let entry = |(index, item): (usize, &Members)| {
        element(item, namespace).map_err(|reason| format!("entry {}: {reason}", index + 1))
    };
    all.iter().flatten().enumerate().map(entry).collect()
}

fn element(item: &Members, namespace: &str) -> Result<Selection, String> {
    let name = item.text("name")?;
    if name.is_empty() {
        return Err("name: is missing".to_owned());
    }
    let interface = match item.text("interface")? {
        // Its name before Multus 3.2.
        "" => item.text("interfaceRequest")?,
        interface => interface,
    };
    item.text("interfaceRequest")?;
    item.text("deviceID")?;
    check_addresses(item)?;
    check_shapes(item)?;
    let own = item.text("namespace")?;
    Ok(Selection {
        asks_bandwidth: item.value("bandwidth").is_some(),
        gateways: gateways(item)?,
        ..selection(own, name, interface, namespace)
    })
}

fn check_addresses(item: &Members) -> Result<(), String> {
    for key in ["mac", "infiniband-guid"] {
        let text = item.text(key)?;
        if !text.is_empty() && !is_hardware_address(text) {
            return Err(format!("{key}: {text:?} is no hardware address"));
        }
    }
    for ip in texts(item, "ips")? {
        if ip.parse::<IpAddr>().is_err() && ip.parse::<IpNet>().is_err() {
            return Err(format!(
                "ips: {ip:?} is no IP address, nor one with a prefix length"
            ));
        }
    }
    Ok(())
}

fn gateways(item: &Members) -> Result<Vec<IpAddr>, String> {
    let all = texts(item, "default-route")?.into_iter();
    all.filter(|text| !text.is_empty())
        .map(|text| {
            let wrong = |_| format!("default-route: {text:?} is no IP address");
            text.parse().map_err(wrong)
        })
        .collect()
}

fn check_shapes(item: &Members) -> Result<(), String> {
    let objects = |key| item.value(key).is_none_or(Value::is_object);
    for key in ["bandwidth", "cni-args"] {
        if !objects(key) {
            return Err(format!("{key}: must be an object"));
        }
    }
    match item.value("portMappings") {
        None => Ok(()),
        Some(Value::Array(all)) if all.iter().all(|one| one.is_object() || one.is_null()) => Ok(()),
        Some(_) => Err("portMappings: must be a list of objects".to_owned()),
    }
}

fn texts<'a>(item: &'a Members, key: &str) -> Result<Vec<&'a str>, String> {
    let wrong = || format!("{key}: must be a list of strings");
    match item.value(key) {
        None => Ok(Vec::new()),
        Some(Value::Array(all)) => all
            .iter()
            .map(|one| one.as_str().ok_or_else(wrong))
            .collect(),
        Some(_) => Err(wrong()),
    }
}
