//! The ten most common causes.

use serde_json::json;

use super::*;

#[test]
fn no_device_has_the_vendor() {
    let wanted =
        r#"device.driver == "sriov-dra.io" && device.attributes["sriov-dra.io"].vendor == "15b3""#;
    let report = report_of([
        class("vf", wanted),
        one(&json!({})),
        node("node1", &vfs(3, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"selector: claim shop/net cannot be allocated: no device matches request nic: class vf, selector 0: device.attributes["sriov-dra.io"].vendor == "15b3" is false for all devices: vendor is "8086" on 3 devices"#);
    insta::assert_snapshot!(rows(&report), @r#"nic node1 selector 0000-3b-02-0,0000-3b-02-1,0000-3b-02-2: class vf, selector 0: device.attributes["sriov-dra.io"].vendor == "15b3" is false (vendor="8086")"#);
}

#[test]
fn the_link_is_down() {
    let taint = json!([{"key": "sriov-dra.io/link-down", "effect": "NoSchedule"}]);
    let devices = vfs(3, |_, vf| vf["taints"] = taint.clone());
    let report = report_of([class("vf", VF), one(&json!({})), node("node1", &devices)]);
    insta::assert_snapshot!(line(&report), @r#"taint: claim shop/net cannot be allocated: 3 devices match request nic, none is available: 3 with untolerated taints: sriov-dra.io/link-down:NoSchedule (on node1)"#);
    let tolerations =
        json!([{"key": "sriov-dra.io/link-down", "operator": "Exists", "effect": "NoSchedule"}]);
    let report = report_of([
        class("vf", VF),
        one(&json!({"tolerations": tolerations})),
        node("node1", &devices),
    ]);
    insta::assert_snapshot!(line(&report), @r#"none: claim shop/net can be allocated, for example nic: node1/0000-3b-02-0"#);
}

#[test]
fn all_devices_are_allocated() {
    let holders = [
        holding("a", "upf-0", "0000-3b-02-0"),
        holding("b", "upf-1", "0000-3b-02-1"),
    ];
    let objects = [
        class("vf", VF),
        one(&json!({})),
        node("node1", &vfs(2, |_, _| {})),
    ];
    let report = report_of(objects.into_iter().chain(holders));
    insta::assert_snapshot!(line(&report), @r#"held: claim shop/net cannot be allocated: 2 devices match request nic, none is available: 2 allocated to claim shop/a (pod upf-0), claim shop/b (pod upf-1) (on node1)"#);
    insta::assert_snapshot!(rows(&report), @r#"
    nic node1 held 0000-3b-02-0: allocated to claim shop/a (pod upf-0)
    nic node1 held 0000-3b-02-1: allocated to claim shop/b (pod upf-1)
    "#);
}

#[test]
fn the_pf_is_in_use() {
    let mut devices = vfs(2, |_, _| {});
    devices.push(device("0000-3b-00-0", "pf", &json!({})));
    let objects = || {
        [
            class("vf", VF),
            class("pf", &VF.replace("vf", "pf")),
            node("node1", &devices),
        ]
    };
    let report = report_of(
        objects()
            .into_iter()
            .chain([one(&json!({})), holding("whole", "dpdk-0", "0000-3b-00-0")]),
    );
    insta::assert_snapshot!(line(&report), @r#"counters: claim shop/net cannot be allocated: 2 devices match request nic, none is available: 2 blocked: its PF is in use: 0000-3b-00-0 by claim shop/whole (pod dpdk-0) (counter vfs of pf-0000-3b-00-0: 0 of 8 left, 1 needed) (on node1)"#);
    let pf = one(&json!({"deviceClassName": "pf"}));
    let report = report_of(
        objects()
            .into_iter()
            .chain([pf, holding("a", "upf-0", "0000-3b-02-1")]),
    );
    insta::assert_snapshot!(line(&report), @r#"counters: claim shop/net cannot be allocated: 1 device matches request nic, none is available: 1 blocked: its VFs are in use: 0000-3b-02-1 by claim shop/a (pod upf-0) (counter vfs of pf-0000-3b-00-0: 7 of 8 left, 8 needed) (on node1)"#);
}

#[test]
fn devices_are_in_another_pool() {
    let wanted = r#"device.driver == "sriov-dra.io" && device.attributes["sriov-dra.io"].pool == "intel.com/blue""#;
    let devices = vfs(3, |index, vf| {
        let pool = if index == 0 { "" } else { "intel.com/red" };
        vf["attributes"]["pool"] = json!({"string": pool});
    });
    let report = report_of([
        class("vf", wanted),
        one(&json!({})),
        node("node1", &devices),
    ]);
    insta::assert_snapshot!(line(&report), @r#"selector: claim shop/net cannot be allocated: no device matches request nic: class vf, selector 0: device.attributes["sriov-dra.io"].pool == "intel.com/blue" is false for all devices: pool is "intel.com/red" on 2 devices, "" on 1 device"#);
}

#[test]
fn a_missing_attribute() {
    let speed = json!([{"cel": {"expression": "device.attributes[\"sriov-dra.io\"].speed > 10"}}]);
    let report = report_of([
        class("vf", VF),
        one(&json!({"selectors": speed})),
        node("node1", &vfs(2, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"selectorError: claim shop/net cannot be allocated: request nic, selector 0: device.attributes["sriov-dra.io"].speed > 10: the device has no attribute speed; the scheduler aborts at such a device, here node1/0000-3b-02-0 of sriov-dra.io; guard the attribute with has() or .? (on node1)"#);
    let guarded = json!([{"cel": {"expression": "device.attributes[\"sriov-dra.io\"].?speed.orValue(0) > 10"}}]);
    let report = report_of([
        class("vf", VF),
        one(&json!({"selectors": guarded})),
        node("node1", &vfs(2, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"selector: claim shop/net cannot be allocated: no device matches request nic: request nic, selector 0: device.attributes["sriov-dra.io"].?speed.orValue(0) > 10 is false for all devices: speed is absent on 2 devices"#);
}

#[test]
fn too_few_on_one_numa_node() {
    let devices = vfs(6, |index, vf| {
        vf["attributes"]["resource.kubernetes.io/numaNode"] = json!({"int": index % 2});
    });
    let constraint =
        json!([{"requests": ["nic"], "matchAttribute": "resource.kubernetes.io/numaNode"}]);
    let with = |count: usize| {
        let mut claim = one(&json!({"count": count}));
        claim["spec"]["devices"]["constraints"] = constraint.clone();
        report_of([class("vf", VF), claim, node("node1", &devices)])
    };
    insta::assert_snapshot!(line(&with(4)), @r#"constraint: claim shop/net cannot be allocated: constraint 0, matchAttribute resource.kubernetes.io/numaNode: 4 devices for nic must have the same value, but the available devices have 0: 3 devices, 1: 3 devices (on node1)"#);
    assert_eq!(
        with(4).constraints[0].groups,
        [("0".to_owned(), 3), ("1".to_owned(), 3)]
    );
    insta::assert_snapshot!(line(&with(3)), @r#"none: claim shop/net can be allocated, for example nic: node1/0000-3b-02-0, nic: node1/0000-3b-02-2, nic: node1/0000-3b-02-4"#);
}

#[test]
fn a_device_taint_rule_applies() {
    let selector = json!({"driver": DRIVER, "pool": "node1", "device": "0000-3b-02-0"});
    let taint = json!({"key": "example.com/cable-work", "value": "monday", "effect": "NoExecute"});
    let rule = json!({
        "kind": "DeviceTaintRule", "metadata": {"name": "cable"}, "spec": {"deviceSelector": selector, "taint": taint}
    });
    let report = report_of([
        class("vf", VF),
        one(&json!({})),
        node("node1", &vfs(1, |_, _| {})),
        rule,
    ]);
    insta::assert_snapshot!(line(&report), @r#"taint: claim shop/net cannot be allocated: 1 device matches request nic, none is available: 1 with untolerated taints: example.com/cable-work=monday:NoExecute (on node1)"#);
}

#[test]
fn the_class_does_not_exist() {
    let report = report_of([
        class("fv", VF),
        one(&json!({})),
        node("node1", &vfs(2, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"classMissing: claim shop/net cannot be allocated: request nic: DeviceClass vf not found"#);
}

#[test]
fn the_configuration_is_invalid() {
    let parameters =
        json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "DeviceConfig", "vlan": 100});
    let with = |requests: Value| {
        let mut claim = one(&json!({}));
        claim["spec"]["devices"]["config"] =
            json!([{"requests": requests, "opaque": {"driver": DRIVER, "parameters": parameters}}]);
        report_of([class("vf", VF), claim, node("node1", &vfs(2, |_, _| {}))])
    };
    insta::assert_snapshot!(line(&with(json!([]))), @r#"config: claim shop/net can be allocated, but not prepared: request nic: claim config: vlan: only the administrator may set it: DeviceClass vf does not list it in allowInClaims"#);
    insta::assert_snapshot!(line(&with(json!(["another"]))), @"invalid: claim shop/net cannot be allocated: config 0: there is no request another");
}

#[test]
fn a_configuration_is_for_the_requests_that_it_names() {
    let of = |parameters: Value| json!({"opaque": {"driver": DRIVER, "parameters": parameters}});
    let kind = json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "DeviceConfig"});
    let with = |key: &str, value: Value| {
        let mut parameters = kind.clone();
        parameters[key] = value;
        of(parameters)
    };
    let mut open = class("open", VF);
    open["spec"]["config"] = json!([with("allowInClaims", json!(["vlan"]))]);
    let mut claim = one(&json!({}));
    claim["spec"]["devices"]["requests"]
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "another", "exactly": {"deviceClassName": "open"}}));
    let mut config = with("vlan", json!(100));
    config["requests"] = json!(["another"]);
    claim["spec"]["devices"]["config"] = json!([config]);
    let report = report_of([
        class("vf", VF),
        open,
        claim,
        node("node1", &vfs(2, |_, _| {})),
    ]);
    assert_eq!(report.cause, None);
}
