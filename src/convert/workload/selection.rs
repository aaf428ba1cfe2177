//! Converts a network of a pod to a request of its claim.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::convert::{
    annotation::Selection,
    fields::Fields,
    ipam::set,
    network::Network,
    objects::{Request, label},
    report::Section,
};

/// The request, with the name of the interface.
pub(super) fn request(
    section: &mut Section<'_>,
    at: &str,
    selection: &Selection,
    network: &mut Network,
    driver: &str,
    container: String,
) -> Request {
    network.used = true;
    let mut fields = network.claim.clone();
    set(
        section,
        &mut fields,
        &format!("{at}.interface"),
        "ifName",
        selection.interface.clone().into(),
    );
    for (key, value) in &selection.extra {
        field(
            section,
            &mut fields,
            network,
            &format!("{at}.{key}"),
            key,
            value,
        );
    }
    let name = label(&selection.interface).unwrap_or_else(|| "net".to_owned());
    Request {
        name,
        class: network.class(driver).name,
        count: 1,
        fields,
        container,
    }
}

fn field(
    section: &mut Section<'_>,
    fields: &mut Fields,
    network: &mut Network,
    at: &str,
    key: &str,
    value: &Value,
) {
    let multus = "leave this network to Multus and the device plugin if it is required";
    match key {
        "mac" => {
            set(section, fields, at, "mac", value.clone());
            if fields.value("mac").is_some() {
                network.allow("mac");
            }
        }
        "ips" => set(section, fields, at, "addresses", value.clone()),
        "default-route" => set(section, fields, at, "routes", with_default(fields, value)),
        "infiniband-guid" | "bandwidth" | "portMappings" | "cni-args" | "ipam-claim-reference" => {
            section.unsupported(at, value, "claims have no such setting", multus);
        }
        "deviceID" => section.unsupported(
            at,
            value,
            "the scheduler chooses the device",
            "add a selector on pciAddress",
        ),
        _ => section.unsupported(at, value, "unknown field", "Multus ignores it as well"),
    }
}

/// The existing routes, and a default route through each gateway.
fn with_default(fields: &Fields, value: &Value) -> Value {
    let mut routes = fields
        .value("routes")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    for gateway in value.as_array().into_iter().flatten() {
        let is_ipv6 = gateway
            .as_str()
            .and_then(|text| text.parse::<IpAddr>().ok())
            .is_some_and(|ip| ip.is_ipv6());
        routes.push(json!({"dst": if is_ipv6 { "::/0" } else { "0.0.0.0/0" }, "gw": gateway}));
    }
    routes.into()
}
