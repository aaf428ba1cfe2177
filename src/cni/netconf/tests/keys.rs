use serde_json::json;

use super::{read, refused, text};
use crate::cni::netconf::{FIELDS, Source};

/// `encoding/json`: any case, two letters beyond ASCII included; the last one counts; objects are
/// merged; null unsets a pointer and leaves a text.
#[test]
fn keys_are_read_as_go_reads_them() {
    let vlan = |members: &str| text(members).unwrap().settings.vlan;
    for (members, expected) in [
        (r#""VLAN": 5"#, Some(5)),
        (r#""vlan": 5, "Vlan": 6"#, Some(6)),
        (r#""VLAN": 6, "vlan": 5"#, Some(5)),
        (r#""vlan": 5, "VLAN": 6"#, Some(6)),
        (r#""vlan": 5, "vlan": 6"#, Some(6)),
        (r#""vlan": 5, "vlan": null"#, None),
        (r#""vlan": null, "vlan": 5"#, Some(5)),
        (r#""vlan_": 5"#, None),
    ] {
        assert_eq!(vlan(members), expected, "{members}");
    }
    let conf =
        text("\"\u{17f}poofch\u{212a}\": \"on\", \"TRUST\": \"on\", \"trust\": null").unwrap();
    assert_eq!(
        (conf.settings.spoof_chk, conf.settings.trust),
        (Some(true), Some(true))
    );
    let merged = r#""runtimeConfig": {"mac": "02:00:00:00:00:01"}, "RUNTIMECONFIG": {"deviceID": "3b:02.1"}"#;
    let conf = text(merged).unwrap();
    assert!(conf.settings.mac.is_some() && conf.device.is_some());
}

#[test]
fn values_of_another_type_are_refused() {
    for (members, said) in [
        (r#""vlan": "5""#, "vlan: is \"5\", must be an integer"),
        (r#""vlan": 5.5"#, "vlan: is 5.5, must be an integer"),
        (r#""vlan": 1e2"#, "vlan: is 100, must be an integer"),
        (
            r#""vlan": 99999999999999999999"#,
            "vlan: is 100000000000000000000, must be an integer",
        ),
        (
            r#""vlan": true, "vlan": 5"#,
            "vlan: is true, must be an integer",
        ),
        (r#""vlanProto": 1"#, "vlanProto: is 1, must be a string"),
        (r#""spoofchk": true"#, "spoofchk: is true, must be a string"),
        (r#""trust": []"#, "trust: is a list, must be a string"),
        (r#""mac": {}"#, "mac: is an object, must be a string"),
        (r#""deviceID": 1"#, "deviceID: is 1, must be a string"),
        (
            r#""ipam": "host-local""#,
            "ipam: is \"host-local\", must be an object",
        ),
        (
            r#""ipam": {"type": 1}"#,
            "ipam.type: is 1, must be a string",
        ),
        (r#""dns": []"#, "dns: is a list, must be an object"),
        (
            r#""dns": {"search": "a"}"#,
            "dns.search: is \"a\", must be a list of strings",
        ),
        (
            r#""capabilities": {"mac": "true"}"#,
            "capabilities.mac: is \"true\", must be true or false",
        ),
        (
            r#""runtimeConfig": 1"#,
            "runtimeConfig: is 1, must be an object",
        ),
        (
            r#""runtimeConfig": {"mac": 1}"#,
            "runtimeConfig.mac: is 1, must be a string",
        ),
        (
            r#""prevResult": "x""#,
            "prevResult: is \"x\", must be an object",
        ),
        (r#""logLevel": 1"#, "logLevel: is 1, must be a string"),
        (r#""logFile": 1"#, "logFile: is 1, must be a string"),
    ] {
        refused(members, 6, said);
    }
}

#[test]
fn an_ipam_plugin_is_a_file_name() {
    for bad in ["../host-local", "/bin/sh", "a/b", "..", "."] {
        let said = format!("ipam.type: is \"{bad}\", must be a file name");
        refused(&format!(r#""ipam": {{"type": "{bad}"}}"#), 7, &said);
    }
}

#[test]
fn the_networks_dns_has_the_specifications_keys() {
    let stdin = r#"{"name": "n", "DNS": {"NameServers": ["10.0.0.1"], "SEARCH": [], "domain": "a", "x": 1}}"#;
    let (network, _) = read(stdin, "").unwrap();
    let expected = json!({"nameservers": ["10.0.0.1"], "domain": "a"});
    assert_eq!(json!(network.dns.0), expected);
}

#[test]
fn keys_of_others_are_passed_over_and_named() {
    let stdin = r#"{"name": "n", "vlan_trunk": "1-5", "resourceName": "x", "Vlan": 5, "mtu": 9000, "master": 1}"#;
    let (network, conf) = read(stdin, "").unwrap();
    assert_eq!(network.unknown, ["vlan_trunk", "resourceName"]);
    assert_eq!(
        conf.warnings(),
        ["mtu: not a key of this plugin, and not used"]
    );
}

/// A key that is listed is read: another type than its own is an error, or the list says that it is
/// passed over.
#[test]
fn every_listed_key_is_read() {
    let passed_over = ["args", "cni.dev/valid-attachments", "pciBusID", "mtu"];
    for field in FIELDS {
        let kind = match field.source {
            Source::Network | Source::Sriov => "sriov",
            Source::Ib => "ib-sriov",
            Source::Runtime | Source::Args => continue,
        };
        let mut conf = json!({"name": "n", "type": kind});
        conf[field.name.to_ascii_uppercase()] = json!([[]]);
        if field.name == "name" || field.name == "type" {
            conf.as_object_mut().unwrap().remove(field.name);
        }
        let passed = passed_over.contains(&field.name) || field.here.starts_with("not there");
        let read = read(&conf.to_string(), "");
        assert_eq!(read.is_ok(), passed, "{} {read:?}", field.name);
        if let Err(error) = read {
            assert!(error.msg.starts_with(field.name), "{}", error.msg);
        }
    }
}
