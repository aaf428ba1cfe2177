//! Addresses and routes of the IPAM plugin `static`. Other IPAM plugins are not supported.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::{fields::Fields, report::Section};

/// Converts `ipam`; addresses and routes become fields of the claim.
pub(super) fn ipam(section: &mut Section<'_>, claim: &mut Fields, at: &str, value: &Value) {
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    match object.get("type").and_then(Value::as_str).unwrap_or_default() {
        "" => section.ok(at, value, "no IPAM, no addresses"),
        "static" => static_ipam(section, claim, at, object),
        other => section.unsupported(
            at,
            value,
            &format!("IPAM plugin {other} is not supported yet: the pod's interface gets no address"),
            "set addresses in each pod's claim, or leave this network to Multus and the device plugin",
        ),
    }
}

fn static_ipam(
    section: &mut Section<'_>,
    claim: &mut Fields,
    at: &str,
    object: &Map<String, Value>,
) {
    let addresses = items(object.get("addresses"));
    for (name, value) in object {
        let at = format!("{at}.{name}");
        match name.as_str() {
            "type" => section.ok(&at, value, "addresses and routes of the claim"),
            "addresses" => set_addresses(section, claim, &at, &addresses),
            "routes" => routes(
                section,
                claim,
                &at,
                &items(Some(value)),
                &gateways(&addresses),
            ),
            "dns" => section.unsupported(
                &at,
                value,
                "claims have no DNS settings",
                "set dnsConfig in the pod",
            ),
            _ => section.unsupported(
                &at,
                value,
                "unknown field",
                "the static plugin ignores it as well",
            ),
        }
    }
}

fn set_addresses(section: &mut Section<'_>, claim: &mut Fields, at: &str, items: &[Value]) {
    let list: Vec<Value> = items.iter().map(|item| item["address"].clone()).collect();
    set(section, claim, at, "addresses", list.into());
    for (index, item) in items.iter().enumerate() {
        for (name, value) in item.as_object().into_iter().flatten() {
            let at = format!("{at}[{index}].{name}");
            match name.as_str() {
                "address" => {}
                "gateway" => section.ok(&at, value, "gateway of routes without one"),
                _ => section.unsupported(
                    &at,
                    value,
                    "unknown field",
                    "the static plugin ignores it as well",
                ),
            }
        }
    }
}

/// The gateways of the addresses: routes without `gw` use the first of their address family.
fn gateways(addresses: &[Value]) -> Vec<IpAddr> {
    addresses
        .iter()
        .filter_map(|item| item["gateway"].as_str()?.parse().ok())
        .collect()
}

fn routes(
    section: &mut Section<'_>,
    claim: &mut Fields,
    at: &str,
    items: &[Value],
    gateways: &[IpAddr],
) {
    let mut list = Vec::new();
    for (index, item) in items.iter().enumerate() {
        for (name, value) in item.as_object().into_iter().flatten() {
            if name != "dst" && name != "gw" {
                section.unsupported(
                    &format!("{at}[{index}].{name}"),
                    value,
                    "routes support dst and gw only",
                    "",
                );
            }
        }
        list.push(route(item, gateways));
    }
    set(section, claim, at, "routes", list.into());
}

fn route(item: &Value, gateways: &[IpAddr]) -> Value {
    let is_ipv4 = item["dst"]
        .as_str()
        .and_then(|dst| dst.parse::<IpNet>().ok())
        .map(|dst| dst.addr().is_ipv4());
    let family = |gateway: &&IpAddr| Some(gateway.is_ipv4()) == is_ipv4;
    match (item.get("gw"), gateways.iter().find(family)) {
        (Some(gw), _) if gw != "" => json!({"dst": item["dst"], "gw": gw}),
        (_, Some(gw)) => json!({"dst": item["dst"], "gw": gw.to_string()}),
        (_, None) => json!({"dst": item["dst"]}),
    }
}

fn items(value: Option<&Value>) -> Vec<Value> {
    value.and_then(Value::as_array).cloned().unwrap_or_default()
}

/// Sets a field and reports the result.
pub(super) fn set(
    section: &mut Section<'_>,
    fields: &mut Fields,
    at: &str,
    name: &str,
    value: Value,
) {
    match fields.set(name, value.clone()) {
        Ok(()) => section.ok(at, &value, name),
        Err(why) => section.unsupported(at, &value, &why, "fix it and convert again"),
    }
}
