use serde_json::{Value, json};

use super::{CniResult, Dns, Interface};
use crate::cni::protocol::{Code, Version};

fn read(value: Value) -> CniResult {
    CniResult::read("prevResult", value).unwrap()
}

fn own() -> Interface {
    Interface {
        name: "net1".into(),
        mac: Some("02:00:00:00:00:01".into()),
        mtu: Some(9000),
        sandbox: Some("/run/netns/x".into()),
        socket_path: Some("/run/vhost.sock".into()),
        pci_id: Some("0000:3b:02.1".into()),
        ..Interface::default()
    }
}

/// As host-local answers it.
fn ipam(version: &str) -> Value {
    json!({
        "cniVersion": version,
        "ips": [
            {"version": "4", "address": "10.0.0.2/24", "gateway": "10.0.0.1"},
            {"version": "6", "address": "fd00::2/64"},
            {"version": "4", "address": "10.0.1.2/24"},
        ],
        "routes": [{"dst": "0.0.0.0/0"}, {"dst": "fd01::/64", "gw": "fd00::1"}],
        "dns": {"nameservers": ["10.0.0.1"]},
    })
}

fn full() -> CniResult {
    CniResult::chained(None, own(), Some(read(ipam("0.4.0"))), &Dns::default())
}

#[test]
fn results_before_1_0_0_have_families_and_no_properties_of_the_device() {
    for version in [Version::V030, Version::V031, Version::V040] {
        assert_eq!(
            full().to_value(version).unwrap(),
            json!({
                "cniVersion": version.as_str(),
                "interfaces": [{"name": "net1", "mac": "02:00:00:00:00:01", "sandbox": "/run/netns/x"}],
                "ips": [
                    {"version": "4", "interface": 0, "address": "10.0.0.2/24", "gateway": "10.0.0.1"},
                    {"version": "6", "interface": 0, "address": "fd00::2/64"},
                    {"version": "4", "interface": 0, "address": "10.0.1.2/24"},
                ],
                "routes": [{"dst": "0.0.0.0/0"}, {"dst": "fd01::/64", "gw": "fd00::1"}],
                "dns": {"nameservers": ["10.0.0.1"]},
            })
        );
    }
}

#[test]
fn results_from_1_0_0_on_have_no_families_and_the_devices_properties() {
    for version in [Version::V100, Version::V110] {
        assert_eq!(
            full().to_value(version).unwrap(),
            json!({
                "cniVersion": version.as_str(),
                "interfaces": [{
                    "name": "net1", "mac": "02:00:00:00:00:01", "mtu": 9000, "sandbox": "/run/netns/x",
                    "socketPath": "/run/vhost.sock", "pciID": "0000:3b:02.1",
                }],
                "ips": [
                    {"interface": 0, "address": "10.0.0.2/24", "gateway": "10.0.0.1"},
                    {"interface": 0, "address": "fd00::2/64"},
                    {"interface": 0, "address": "10.0.1.2/24"},
                ],
                "routes": [{"dst": "0.0.0.0/0"}, {"dst": "fd01::/64", "gw": "fd00::1"}],
                "dns": {"nameservers": ["10.0.0.1"]},
            })
        );
    }
}

#[test]
fn results_of_0_2_0_have_the_first_address_of_each_family() {
    for version in [Version::V010, Version::V020] {
        assert_eq!(
            full().to_value(version).unwrap(),
            json!({
                "cniVersion": version.as_str(),
                "ip4": {"ip": "10.0.0.2/24", "gateway": "10.0.0.1", "routes": [{"dst": "0.0.0.0/0"}]},
                "ip6": {"ip": "fd00::2/64", "routes": [{"dst": "fd01::/64", "gw": "fd00::1"}]},
                "dns": {"nameservers": ["10.0.0.1"]},
            })
        );
        let bare = CniResult::chained(None, own(), None, &Dns::default());
        let error = bare.to_value(version).unwrap_err();
        assert_eq!(error.code, Code::INCOMPATIBLE_VERSION);
    }
}

#[test]
fn without_addresses_there_are_no_empty_lists() {
    let bare = CniResult::chained(
        None,
        Interface {
            name: "net1".into(),
            ..Interface::default()
        },
        None,
        &Dns::default(),
    );
    let interfaces = json!([{"name": "net1"}]);
    assert_eq!(
        bare.to_value(Version::V110).unwrap(),
        json!({"cniVersion": "1.1.0", "interfaces": interfaces})
    );
    assert_eq!(
        bare.to_value(Version::V040).unwrap(),
        json!({"cniVersion": "0.4.0", "interfaces": interfaces, "dns": {}})
    );
}

#[test]
fn every_version_is_read_as_it_is_written() {
    let whole = full();
    for version in Version::ALL {
        let back = read(whole.to_value(version).unwrap());
        let same = |of: &CniResult| of.to_value(version).unwrap();
        assert_eq!(same(&back), same(&whole), "{version}");
    }
    let old = read(json!({"ip4": {"ip": "10.0.0.2/24"}}));
    assert_eq!(old.ips[0].address.to_string(), "10.0.0.2/24");
}

/// The Go plugin drops the interfaces that are there before it.
#[test]
fn what_was_before_in_a_chain_is_kept() {
    let before = json!({
        "cniVersion": "1.1.0",
        "interfaces": [
            {"name": "br0", "mac": "02:00:00:00:00:aa"},
            {"name": "eth0", "sandbox": "/run/netns/x", "mtu": 1500, "vendor": {"a": 1}},
        ],
        "ips": [{"interface": 1, "address": "10.9.0.2/16", "gateway": "10.9.0.1", "lease": 60}],
        "routes": [{"dst": "0.0.0.0/0", "gw": "10.9.0.1", "priority": 100, "table": 7}],
        "dns": {"domain": "a.example", "nameservers": null},
        "example.com/x": [1],
    });
    let after = CniResult::chained(Some(read(before.clone())), own(), None, &Dns::default());
    let mut expected = before.clone();
    let own_json = json!({
        "name": "net1", "mac": "02:00:00:00:00:01", "mtu": 9000, "sandbox": "/run/netns/x",
        "socketPath": "/run/vhost.sock", "pciID": "0000:3b:02.1",
    });
    expected["interfaces"]
        .as_array_mut()
        .unwrap()
        .push(own_json);
    assert_eq!(after.to_value(Version::V110).unwrap(), expected);

    let after = CniResult::chained(
        Some(read(before)),
        own(),
        Some(read(ipam("1.0.0"))),
        &Dns::default(),
    );
    let indices: Vec<_> = after.ips.iter().map(|ip| ip.interface).collect();
    assert_eq!(indices, [Some(1), Some(2), Some(2), Some(2)]);
    assert_eq!(after.routes.len(), 3);
    assert_eq!(after.dns, read(ipam("1.0.0")).dns);
}

#[test]
fn the_networks_dns_is_used_when_nobody_else_has_one() {
    let own_dns = read(json!({"dns": {"domain": "b.example"}})).dns;
    let with = |ipam| CniResult::chained(None, own(), ipam, &own_dns).dns;
    assert_eq!(with(None), own_dns);
    assert_eq!(with(Some(read(json!({"dns": {"search": []}})))), own_dns);
    assert_ne!(with(Some(read(ipam("0.4.0")))), own_dns);
}

#[test]
fn what_go_writes_as_null_or_empty_is_not_there() {
    let result = read(json!({
        "cniVersion": "0.4.0", "interfaces": null, "routes": null, "dns": null,
        "ips": [{"version": "4", "interface": null, "address": "10.0.0.2/24", "gateway": ""}],
    }));
    assert_eq!((result.interfaces.len(), result.routes.len()), (0, 0));
    assert_eq!(
        (result.ips[0].interface, result.ips[0].gateway),
        (None, None)
    );
    let interface = json!({"name": "a", "mac": "", "mtu": 0, "sandbox": "", "pciID": null});
    let result = read(json!({"cniVersion": "1.1.0", "interfaces": [interface]}));
    let bare = Interface {
        name: "a".into(),
        ..Interface::default()
    };
    assert_eq!(result.interfaces, [bare]);
}

#[test]
fn what_cannot_be_read_is_said() {
    for (value, said) in [
        (json!([]), "prevResult: is no object"),
        (
            json!({"cniVersion": "2.0.0"}),
            "prevResult.cniVersion: is \"2.0.0\", must be one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0",
        ),
        (
            json!({"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.2"}]}),
            "prevResult: invalid IP address syntax",
        ),
        (
            json!({"cniVersion": "1.0.0", "ips": [{"address": "10.0.0.2/24", "gateway": "x"}]}),
            "prevResult: gateway \"x\" is no IP address",
        ),
    ] {
        let error = CniResult::read("prevResult", value).unwrap_err();
        assert_eq!((error.code, &*error.msg), (Code::DECODING, said));
    }
}
