//! Configurations of CNI plugins: `sriov`, and what is chained behind it.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{fields::Fields, ipam, report::Section};

/// What a network's plugins ask for.
pub(super) struct Settings {
    /// The administrator's part: of the class.
    pub(super) class: Fields,
    /// The user's part: of the claim.
    pub(super) claim: Fields,
    /// What claims may set besides.
    pub(super) allow: BTreeSet<&'static str>,
    /// A fixed device.
    pub(super) device: Option<String>,
}

/// Whether the plugin moves VFs.
pub(super) fn is_sriov(plugin: &Value) -> bool {
    plugin["type"]
        .as_str()
        .is_some_and(|kind| kind == "sriov" || kind == "sriov-cni")
}

/// In the order in which one needs the other.
const KNOWN: [&str; 22] = [
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
];

/// Maps the plugin `sriov`. Its keys are read in any case, as Go does.
pub(super) fn sriov(section: &mut Section<'_>, settings: &mut Settings, at: &str, plugin: &Value) {
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
            "unknown to the plugin sriov too: it did nothing",
            "",
        );
    }
    check_single_rate(section, at, object);
}

fn field(section: &mut Section<'_>, settings: &mut Settings, at: &str, name: &str, value: &Value) {
    let class = &mut settings.class;
    match name {
        "cniVersion" | "name" | "type" => section.ok(at, value, "no CNI plugin is called"),
        "vlan" | "vlanQoS" | "vlanProto" | "mac" if value != "" => {
            ipam::set(section, class, at, name, value.clone())
        }
        "min_tx_rate" => ipam::set(section, class, at, "minTxRate", value.clone()),
        "max_tx_rate" => ipam::set(section, class, at, "maxTxRate", value.clone()),
        "link_state" if value != "" => ipam::set(section, class, at, "linkState", value.clone()),
        "spoofchk" => switch(section, class, at, "spoofChk", value),
        "trust" => switch(section, class, at, "trust", value),
        "ipam" => ipam::ipam(section, &mut settings.claim, at, value),
        "capabilities" => capabilities(section, settings, at, value),
        "deviceID" => {
            let remedy =
                "this address is one device of one node; better a pool or other attributes";
            section.warning(at, value, "the class selects this address", remedy);
            settings.device = value.as_str().map(str::to_owned);
        }
        "mtu" => {
            let remedy = "set mtu in the class's config if it is meant";
            section.warning(
                at,
                value,
                "the plugin sriov ignores it, so it is not taken over",
                remedy,
            );
        }
        "logLevel" | "logFile" => {
            section.warning(at, value, "the agent logs", "see --log of the agent")
        }
        "dns" => section.unsupported(at, value, "a claim has no DNS", "use the pod's dnsConfig"),
        "runtimeConfig" | "args" => section.warning(at, value, "is the runtime's to fill", ""),
        "resourceName" => section.ok(at, value, "the annotation's counts"),
        _ => section.ok(at, value, "not set"),
    }
}

/// The plugin takes every text but `on` for off.
fn switch(section: &mut Section<'_>, class: &mut Fields, at: &str, name: &str, value: &Value) {
    match value.as_str() {
        Some("") => section.ok(at, value, "not set"),
        Some("on" | "off") | None => ipam::set(section, class, at, name, value.clone()),
        Some(_) if class.set(name, "off".into()).is_ok() => {
            section.warning(
                at,
                value,
                &format!("{name}: off, as the plugin sriov takes it"),
                "write on or off",
            );
        }
        Some(_) => section.unsupported(at, value, "is neither on nor off", ""),
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
            ("ips", true) => section.ok(&at, on, "every claim may set addresses"),
            ("deviceID" | "CNIDeviceInfoFile", true) => {
                section.ok(&at, on, "the claim has the device")
            }
            _ => section.unsupported(&at, on, "no such capability", ""),
        }
    }
}

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
    let what = format!("{other} is left as it is, the plugin sriov would set it to 0");
    section.warning(
        &format!("{at}.{set}"),
        "",
        &what,
        &format!("set {other} in the class's config if 0 is meant"),
    );
}

/// Maps a plugin that is chained behind.
pub(super) fn chained(
    section: &mut Section<'_>,
    settings: &mut Settings,
    at: &str,
    plugin: &Value,
) {
    let kind = plugin["type"].as_str().unwrap_or_default();
    for (key, value) in plugin.as_object().into_iter().flatten() {
        let at = format!("{at}.{key}");
        match (kind, key.as_str()) {
            ("tuning", "mtu" | "mac") => {
                ipam::set(section, &mut settings.class, &at, key, value.clone())
            }
            ("tuning", "type") => section.ok(&at, value, "mtu and mac are of the class's config"),
            ("tuning", "capabilities") => capabilities(section, settings, &at, value),
            ("rdma", "type") => section.unsupported(
                &at,
                value,
                "the RDMA device does not move yet",
                "use the shared mode",
            ),
            (_, "type") => section.unsupported(
                &at,
                value,
                "chained plugins are not called yet",
                "leave this network to Multus and the device plugin if it is needed",
            ),
            (_, "name" | "cniVersion") => {}
            _ => section.unsupported(&at, value, &format!("belongs to the plugin {kind}"), ""),
        }
    }
}
