//! Further causes and states.

use serde_json::json;

use super::*;
use crate::explain::{ExplainError, State};

#[test]
fn an_allocatable_claim_is_reported_with_example_devices() {
    let report = report_of([
        class("vf", VF),
        one(&json!({"count": 2})),
        node("node1", &vfs(3, |_, _| {})),
    ]);
    assert_eq!(report.state, State::Allocatable);
    insta::assert_snapshot!(line(&report), @r#"none: claim shop/net can be allocated, for example nic: node1/0000-3b-02-0, nic: node1/0000-3b-02-1"#);
}

#[test]
fn a_class_is_explained_as_a_request_for_one_device_of_it() {
    let report = report_on(
        "class/vf",
        [class("vf", VF), node("node1", &vfs(1, |_, _| {}))],
    );
    insta::assert_snapshot!(line(&report), @r#"none: one device of class vf can be allocated, for example device: node1/0000-3b-02-0"#);
    let report = report_on(
        "vf",
        [
            class("vf", &VF.replace("vf", "sf")),
            node("node1", &vfs(1, |_, _| {})),
        ],
    );
    insta::assert_snapshot!(line(&report), @r#"selector: one device of class vf cannot be allocated: no device matches request device: class vf, selector 0: device.attributes["sriov-dra.io"].type == "sf" is false for all devices: type is "vf" on 1 device"#);
}

#[test]
fn an_allocated_claim_is_reported_with_its_devices_and_errors_of_prepare() {
    let mut own = holding("net", "upf-0", "0000-3b-02-0");
    own["spec"] = one(&json!({}))["spec"].clone();
    let parameters =
        json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "DeviceConfig", "mtu": 1});
    let objects = |own: Value| [class("vf", VF), own, node("node1", &vfs(1, |_, _| {}))];
    insta::assert_snapshot!(line(&report_of(objects(own.clone()))), @r#"none: claim shop/net is allocated: nic: node1/0000-3b-02-0"#);
    own["spec"]["devices"]["config"] =
        json!([{"opaque": {"driver": DRIVER, "parameters": parameters}}]);
    insta::assert_snapshot!(line(&report_of(objects(own))), @r#"config: claim shop/net is allocated, but cannot be prepared: request nic: claim config: mtu: 1 is not an MTU in bytes, must be a number from 68 to 65535"#);
}

#[test]
fn the_closest_of_several_nodes_is_reported() {
    let other = vfs(2, |_, vf| {
        vf["attributes"]["type"] = json!({"string": "sf"})
    });
    let report = report_of([
        class("vf", VF),
        one(&json!({"count": 3})),
        node("node1", &vfs(2, |_, _| {})),
        node("node2", &other),
        node("node3", &vfs(1, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"tooFew: claim shop/net cannot be allocated: request nic needs 3 devices, 2 devices match (on node1, the closest match of 3 nodes)"#);
}

#[test]
fn no_agent_runs() {
    let report = report_of([class("vf", VF), one(&json!({}))]);
    insta::assert_snapshot!(line(&report), @r#"noDevices: claim shop/net cannot be allocated: no node publishes devices of sriov-dra.io: check that its agent runs and that nodes have SR-IOV functions"#);
}

#[test]
fn the_first_available_alternative_is_chosen() {
    let requests = |first: &str, second: &str| {
        let alternative = |name: &str, class: &str| json!({"name": name, "deviceClassName": class, "allocationMode": "ExactCount"});
        claim(
            &json!({"requests": [{"name": "nic", "firstAvailable": [alternative("fast", first), alternative("slow", second)]}]}),
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
    insta::assert_snapshot!(line(&report_of(objects(requests("sf", "vf")))), @r#"none: claim shop/net can be allocated, for example nic/slow: node1/0000-3b-02-0"#);
    insta::assert_snapshot!(line(&report_of(objects(requests("vf", "none")))), @r#"classMissing: claim shop/net cannot be allocated: request nic/slow: DeviceClass none not found"#);
    insta::assert_snapshot!(rows(&report_of(objects(requests("sf", "vf")))), @r#"
    nic/fast node1 selector 0000-3b-02-0: class sf, selector 0: device.attributes["sriov-dra.io"].type == "sf" is false (type="vf")
    nic/slow node1 fits 0000-3b-02-0: matches and is available
    "#);
}

#[test]
fn a_pf_and_its_vf_exclude_each_other() {
    let exactly =
        |class: &str| json!({"deviceClassName": class, "allocationMode": "ExactCount", "count": 1});
    let requests =
        json!([{"name": "vf", "exactly": exactly("vf")}, {"name": "pf", "exactly": exactly("pf")}]);
    let devices = [vf(0), device("0000-3b-00-0", "pf", &json!({}))];
    let classes = [class("vf", VF), class("pf", &VF.replace("vf", "pf"))];
    let report = report_of(classes.into_iter().chain([
        claim(&json!({"requests": requests})),
        node("node1", &devices),
    ]));
    insta::assert_snapshot!(line(&report), @r#"counters: claim shop/net cannot be allocated: the claim requests devices that exclude each other: a PF and its VFs (on node1)"#);
}

#[test]
fn requests_compete_for_the_same_devices() {
    let exactly = json!({"deviceClassName": "vf", "allocationMode": "ExactCount", "count": 2});
    let requests = json!([{"name": "a", "exactly": exactly}, {"name": "b", "exactly": exactly}]);
    let report = report_of([
        class("vf", VF),
        claim(&json!({"requests": requests})),
        node("node1", &vfs(3, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"tooFew: claim shop/net cannot be allocated: the requests compete for the same devices, and there are too few for all of them (on node1)"#);
}

#[test]
fn allocation_mode_all_needs_every_matching_device() {
    let all = || {
        [
            class("vf", VF),
            one(&json!({"allocationMode": "All", "count": null})),
            node("node1", &vfs(2, |_, _| {})),
        ]
    };
    insta::assert_snapshot!(line(&report_of(all())), @r#"none: claim shop/net can be allocated, for example nic: node1/0000-3b-02-0, nic: node1/0000-3b-02-1"#);
    let report = report_of(
        all()
            .into_iter()
            .chain([holding("a", "upf-0", "0000-3b-02-0")]),
    );
    insta::assert_snapshot!(line(&report), @r#"held: claim shop/net cannot be allocated: 2 devices match request nic, 2 needed, 1 available: 1 allocated to claim shop/a (pod upf-0) (on node1)"#);
}

#[test]
fn admin_access_ignores_other_claims() {
    let objects = [
        class("vf", VF),
        one(&json!({"adminAccess": true})),
        node("node1", &vfs(1, |_, _| {})),
    ];
    let report = report_of(
        objects
            .into_iter()
            .chain([holding("a", "upf-0", "0000-3b-02-0")]),
    );
    assert_eq!(report.state, State::Allocatable, "{}", line(&report));
}

#[test]
fn distinct_pfs_are_requested_and_there_is_one() {
    let mut claim = one(&json!({"count": 2}));
    claim["spec"]["devices"]["constraints"] = json!([{"distinctAttribute": "sriov-dra.io/pfName"}]);
    let report = report_of([class("vf", VF), claim, node("node1", &vfs(4, |_, _| {}))]);
    insta::assert_snapshot!(line(&report), @r#"constraint: claim shop/net cannot be allocated: constraint 0, distinctAttribute sriov-dra.io/pfName: 2 devices for nic must have different values, but the available devices have "ens1f0": 4 devices (on node1)"#);
}

#[test]
fn two_constraints_contradict_each_other() {
    let devices = vfs(4, |index, vf| {
        vf["attributes"]["resource.kubernetes.io/numaNode"] = json!({"int": index % 2});
        vf["attributes"]["pfName"] = json!({"string": format!("ens1f{}", index % 2)});
    });
    let mut claim = one(&json!({"count": 2}));
    claim["spec"]["devices"]["constraints"] = json!([
        {"matchAttribute": "resource.kubernetes.io/numaNode"}, {"distinctAttribute": "sriov-dra.io/pfName"}
    ]);
    let report = report_of([class("vf", VF), claim, node("node1", &devices)]);
    insta::assert_snapshot!(line(&report), @r#"constraint: claim shop/net cannot be allocated: the constraints contradict each other: constraint 0, matchAttribute resource.kubernetes.io/numaNode: 2 devices for nic must have the same value, but the available devices have 0: 2 devices, 1: 2 devices; constraint 1, distinctAttribute sriov-dra.io/pfName: 2 devices for nic must have different values, but the available devices have "ens1f0": 2 devices, "ens1f1": 2 devices (on node1)"#);
}

#[test]
fn interchangeable_devices_are_not_tried_in_every_order() {
    let devices = vfs(120, |index, vf| {
        vf["consumesCounters"] = json!([]);
        vf["attributes"]["resource.kubernetes.io/numaNode"] = json!({"int": index % 4});
    });
    let mut claim = one(&json!({"count": 32}));
    claim["spec"]["devices"]["constraints"] =
        json!([{"matchAttribute": "resource.kubernetes.io/numaNode"}]);
    let report = report_of([class("vf", VF), claim, node("node1", &devices)]);
    assert_eq!(
        report.cause.as_ref().unwrap().code,
        "constraint",
        "{}",
        line(&report)
    );
}

#[test]
fn a_selector_error_after_enough_devices_does_not_matter() {
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
        report_of([
            class("vf", VF),
            one(&json!({"selectors": fast, "count": count})),
            node("node1", &devices),
        ])
    };
    assert_eq!(with(1).state, State::Allocatable);
    insta::assert_snapshot!(line(&with(2)), @r#"selectorError: claim shop/net cannot be allocated: request nic, selector 0: device.attributes["sriov-dra.io"].linkSpeed >= 10000: the device has no attribute linkSpeed; the scheduler aborts at such a device, here node1/0000-3b-02-1 of sriov-dra.io; guard the attribute with has() or .? (on node1)"#);
}

#[test]
fn what_is_not_supported_is_reported_as_unknown() {
    let is_ip =
        json!([{"cel": {"expression": "isIP(device.attributes[\"sriov-dra.io\"].pfName)"}}]);
    let report = report_of([
        class("vf", VF),
        one(&json!({"selectors": is_ip})),
        node("node1", &vfs(2, |_, _| {})),
    ]);
    assert_eq!(report.state, State::Undecided);
    insta::assert_snapshot!(line(&report), @r#"notJudged: claim shop/net: result unknown: request nic, selector 0: isIP is not supported (on node1)"#);
    let shared = vfs(1, |_, vf| vf["allowMultipleAllocations"] = true.into());
    insta::assert_snapshot!(line(&report_of([class("vf", VF), one(&json!({})), node("node1", &shared)])), @r#"notJudged: claim shop/net: result unknown: the device can be shared by several claims: capacity is not evaluated (on node1)"#);
}

#[test]
fn a_selector_that_the_api_server_would_reject() {
    let wrong = json!([{"cel": {"expression": "device.vendor == \"8086\""}}]);
    let report = report_of([
        class("vf", VF),
        one(&json!({"selectors": wrong})),
        node("node1", &vfs(1, |_, _| {})),
    ]);
    insta::assert_snapshot!(line(&report), @r#"selectorInvalid: claim shop/net cannot be allocated: request nic, selector 0: undefined field 'vendor': device has driver, attributes, capacity, allowMultipleAllocations: device.vendor == "8086""#);
}

#[test]
fn only_the_newest_generation_of_a_pool_is_used_and_only_if_it_is_complete() {
    let mut lists = node("node1", &vfs(1, |_, _| {}));
    for slice in lists["items"].as_array_mut().unwrap() {
        slice["spec"]["pool"]["resourceSliceCount"] = 3.into();
    }
    insta::assert_snapshot!(line(&report_of([class("vf", VF), one(&json!({})), lists.clone()])), @r#"poolIncomplete: claim shop/net cannot be allocated: 1 device matches request nic, none is available: 1 blocked: its pool is incomplete: 2 of 3 slices exist, the scheduler waits for the rest (on node1)"#);
    let mut newer = node("node1", &vfs(2, |_, _| {}));
    for slice in newer["items"].as_array_mut().unwrap() {
        slice["spec"]["pool"]["generation"] = 2.into();
    }
    let report = report_of([class("vf", VF), one(&json!({"count": 2})), lists, newer]);
    assert_eq!(report.state, State::Allocatable, "{}", line(&report));
}

#[test]
fn an_unguarded_selector_fails_on_a_device_of_another_driver() {
    let gpu = json!({
        "kind": "ResourceSlice", "metadata": {"name": "gpu"},
        "spec": {
            "driver": "gpu.example.com", "nodeName": "node1", "devices": [{"name": "gpu-0"}],
            "pool": {"name": "node1", "generation": 1, "resourceSliceCount": 1}
        },
    });
    let unguarded = r#"device.attributes["sriov-dra.io"].type == "sf""#;
    let report = report_of([
        class("vf", unguarded),
        one(&json!({})),
        node("node1", &vfs(1, |_, _| {})),
        gpu,
    ]);
    insta::assert_snapshot!(line(&report), @r#"selectorError: claim shop/net cannot be allocated: class vf, selector 0: device.attributes["sriov-dra.io"].type == "sf": the device has no attribute sriov-dra.io/type; the scheduler aborts at such a device, here node1/gpu-0 of gpu.example.com; guard the attribute with has() or .? (on node1)"#);
}

#[test]
fn a_missing_target_is_an_error() {
    let snapshot = Snapshot::read([class("vf", VF)]).unwrap();
    let error = explain(&snapshot, &Query::read("claim/vf", "shop"), DRIVER).unwrap_err();
    let expected = "no ResourceClaim or ResourceClaimTemplate vf found in namespace shop, and no DeviceClass vf";
    assert_eq!(error.to_string(), expected);
    let elsewhere = Snapshot::read([one(&json!({}))]).unwrap();
    let error = explain(&elsewhere, &Query::read("net", "default"), DRIVER).unwrap_err();
    assert!(
        error.to_string().ends_with("; there is shop/net"),
        "{error}"
    );
    let wrong =
        json!({"kind": "DeviceClass", "metadata": {"name": "vf"}, "spec": {"selectors": 5}});
    let error = Snapshot::read([wrong]).unwrap_err();
    assert!(
        matches!(&error, ExplainError::Object { object, .. } if object == "DeviceClass vf"),
        "{error}"
    );
}

#[test]
fn a_claim_for_more_devices_than_the_api_allows_is_rejected() {
    let many = |more: &Value| {
        let devices = vfs(40, |_, vf| {
            vf.as_object_mut().unwrap().remove("consumesCounters");
        });
        report_of([class("vf", VF), one(more), node("node1", &devices)])
    };
    assert_eq!(many(&json!({"count": 32})).state, State::Allocatable);
    insta::assert_snapshot!(line(&many(&json!({"count": 33}))), @"tooMany: claim shop/net cannot be allocated: it requests 33 devices, and the API's limit for one claim is 32");
    insta::assert_snapshot!(line(&many(&json!({"allocationMode": "All", "count": null}))), @"tooMany: claim shop/net cannot be allocated: it requests 40 devices, and the API's limit for one claim is 32 (on node1)");
}

#[test]
fn every_limit_of_the_api_is_a_reason() {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut claim = one(&json!({}));
        change(&mut claim["spec"]["devices"]);
        let report = report_of([class("vf", VF), claim, node("node1", &vfs(2, |_, _| {}))]);
        report
            .cause
            .filter(|cause| cause.code == "tooMany")
            .map(|cause| cause.text)
    };
    let many = |item: Value, count: usize| Value::from(vec![item; count]);
    let says = |text: &str| Some(format!("{text}, and the API's limit is"));
    let starts = |text: Option<String>, expected: &str| {
        let expected = says(expected).unwrap();
        assert!(
            text.as_ref()
                .is_some_and(|text| text.starts_with(&expected)),
            "{text:?}"
        );
    };
    let constraint = json!({"matchAttribute": "sriov-dra.io/pfName"});
    let selector = json!({"cel": {"expression": "true"}});
    let toleration = json!({"operator": "Exists"});
    assert_eq!(
        with(&|all| all["constraints"] = many(constraint.clone(), 32)),
        None
    );
    starts(
        with(&|all| all["constraints"] = many(constraint.clone(), 33)),
        "it has 33 constraints",
    );
    let exactly = |name: &'static str, value: Value| {
        with(&move |all| all["requests"][0]["exactly"][name] = value.clone())
    };
    starts(
        exactly("selectors", many(selector, 33)),
        "request nic has 33 selectors",
    );
    starts(
        exactly("tolerations", many(toleration, 17)),
        "request nic has 17 tolerations",
    );
    let alternative = json!({"name": "a", "deviceClassName": "vf"});
    starts(
        with(&|all| {
            all["requests"] =
                json!([{"name": "nic", "firstAvailable": many(alternative.clone(), 9)}])
        }),
        "request nic has 9 alternatives",
    );
}
