//! Configurations of CNI plugins: `sriov`, and plugins chained after it.

use serde_json::{Map, Value};

use super::{
    fields::{Fields, MULTUS},
    ipam,
    settings::Settings,
};
use crate::convert::{any_case, chain::Link, report::Section};

/// The keys of the plugin `sriov`, each after those that it depends on.
const KNOWN: [&str; 23] = [
    "cniVersion",
    "name",
    "type",
    "deviceID",
    "vlan",
    "vlanQoS",
    "vlanProto",
    "mac",
    "min_tx_rate",
    "max_tx_rate",
    "spoofchk",
    "trust",
    "link_state",
    "ipam",
    "capabilities",
    "runtimeConfig",
    "logLevel",
    "logFile",
    "dns",
    "mtu",
    "resourceName",
    "args",
    "disableCheck",
];

/// Converts the plugin `sriov`. Its keys are case-insensitive, as in Go's JSON decoder.
pub(super) fn sriov(section: &mut Section<'_>, settings: &mut Settings, at: &str, plugin: &Value) {
    if any_case::text(plugin, "type") == "ib-sriov" {
        let what = "claims have no settings of InfiniBand yet";
        return section.unsupported(&format!("{at}.type"), "ib-sriov", what, MULTUS);
    }
    let empty = Map::new();
    let object = plugin.as_object().unwrap_or(&empty);
    for name in KNOWN {
        for (key, value) in object
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        {
            let at = format!("{at}.{key}");
            match value {
                Value::Null => section.ok(&at, value, "not set"),
                value => field(section, settings, &at, name, value),
            }
        }
    }
    for (key, value) in object
        .iter()
        .filter(|(key, _)| !KNOWN.iter().any(|name| key.eq_ignore_ascii_case(name)))
    {
        section.warning(
            &format!("{at}.{key}"),
            value,
            "unknown to the sriov plugin as well: it had no effect",
            "",
        );
    }
    check_single_rate(section, at, object);
}

fn field(section: &mut Section<'_>, settings: &mut Settings, at: &str, name: &str, value: &Value) {
    let class = &mut settings.class;
    match name {
        "cniVersion" | "name" | "type" | "disableCheck" => {}
        "vlan" | "vlanQoS" | "vlanProto" | "mac" if value != "" => {
            ipam::set(section, class, at, name, value.clone())
        }
        "min_tx_rate" => ipam::set(section, class, at, "minTxRate", value.clone()),
        "max_tx_rate" => ipam::set(section, class, at, "maxTxRate", value.clone()),
        "link_state" if value != "" => ipam::set(section, class, at, "linkState", value.clone()),
        "spoofchk" => switch(section, class, at, "spoofChk", value),
        "trust" => switch(section, class, at, "trust", value),
        "ipam" => ipam::ipam(section, settings, at, value),
        "capabilities" => capabilities(section, settings, at, value),
        "deviceID" => {
            let remedy =
                "the address identifies one device on one node; prefer a pool or other attributes";
            section.warning(at, value, "the class selects this address", remedy);
            settings.device = value.as_str().map(str::to_owned);
        }
        "mtu" => {
            let remedy = "set mtu in the class's config if intended";
            section.warning(
                at,
                value,
                "ignored by the sriov plugin, so not converted",
                remedy,
            );
        }
        "logLevel" | "logFile" => {}
        "dns" => section.unsupported(
            at,
            value,
            "claims have no DNS settings",
            "set dnsConfig in the pod",
        ),
        "runtimeConfig" | "args" => section.warning(at, value, "set by the container runtime", ""),
        "resourceName" => section.ok(at, value, "the annotation takes precedence"),
        _ => section.ok(at, value, "not set"),
    }
}

/// The plugin interprets every string but `on` as off.
fn switch(section: &mut Section<'_>, class: &mut Fields, at: &str, name: &str, value: &Value) {
    match value.as_str() {
        Some("") => section.ok(at, value, "not set"),
        Some("on" | "off") | None => ipam::set(section, class, at, name, value.clone()),
        Some(_) if class.set(name, "off".into()).is_ok() => {
            section.warning(
                at,
                value,
                &format!("{name}: off, as the sriov plugin interprets it"),
                "use on or off",
            );
        }
        Some(_) => section.unsupported(at, value, "must be on or off", "fix it and convert again"),
    }
}

fn capabilities(section: &mut Section<'_>, settings: &mut Settings, at: &str, value: &Value) {
    for (name, on) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{name}");
        match (name.as_str(), on.as_bool().unwrap_or_default()) {
            (_, false) => section.ok(&at, on, "not set"),
            ("mac", true) => {
                settings.allow.insert("mac");
                section.ok(&at, on, "the class allows mac in claims");
            }
            ("ips", true) => section.ok(&at, on, "any claim can set addresses"),
            ("deviceID" | "CNIDeviceInfoFile" | "pciBusID", true) => {
                section.ok(&at, on, "set from the allocated device")
            }
            _ => section.unsupported(&at, on, "unknown capability", MULTUS),
        }
    }
}

/// Warns if only one of the two rates is set: the plugin writes both with one netlink request and
/// so resets the other.
fn check_single_rate(section: &mut Section<'_>, at: &str, object: &Map<String, Value>) {
    let has = |name: &str| {
        object
            .iter()
            .any(|(key, value)| key.eq_ignore_ascii_case(name) && !value.is_null())
    };
    let (set, other) = match (has("min_tx_rate"), has("max_tx_rate")) {
        (true, false) => ("min_tx_rate", "maxTxRate"),
        (false, true) => ("max_tx_rate", "minTxRate"),
        _ => return,
    };
    let what = format!("{other} is left unchanged, the sriov plugin would set it to 0");
    section.warning(
        &format!("{at}.{set}"),
        "",
        &what,
        &format!("set {other} in the class's config if 0 is intended"),
    );
}

/// Converts a chained plugin.
pub(super) fn chained(section: &mut Section<'_>, settings: &mut Settings, link: &Link) {
    let kind = link.kind();
    for (key, value) in link.plugin.as_object().into_iter().flatten() {
        let at = format!("{}.{key}", link.at);
        match (kind, key.to_ascii_lowercase().as_str()) {
            ("tuning", name @ ("mtu" | "mac")) => {
                ipam::set(section, &mut settings.class, &at, name, value.clone())
            }
            ("tuning", "type") => {
                section.ok(&at, value, "mtu and mac are set in the class's config")
            }
            ("tuning", "capabilities") => capabilities(section, settings, &at, value),
            ("rdma", "type") => section.unsupported(
                &at,
                value,
                "RDMA devices are not moved into pods yet",
                MULTUS,
            ),
            (_, "type") => {
                section.unsupported(&at, value, "chained plugins are not supported yet", MULTUS)
            }
            (_, "name" | "cniversion") => {}
            _ => section.unsupported(&at, value, &format!("setting of the {kind} plugin"), MULTUS),
        }
    }
}
