//! What else can happen.

use serde_json::json;

use super::*;
use crate::explain::{ExplainError, State};

#[test]
fn what_can_be_allocated_is_said_with_the_devices() {
    let report = told([
        class("vf", VF),
        one(&json!({"count": 2})),
        node("node1", &vfs(3, |_, _| {})),
    ]);
    assert_eq!(report.state, State::Allocatable);
    insta::assert_snapshot!(line(&report), @r#"none: claim shop/net can be allocated, for example nic: node1/0000-3b-02-0, nic: node1/0000-3b-02-1"#);
}

#[test]
fn a_class_is_explained_as_a_request_for_one_device_of_it() {
    let report = about(
        "class/vf",
        [class("vf", VF), node("node1", &vfs(1, |_, _| {}))],
    );
    insta::assert_snapshot!(line(&report), @r#"none: one device of class vf can be allocated, for example device: node1/0000-3b-02-0"#);
    let report = about(
        "vf",
        [
            class("vf", &VF.replace("vf", "sf")),
            node("node1", &vfs(1, |_, _| {})),
        ],
    );
    insta::assert_snapshot!(line(&report), @r#"selector: one device of class vf cannot be served: no device matches request device: class vf, selector 0: device.attributes["sriov-dra.io"].type == "sf" is false for all: type is "vf" on 1 device"#);
}

#[test]
fn an_allocated_claim_is_told_its_devices_and_that_prepare_will_refuse_it() {
    let mut own = holding("net", "upf-0", "0000-3b-02-0");
    own["spec"] = one(&json!({}))["spec"].clone();
    let parameters =
        json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "DeviceConfig", "mtu": 1});
    let objects = |own: Value| [class("vf", VF), own, node("node1", &vfs(1, |_, _| {}))];
    insta::assert_snapshot!(line(&told(objects(own.clone()))), @r#"none: claim shop/net is allocated: nic: node1/0000-3b-02-0"#);
    own["spec"]["devices"]["config"] =
        json!([{"opaque": {"driver": DRIVER, "parameters": parameters}}]);
    insta::assert_snapshot!(line(&told(objects(own))), @r#"config: claim shop/net is allocated, but cannot be prepared: request nic: claim config: mtu: 1 is not an MTU in bytes, must be a number from 68 to 65535"#);
}

#[test]
fn of_several_nodes_the_one_speaks_that_came_nearest() {
    let other = vfs(2, |_, vf| {
        vf["attributes"]["type"] = json!({"string": "sf"})
    });
    let report = told([
        class("vf", VF),
        one(&json!({"count": 3})),
        node("node1", &vfs(2, |_, _| {})),
        node("node2", &other),
        node("node3", &vfs(1, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"tooFew: claim shop/net cannot be served: request nic asks for 3 devices, 2 devices match (on node1, which comes nearest of 3 nodes)"#);
}

#[test]
fn no_agent_runs() {
    let report = told([class("vf", VF), one(&json!({}))]);
    insta::assert_snapshot!(line(&report), @r#"noDevices: claim shop/net cannot be served: no node has a device of sriov-dra.io: does its agent run, and has the node SR-IOV functions?"#);
}

#[test]
fn the_first_alternative_that_there_is_is_taken() {
    let requests = |first: &str, second: &str| {
        let way = |name: &str, class: &str| json!({"name": name, "deviceClassName": class, "allocationMode": "ExactCount"});
        claim(
            &json!({"requests": [{"name": "nic", "firstAvailable": [way("fast", first), way("slow", second)]}]}),
        )
    };
    let objects = |claim: Value| {
        [
            class("vf", VF),
            class("sf", &VF.replace("vf", "sf")),
            claim,
            node("node1", &vfs(1, |_, _| {})),
        ]
    };
    insta::assert_snapshot!(line(&told(objects(requests("sf", "vf")))), @r#"none: claim shop/net can be allocated, for example nic/slow: node1/0000-3b-02-0"#);
    insta::assert_snapshot!(line(&told(objects(requests("vf", "none")))), @r#"classMissing: claim shop/net cannot be served: there is no DeviceClass none, which request nic/slow asks for"#);
    insta::assert_snapshot!(rows(&told(objects(requests("sf", "vf")))), @r#"
    nic/fast node1 selector 0000-3b-02-0: class sf, selector 0: device.attributes["sriov-dra.io"].type == "sf" is false (type="vf")
    nic/slow node1 fits 0000-3b-02-0: nothing refuses it
    "#);
}

#[test]
fn a_claim_cannot_have_a_pf_and_its_vf() {
    let exactly =
        |class: &str| json!({"deviceClassName": class, "allocationMode": "ExactCount", "count": 1});
    let requests =
        json!([{"name": "vf", "exactly": exactly("vf")}, {"name": "pf", "exactly": exactly("pf")}]);
    let devices = [vf(0), device("0000-3b-00-0", "pf", &json!({}))];
    let classes = [class("vf", VF), class("pf", &VF.replace("vf", "pf"))];
    let report = told(classes.into_iter().chain([
        claim(&json!({"requests": requests})),
        node("node1", &devices),
    ]));
    insta::assert_snapshot!(line(&report), @r#"counters: claim shop/net cannot be served: the claim asks for devices that exclude each other, a PF and its VFs (on node1)"#);
}

#[test]
fn requests_that_want_the_same_devices() {
    let exactly = json!({"deviceClassName": "vf", "allocationMode": "ExactCount", "count": 2});
    let requests = json!([{"name": "a", "exactly": exactly}, {"name": "b", "exactly": exactly}]);
    let report = told([
        class("vf", VF),
        claim(&json!({"requests": requests})),
        node("node1", &vfs(3, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"tooFew: claim shop/net cannot be served: the requests want the same devices, and there are too few for all (on node1)"#);
}

#[test]
fn all_means_that_none_may_be_taken() {
    let all = || {
        [
            class("vf", VF),
            one(&json!({"allocationMode": "All", "count": null})),
            node("node1", &vfs(2, |_, _| {})),
        ]
    };
    insta::assert_snapshot!(line(&told(all())), @r#"none: claim shop/net can be allocated, for example nic: node1/0000-3b-02-0, nic: node1/0000-3b-02-1"#);
    let report = told(
        all()
            .into_iter()
            .chain([holding("a", "upf-0", "0000-3b-02-0")]),
    );
    insta::assert_snapshot!(line(&report), @r#"held: claim shop/net cannot be served: 2 devices match request nic, 2 are wanted, 1 free: 1 allocated to claim shop/a (pod upf-0) (on node1)"#);
}

#[test]
fn who_only_observes_may_have_what_is_taken() {
    let objects = [
        class("vf", VF),
        one(&json!({"adminAccess": true})),
        node("node1", &vfs(1, |_, _| {})),
    ];
    let report = told(
        objects
            .into_iter()
            .chain([holding("a", "upf-0", "0000-3b-02-0")]),
    );
    assert_eq!(report.state, State::Allocatable, "{}", line(&report));
}

#[test]
fn distinct_ports_are_wanted_and_there_is_one() {
    let mut claim = one(&json!({"count": 2}));
    claim["spec"]["devices"]["constraints"] = json!([{"distinctAttribute": "sriov-dra.io/pfName"}]);
    let report = told([class("vf", VF), claim, node("node1", &vfs(4, |_, _| {}))]);
    insta::assert_snapshot!(line(&report), @r#"constraint: claim shop/net cannot be served: constraint 0, distinctAttribute sriov-dra.io/pfName: needs different values on 2 devices of nic, but those that are free have "ens1f0": 4 devices (on node1)"#);
}

#[test]
fn two_constraints_that_only_together_are_too_much() {
    let devices = vfs(4, |index, vf| {
        vf["attributes"]["resource.kubernetes.io/numaNode"] = json!({"int": index % 2});
        vf["attributes"]["pfName"] = json!({"string": format!("ens1f{}", index % 2)});
    });
    let mut claim = one(&json!({"count": 2}));
    claim["spec"]["devices"]["constraints"] = json!([
        {"matchAttribute": "resource.kubernetes.io/numaNode"}, {"distinctAttribute": "sriov-dra.io/pfName"}
    ]);
    let report = told([class("vf", VF), claim, node("node1", &devices)]);
    insta::assert_snapshot!(line(&report), @r#"constraint: claim shop/net cannot be served: constraints exclude each other: constraint 0, matchAttribute resource.kubernetes.io/numaNode: needs one value on 2 devices of nic, but those that are free have 0: 2 devices, 1: 2 devices; constraint 1, distinctAttribute sriov-dra.io/pfName: needs different values on 2 devices of nic, but those that are free have "ens1f0": 2 devices, "ens1f1": 2 devices (on node1)"#);
}

#[test]
fn many_equal_devices_are_not_tried_in_every_order() {
    let devices = vfs(120, |index, vf| {
        vf["consumesCounters"] = json!([]);
        vf["attributes"]["resource.kubernetes.io/numaNode"] = json!({"int": index % 4});
    });
    let mut claim = one(&json!({"count": 32}));
    claim["spec"]["devices"]["constraints"] =
        json!([{"matchAttribute": "resource.kubernetes.io/numaNode"}]);
    let report = told([class("vf", VF), claim, node("node1", &devices)]);
    assert_eq!(
        report.cause.as_ref().unwrap().code,
        "constraint",
        "{}",
        line(&report)
    );
}

#[test]
fn an_error_behind_enough_devices_does_not_matter() {
    let devices = vfs(2, |index, vf| {
        if index == 1 {
            vf["attributes"]
                .as_object_mut()
                .unwrap()
                .remove("linkSpeed");
        }
    });
    let fast =
        json!([{"cel": {"expression": "device.attributes[\"sriov-dra.io\"].linkSpeed >= 10000"}}]);
    let with = |count: usize| {
        told([
            class("vf", VF),
            one(&json!({"selectors": fast, "count": count})),
            node("node1", &devices),
        ])
    };
    assert_eq!(with(1).state, State::Allocatable);
    insta::assert_snapshot!(line(&with(2)), @r#"selectorError: claim shop/net cannot be served: request nic, selector 0: device.attributes["sriov-dra.io"].linkSpeed >= 10000: the device has no attribute linkSpeed; the scheduler gives up at such a device, here node1/0000-3b-02-1 of sriov-dra.io, unless the expression asks with has() or .? first (on node1)"#);
}

#[test]
fn what_cannot_be_evaluated_gets_no_verdict() {
    let is_ip =
        json!([{"cel": {"expression": "isIP(device.attributes[\"sriov-dra.io\"].pfName)"}}]);
    let report = told([
        class("vf", VF),
        one(&json!({"selectors": is_ip})),
        node("node1", &vfs(2, |_, _| {})),
    ]);
    assert_eq!(report.state, State::Undecided);
    insta::assert_snapshot!(line(&report), @r#"notJudged: claim shop/net: no verdict: request nic, selector 0: isIP is not known here (on node1)"#);
    let shared = vfs(1, |_, vf| vf["allowMultipleAllocations"] = true.into());
    insta::assert_snapshot!(line(&told([class("vf", VF), one(&json!({})), node("node1", &shared)])), @r#"notJudged: claim shop/net: no verdict: several claims may share it: capacity is not evaluated (on node1)"#);
}

#[test]
fn a_selector_that_the_server_would_refuse() {
    let wrong = json!([{"cel": {"expression": "device.vendor == \"8086\""}}]);
    let report = told([
        class("vf", VF),
        one(&json!({"selectors": wrong})),
        node("node1", &vfs(1, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"selectorInvalid: claim shop/net cannot be served: request nic, selector 0: undefined field 'vendor': device has driver, attributes, capacity, allowMultipleAllocations: device.vendor == "8086""#);
}

#[test]
fn only_the_newest_generation_of_a_pool_counts_and_only_when_it_is_whole() {
    let mut lists = node("node1", &vfs(1, |_, _| {}));
    for slice in lists["items"].as_array_mut().unwrap() {
        slice["spec"]["pool"]["resourceSliceCount"] = 3.into();
    }
    insta::assert_snapshot!(line(&told([class("vf", VF), one(&json!({})), lists.clone()])), @r#"poolIncomplete: claim shop/net cannot be served: 1 device matches request nic, none is free: 1 blocked: 2 of 3 slices of its pool are there: the scheduler waits for the others (on node1)"#);
    let mut newer = node("node1", &vfs(2, |_, _| {}));
    for slice in newer["items"].as_array_mut().unwrap() {
        slice["spec"]["pool"]["generation"] = 2.into();
    }
    let report = told([class("vf", VF), one(&json!({"count": 2})), lists, newer]);
    assert_eq!(report.state, State::Allocatable, "{}", line(&report));
}

#[test]
fn an_unguarded_selector_stumbles_over_another_drivers_device() {
    let gpu = json!({
        "kind": "ResourceSlice", "metadata": {"name": "gpu"},
        "spec": {
            "driver": "gpu.example.com", "nodeName": "node1", "devices": [{"name": "gpu-0"}],
            "pool": {"name": "node1", "generation": 1, "resourceSliceCount": 1}
        },
    });
    let naked = r#"device.attributes["sriov-dra.io"].type == "sf""#;
    let report = told([
        class("vf", naked),
        one(&json!({})),
        node("node1", &vfs(1, |_, _| {})),
        gpu,
    ]);
    insta::assert_snapshot!(line(&report), @r#"selectorError: claim shop/net cannot be served: class vf, selector 0: device.attributes["sriov-dra.io"].type == "sf": the device has no attribute sriov-dra.io/type; the scheduler gives up at such a device, here node1/gpu-0 of gpu.example.com, unless the expression asks with has() or .? first (on node1)"#);
}

#[test]
fn what_is_not_there_is_an_error() {
    let snapshot = Snapshot::read([class("vf", VF)]).unwrap();
    let error = explain(&snapshot, &Query::read("claim/vf", "shop"), DRIVER).unwrap_err();
    let expected =
        "no ResourceClaim or ResourceClaimTemplate vf in namespace shop, and no DeviceClass vf";
    assert_eq!(error.to_string(), expected);
    let wrong =
        json!({"kind": "DeviceClass", "metadata": {"name": "vf"}, "spec": {"selectors": 5}});
    let error = Snapshot::read([wrong]).unwrap_err();
    assert!(
        matches!(&error, ExplainError::Object { object, .. } if object == "DeviceClass vf"),
        "{error}"
    );
}
