mod declaration;

use serde_json::{Value, json};

use super::*;

const DRIVER: &str = "sriov-dra.io";

fn entry(source: ConfigSource, mut fields: Value) -> OpaqueConfig {
    fields["apiVersion"] = json!("sriov-dra.io/v1alpha1");
    fields["kind"] = json!("DeviceConfig");
    OpaqueConfig {
        source,
        requests: Vec::new(),
        parameters: fields,
    }
}

fn class(fields: Value) -> OpaqueConfig {
    entry(ConfigSource::Class, fields)
}

fn claim(fields: Value) -> OpaqueConfig {
    entry(ConfigSource::Claim, fields)
}

fn merged(configs: &[OpaqueConfig]) -> Result<Settings, String> {
    merge("net", Some("vf"), configs, DRIVER).map_err(|error| error.to_string())
}

fn refusal(config: OpaqueConfig) -> String {
    merged(&[config]).expect_err("must be refused")
}

#[test]
fn a_claim_overrides_its_class_where_it_may() {
    let settings = merged(&[
        class(json!({"vlan": 100, "vlanQoS": 3, "mtu": 1500, "allowInClaims": ["vlan"]})),
        claim(json!({"vlan": 200, "mtu": 9000, "ifName": "net1", "addresses": ["10.0.0.7/24"]})),
    ])
    .unwrap();
    assert_eq!(
        (settings.vlan, settings.vlan_qos, settings.mtu),
        (Some(200), Some(3), Some(9000))
    );
    assert_eq!(settings.addresses, ["10.0.0.7/24".parse().unwrap()]);
}

#[test]
fn variables_add_up_by_name_and_switches_can_be_switched_off() {
    let settings = merged(&[
        class(json!({"env": {"TOKEN": "class", "ZONE": "a"}, "rdma": true, "vhostNet": true})),
        claim(json!({"env": {"TOKEN": "claim", "log-level.x": ""}, "vhostNet": false})),
    ])
    .unwrap();
    let env: Vec<_> = settings
        .env
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(env, ["TOKEN=claim", "ZONE=a", "log-level.x="]);
    assert_eq!(
        (settings.rdma, settings.vhost_net),
        (Some(true), Some(false))
    );
}

#[test]
fn the_order_of_entries_does_not_let_a_claim_before_its_class() {
    let settings = merged(&[claim(json!({"mtu": 9000})), class(json!({"mtu": 1500}))]).unwrap();
    assert_eq!(settings.mtu, Some(9000));
}

#[test]
fn an_entry_is_for_the_requests_that_it_names() {
    let scoped = |names: &[&str]| {
        let mut config = class(json!({"vlan": 7}));
        config.requests = names.iter().map(|name| (*name).to_owned()).collect();
        merge("net/fast", None, &[config], DRIVER).unwrap().vlan
    };
    assert_eq!(scoped(&[]), Some(7));
    assert_eq!(scoped(&["net"]), Some(7));
    assert_eq!(scoped(&["net/fast"]), Some(7));
    assert_eq!(scoped(&["net/slow", "other"]), None);
}

#[test]
fn every_privileged_field_in_a_claim_is_refused_unless_the_class_allows_it() {
    for field in fields::FIELDS
        .iter()
        .filter(|field| field.who != fields::Who::Anyone)
    {
        let text = refusal(claim(json!({ field.name: "whatever" })));
        assert!(
            text.starts_with(&format!("claim config: {}: only ", field.name)),
            "{text}"
        );
        let allowed = merged(&[
            class(json!({"allowInClaims": ["*"]})),
            claim(json!({ field.name: null })),
        ]);
        let text = allowed.expect_err("null is never a value");
        assert_eq!(
            text.contains("only a DeviceClass"),
            field.who == fields::Who::Class,
            "{text}"
        );
    }
}

#[test]
fn both_spellings_of_a_switch_mean_the_same() {
    for (value, on) in [
        (json!("on"), true),
        (json!(true), true),
        (json!("off"), false),
        (json!(false), false),
    ] {
        let settings = merged(&[class(json!({"trust": value, "spoofChk": value}))]).unwrap();
        assert_eq!((settings.trust, settings.spoof_chk), (Some(on), Some(on)));
    }
}

#[test]
fn refusals_say_what_would_be_right() {
    let texts: Vec<String> = [
        claim(json!({"vlna": 5})),
        claim(json!({"min_tx_rate": 5})),
        claim(json!({"ifName": "sixteen-bytes-xx"})),
        claim(json!({"mtu": 67})),
        claim(json!({"addresses": ["10.0.0.7"]})),
        claim(json!({"addresses": ["224.0.0.1/24"]})),
        claim(json!({"routes": [{"dst": "0.0.0.0/0", "gw": "fe80::1"}]})),
        claim(json!({"routes": [{"to": "0.0.0.0/0"}]})),
        claim(json!({"vlan": 100})),
        claim(json!({"ipam": {"type": "host-local"}})),
        claim(json!({"allowInClaims": ["*"]})),
        claim(json!({"rdma": "on"})),
        claim(json!({"vhostNet": 1})),
        claim(json!({"env": ["A=b"]})),
        claim(json!({"env": {"A": 1}})),
        claim(json!({"env": {"1A": "b"}})),
        claim(json!({"env": {"A=B": "c"}})),
        claim(json!({"env": {"PCIDEVICE_INTEL_COM_X": "0000:3b:02.1"}})),
        claim(json!({"env": {"SRIOV_DRA_NET": ""}})),
        claim(json!({"env": {"A": "b\0"}})),
        claim(json!({"env": {"A": "b\nC=d"}})),
        class(json!({"vdpaType": "vhost"})),
        class(json!({"vlan": 5000})),
        class(json!({"vlan": -1})),
        class(json!({"vlanQoS": 3})),
        class(json!({"vlan": 0, "vlanProto": "802.1ad"})),
        class(json!({"vlanProto": "QinQ"})),
        class(json!({"mac": "01:00:5e:00:00:01"})),
        class(json!({"mac": "02-00"})),
        class(json!({"driver": "../x"})),
        class(json!({"driver": "igb_uio"})),
        class(json!({"spoofChk": "yes"})),
        class(json!({"linkState": "up"})),
        class(json!({"minTxRate": 200, "maxTxRate": 100})),
        class(json!({"attach": "cnl"})),
        class(json!({"allowInClaims": ["vlans"]})),
    ]
    .into_iter()
    .map(refusal)
    .collect();
    insta::assert_snapshot!(texts.join("\n"), @r#"
    claim config: vlna: unknown field "vlna", known are driver, ifName, mac, mtu, vlan, vlanQoS, vlanProto, spoofChk, trust, linkState, minTxRate, maxTxRate, addresses, routes, attach, rdma, vhostNet, env, vdpaType, ipam, networkAttachmentDefinition
    claim config: min_tx_rate: unknown field "min_tx_rate", did you mean "minTxRate"?
    claim config: ifName: interface name "sixteen-bytes-xx": must have at most 15 bytes
    claim config: mtu: 67 is not an MTU in bytes, must be a number from 68 to 65535
    claim config: addresses: "10.0.0.7" is wrong, must be a list of addresses with prefix lengths like ["10.0.0.7/24"]
    claim config: addresses: "224.0.0.1/24" is not an address that an interface can have
    claim config: routes: 0.0.0.0/0 via fe80::1: gateway and destination are of different families
    claim config: routes: unknown field "to" in a route, must be a list like [{"dst": "0.0.0.0/0", "gw": "10.0.0.1"}]
    claim config: vlan: only the administrator may set it: DeviceClass vf does not list it in allowInClaims
    claim config: ipam: only a DeviceClass may set it, never a claim
    claim config: allowInClaims: only a DeviceClass may set it
    claim config: rdma: "on" is wrong, must be true or false
    claim config: vhostNet: 1 is wrong, must be true or false
    claim config: env: ["A=b"] is wrong, must be an object of strings like {"TOKEN": "abc"}
    claim config: env: A: 1 is wrong, must be a string, in quotes
    claim config: env: "1A": is not a variable's name, must be a letter or '_', and then letters, digits, '_', '-' and '.'
    claim config: env: "A=B": is not a variable's name, must be a letter or '_', and then letters, digits, '_', '-' and '.'
    claim config: env: "PCIDEVICE_INTEL_COM_X": is reserved, names that begin with PCIDEVICE_ are the driver's own
    claim config: env: "SRIOV_DRA_NET": is reserved, names that begin with SRIOV_DRA_ are the driver's own
    claim config: env: "A": has a NUL or a line's end in its value, must be one line
    claim config: env: "A": has a NUL or a line's end in its value, must be one line
    config of DeviceClass vf: vdpaType: not supported yet
    config of DeviceClass vf: vlan: 5000 is not a VLAN id, must be a number from 0 to 4094
    config of DeviceClass vf: vlan: -1 is not a VLAN id, must be a number from 0 to 4094
    config of DeviceClass vf: vlanQoS: needs vlan
    config of DeviceClass vf: vlanProto: 802.1ad needs a vlan other than 0
    config of DeviceClass vf: vlanProto: "QinQ" is wrong, must be "802.1q" or "802.1ad"
    config of DeviceClass vf: mac: MAC address "01:00:5e:00:00:01": is multicast, a device needs a unicast address (first byte even)
    config of DeviceClass vf: mac: MAC address "02-00": must be six hex pairs like 02:00:00:00:00:01
    config of DeviceClass vf: driver: "../x" is not a driver's name, must be 1 to 63 of letters, digits, '-' and '_'
    config of DeviceClass vf: driver: "igb_uio": not supported yet
    config of DeviceClass vf: spoofChk: "yes" is wrong, must be "on" or "off", or true or false
    config of DeviceClass vf: linkState: "up" is wrong, must be "auto", "enable" or "disable"
    config of DeviceClass vf: minTxRate: 200 Mb/s is more than maxTxRate 100 Mb/s
    config of DeviceClass vf: attach: "cnl" is wrong, must be "pod", "cni" or "none"
    config of DeviceClass vf: allowInClaims: unknown field "vlans", known are driver, ifName, mac, mtu, vlan, vlanQoS, vlanProto, spoofChk, trust, linkState, minTxRate, maxTxRate, addresses, routes, attach, rdma, vhostNet, env, vdpaType, ipam, networkAttachmentDefinition
    "#);
}

#[test]
fn version_and_kind_must_be_ours() {
    let refused = |parameters: Value| {
        refusal(OpaqueConfig {
            source: ConfigSource::Claim,
            requests: Vec::new(),
            parameters,
        })
    };
    let texts = [
        refused(json!([])),
        refused(json!({"kind": "DeviceConfig"})),
        refused(json!({"apiVersion": "sriov-dra.io/v1", "kind": "DeviceConfig"})),
        refused(json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "VfConfig"})),
        refused(json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "Pod"})),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    claim config: parameters: [] is wrong, must be an object
    claim config: apiVersion: null is wrong, must be "sriov-dra.io/v1alpha1"
    claim config: apiVersion: "sriov-dra.io/v1" is wrong, must be "sriov-dra.io/v1alpha1"
    claim config: kind: "VfConfig": not supported yet
    claim config: kind: "Pod" is wrong, must be "DeviceConfig"
    "#);
}

/// The admission policy of the chart is held to the same table, see `e2e`.
#[test]
fn the_table_of_configs_holds() {
    let table: Vec<Value> =
        serde_json::from_str(include_str!("../../e2e/fixtures/claim-configs.json"))
            .expect("the table is JSON");
    for row in table {
        let place = if row["where"] == "class" {
            ConfigSource::Class
        } else {
            ConfigSource::Claim
        };
        let config = OpaqueConfig {
            source: place,
            requests: Vec::new(),
            parameters: row["config"].clone(),
        };
        let result = merged(&[class(json!({"allowInClaims": ["*"]})), config]);
        match (row["error"].as_str(), result) {
            (None, result) => assert!(result.is_ok(), "{}: {result:?}", row["name"]),
            (Some(field), result) => {
                assert!(result.is_err_and(|e| e.contains(field)), "{}", row["name"])
            }
        }
    }
}
