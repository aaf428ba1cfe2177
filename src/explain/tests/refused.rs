//! What the API server refuses, and pods that are bound to nodes: no device is free for them.

use serde_json::json;

use super::*;
use crate::explain::{ExplainError, State, explain_all};

fn free() -> Value {
    node("node1", &vfs(3, |_, _| {}))
}

fn request(name: &str) -> Value {
    json!({"name": name, "exactly": {"deviceClassName": "vf"}})
}

#[track_caller]
fn of(devices: &Value) -> String {
    let report = report_of([class("vf", VF), free(), claim(devices)]);
    assert!(!report.is_ok(), "{devices}");
    line(&report).replace("invalid: claim shop/net cannot be allocated: ", "")
}

#[test]
fn claims_that_the_api_server_refuses_cannot_be_allocated() {
    let of_one = |more: Value| {
        let report = report_of([class("vf", VF), free(), one(&more)]);
        line(&report).replace("invalid: claim shop/net cannot be allocated: ", "")
    };
    let of_constraint =
        |constraint: Value| of(&json!({"requests": [request("a")], "constraints": [constraint]}));
    let numa = "resource.kubernetes.io/numaNode";
    let all = [
        of(&json!({"requests": [{"name": "nic", "deviceClassName": "vf"}]})),
        of(&json!({"requests": [{"exactly": {"deviceClassName": "vf"}}]})),
        of(&json!({"requests": [request("a"), request("a")]})),
        of(
            &json!({"requests": [{"name": "a", "exactly": {"deviceClassName": "vf"}, "firstAvailable": [{"name": "b", "deviceClassName": "vf"}]}]}),
        ),
        of_one(json!({"count": 0})),
        of_one(json!({"count": -1})),
        of_one(json!({"allocationMode": "Any"})),
        of_one(json!({"deviceClassName": ""})),
        of_one(json!({"tolerations": [{"key": "a", "operator": "Maybe"}]})),
        of_one(json!({"tolerations": [{"operator": "Equal"}]})),
        of_one(json!({"tolerations": [{"key": "a", "operator": "Exists", "effect": "Never"}]})),
        of_constraint(json!({"requests": ["b"], "matchAttribute": numa})),
        of_constraint(json!({"matchAttribute": "numaNode"})),
        of_constraint(json!({"requests": ["a"]})),
        of(&json!({"requests": [request("a")], "config": [{"requests": ["b"]}]})),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    request nic: needs exactly or firstAvailable (in resource.k8s.io/v1, deviceClassName and the fields beside it are below exactly)
    request 0: name: is not set
    request a is there twice
    request a: has both exactly and firstAvailable
    request nic: count: must be 1 or more
    request nic: count: must be 1 or more
    request nic: allocationMode: "Any" is wrong, must be ExactCount or All
    request nic: deviceClassName: is not set
    request nic: tolerations: operator "Maybe" is wrong, must be Exists or Equal
    request nic: tolerations: without a key the operator must be Exists
    request nic: tolerations: effect "Never" is wrong, must be NoSchedule or NoExecute
    constraint 0: there is no request b
    constraint 0: "numaNode" has no domain, must be like resource.kubernetes.io/numaNode
    constraint 0: needs one of matchAttribute and distinctAttribute
    config 0: there is no request b
    "#);
}

#[test]
fn a_claim_without_requests_gets_nothing() {
    let report = report_of([class("vf", VF), free(), claim(&json!({}))]);
    assert_eq!(
        report.headline(),
        "claim shop/net can be allocated: it requests no devices"
    );
}

#[test]
fn requests_of_capacity_are_not_evaluated() {
    let asked = one(&json!({"capacity": {"requests": {"bandwidth": "100G"}}}));
    let report = report_of([class("vf", VF), free(), asked]);
    assert_eq!(report.state, State::Undecided);
    insta::assert_snapshot!(report.headline(), @"claim shop/net: result unknown: request nic: requests of capacity are not evaluated (on node1)");
}

#[test]
fn an_object_that_cannot_be_read_costs_itself_only() {
    let odd = json!({"kind": "ResourceClaim", "metadata": {"namespace": "shop", "name": "odd"}, "spec": {"devices": 7}});
    let objects = [class("vf", VF), free(), one(&json!({})), odd];
    assert!(Snapshot::read(objects.clone()).is_err());
    let snapshot = Snapshot::read_all(objects);
    let of = |name: &str| explain_all(&snapshot, &Query::read(name, "shop"), DRIVER);
    let reports = of("net").unwrap();
    assert!(reports[0].is_ok());
    insta::assert_snapshot!(reports[0].notes.join("\n"), @"left out, since it cannot be read: ResourceClaim odd: invalid type: integer `7`, expected struct Devices");
    let error = of("odd").unwrap_err();
    assert!(matches!(error, ExplainError::Object { .. }), "{error}");
}

/// Pod `shop/upf-0` with claim `net`, and what is said of it where node1 and node2 have devices.
fn of_pod(spec: &Value, phase: &str) -> (String, Vec<String>) {
    let mut pod = json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "upf-0"}, "status": {"phase": phase},
        "spec": {"resourceClaims": [{"name": "a", "resourceClaimName": "net"}]}});
    for (key, value) in spec.as_object().into_iter().flatten() {
        pod["spec"][key] = value.clone();
    }
    let objects = [
        class("vf", VF),
        free(),
        node("node2", &vfs(1, |_, _| {})),
        one(&json!({})),
        pod,
    ];
    let snapshot = Snapshot::read(objects).unwrap();
    let reports = explain_all(&snapshot, &Query::read("pod/upf-0", "shop"), DRIVER).unwrap();
    (line(&reports[0]), reports[0].notes.clone())
}

/// Past the scheduler, nobody allocates: the kubelet waits for ever.
#[test]
fn claims_of_a_pod_that_is_bound_already_are_never_allocated() {
    let bound = json!({"nodeName": "node2"});
    insta::assert_snapshot!(of_pod(&bound, "Pending").0, @"bound: claim shop/net cannot be allocated: its pod is bound to a node (spec.nodeName), and only the scheduler allocates claims; use spec.nodeSelector (on node2)");
    let (over, _) = of_pod(&bound, "Succeeded");
    assert!(over.starts_with("none: claim shop/net can be"), "{over}");
}

#[test]
fn only_the_node_that_a_pod_names_is_evaluated() {
    let selector = |node: &str| json!({"nodeSelector": {"kubernetes.io/hostname": node}});
    let terms =
        json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["node2"]}]}]);
    let daemon = json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}});
    for spec in [selector("node2"), daemon] {
        let (line, notes) = of_pod(&spec, "Pending");
        assert!(line.ends_with("nic: node2/0000-3b-02-0"), "{line}");
        assert_eq!(notes, Vec::<String>::new());
    }
    insta::assert_snapshot!(of_pod(&selector("node9"), "Pending").0, @"noDevices: claim shop/net cannot be allocated: there are no devices on node9");
}

#[test]
fn what_else_limits_the_nodes_is_said() {
    let terms = json!([{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}]);
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}});
    let both = json!({"nodeSelector": {"zone": "a"}, "affinity": affinity});
    let (line, notes) = of_pod(&both, "Pending");
    assert!(line.starts_with("none: "), "{line}");
    insta::assert_snapshot!(notes.join("\n"), @"the pod's nodeSelector and required node affinity may exclude nodes that fit here: labels of nodes are not evaluated");
}
