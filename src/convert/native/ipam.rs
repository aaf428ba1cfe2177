//! Addresses and routes of the IPAM plugin `static`. Other IPAM plugins are run by the agents.

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Map, Value, json};

use super::{
    fields::{Fields, MULTUS},
    settings::{Delegated, Settings},
};
use crate::{
    api::Ipam,
    convert::{any_case, report::Section},
};

/// Converts `ipam`; addresses and routes become fields of the claim.
pub(super) fn ipam(section: &mut Section<'_>, settings: &mut Settings, at: &str, value: &Value) {
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    match any_case::text(value, "type") {
        "" => section.ok(at, value, "no IPAM, no addresses"),
        "static" => static_ipam(section, &mut settings.claim, at, object),
        plugin => {
            let mut config = object.clone();
            config.retain(|key, _| !key.eq_ignore_ascii_case("type"));
            config.insert("type".to_owned(), plugin.into());
            match Ipam::of(&config) {
                Ok(ipam) => {
                    settings.ipam = Some(Delegated {
                        at: at.to_owned(),
                        plugin: ipam.plugin,
                        config,
                    });
                }
                Err(why) => section.unsupported(at, value, &why, MULTUS),
            }
        }
    }
}

fn static_ipam(
    section: &mut Section<'_>,
    claim: &mut Fields,
    at: &str,
    object: &Map<String, Value>,
) {
    let all = object.clone().into();
    let addresses = items(any_case::get(&all, "addresses"));
    for (name, value) in object {
        let at = format!("{at}.{name}");
        match name.to_ascii_lowercase().as_str() {
            "type" => section.ok(&at, value, "addresses and routes of the claim"),
            "addresses" => set_addresses(section, claim, &at, &addresses),
            "routes" => routes(section, claim, &at, &items(value), &gateways(&addresses)),
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
    let address = |item: &Value| any_case::get(item, "address").clone();
    let list: Vec<Value> = items.iter().map(address).collect();
    set(section, claim, at, "addresses", list.into());
    for (index, item) in items.iter().enumerate() {
        for (name, value) in item.as_object().into_iter().flatten() {
            let at = format!("{at}[{index}].{name}");
            match name.to_ascii_lowercase().as_str() {
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
        .filter_map(|item| any_case::text(item, "gateway").parse().ok())
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
            if !["dst", "gw"].contains(&&*name.to_ascii_lowercase()) {
                section.unsupported(
                    &format!("{at}[{index}].{name}"),
                    value,
                    "routes support dst and gw only",
                    MULTUS,
                );
            }
        }
        list.push(route(item, gateways));
    }
    set(section, claim, at, "routes", list.into());
}

fn route(item: &Value, gateways: &[IpAddr]) -> Value {
    let dst = any_case::get(item, "dst");
    let is_ipv4 = dst
        .as_str()
        .and_then(|dst| dst.parse::<IpNet>().ok())
        .map(|dst| dst.addr().is_ipv4());
    let family = |gateway: &&IpAddr| Some(gateway.is_ipv4()) == is_ipv4;
    match (any_case::text(item, "gw"), gateways.iter().find(family)) {
        ("", Some(gw)) => json!({"dst": dst, "gw": gw.to_string()}),
        ("", None) => json!({"dst": dst}),
        (gw, _) => json!({"dst": dst, "gw": gw}),
    }
}

fn items(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
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
