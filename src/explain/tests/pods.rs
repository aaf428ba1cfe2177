//! Pods: all their claims, alone and together.

use serde_json::json;

use super::*;
use crate::explain::{ExplainError, State, explain_all};

/// Pod `shop/upf-0` with these claims in spec and status.
fn pod(claims: &Value, status: &Value) -> Value {
    json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "upf-0"}, "spec": {"resourceClaims": claims}, "status": status})
}

fn of_pod(
    pod: Value,
    objects: impl IntoIterator<Item = Value>,
) -> Result<Vec<Report>, ExplainError> {
    let snapshot = Snapshot::read(objects.into_iter().chain([pod])).unwrap();
    explain_all(&snapshot, &Query::read("pod/upf-0", "shop"), DRIVER)
}

fn headlines(reports: &[Report]) -> String {
    reports.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_pod_is_explained_by_all_its_claims() {
    let template = json!({"kind": "ResourceClaimTemplate", "metadata": {"namespace": "shop", "name": "vf"}, "spec": {"spec": one(&json!({}))["spec"]}});
    let claims = json!([
        {"name": "a", "resourceClaimName": "net"},
        {"name": "b", "resourceClaimTemplateName": "vf"},
        {"name": "c", "resourceClaimTemplateName": "vf"},
        {"name": "d", "resourceClaimTemplateName": "vf"},
        {"name": "e", "resourceClaimName": "nothing"},
    ]);
    let status = json!({
        "resourceClaimStatuses": [{"name": "b", "resourceClaimName": "upf-0-b-x7"}, {"name": "c"}],
        "extendedResourceClaimStatus": {"resourceClaimName": "upf-0-extended-y8"},
    });
    let objects = [
        class("vf", VF),
        one(&json!({})),
        template,
        holding("upf-0-b-x7", "upf-0", "0000-3b-02-0"),
        holding("upf-0-extended-y8", "upf-0", "0000-3b-02-1"),
        node("node1", &vfs(3, |_, _| {})),
    ];
    let reports = of_pod(pod(&claims, &status), objects).unwrap();
    insta::assert_snapshot!(headlines(&reports), @r#"
    none: claim shop/net can be allocated, for example nic: node1/0000-3b-02-2
    none: claim shop/upf-0-b-x7 is allocated: nic: node1/0000-3b-02-0
    none: claim d of pod shop/upf-0, not created yet can be allocated, for example nic: node1/0000-3b-02-2
    claimMissing: claim shop/nothing cannot be allocated: ResourceClaim nothing does not exist in namespace shop
    none: claim shop/upf-0-extended-y8 is allocated: nic: node1/0000-3b-02-1
    "#);
    let noted = reports.iter().map(|report| report.notes.len());
    assert_eq!(noted.collect::<Vec<_>>(), [1, 0, 1, 1, 0]);
    let ok = reports.iter().map(Report::is_ok);
    assert_eq!(ok.collect::<Vec<_>>(), [true, true, true, false, true]);
}

#[test]
fn a_pod_that_does_not_exist_or_has_no_claims_is_an_error() {
    let text = |pod| of_pod(pod, []).unwrap_err().to_string();
    let other = json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "other"}});
    assert_eq!(text(other), "no Pod upf-0 found in namespace shop");
    let bare = text(pod(&json!([]), &json!({})));
    assert!(
        bare.starts_with("pod shop/upf-0 uses no ResourceClaims; "),
        "{bare}"
    );
}

/// Two claims of the pod from a template for one VF.
fn two_claims() -> (Value, Value) {
    let template = json!({"kind": "ResourceClaimTemplate", "metadata": {"namespace": "shop", "name": "vf"}, "spec": {"spec": one(&json!({}))["spec"]}});
    let claims = json!([
        {"name": "a", "resourceClaimTemplateName": "vf"},
        {"name": "b", "resourceClaimTemplateName": "vf"},
    ]);
    (pod(&claims, &json!({})), template)
}

#[test]
fn claims_of_one_pod_do_not_get_the_same_device() {
    let (pod, template) = two_claims();
    let with = |count: usize| {
        let objects = [
            class("vf", VF),
            template.clone(),
            node("node1", &vfs(count, |_, _| {})),
        ];
        of_pod(pod.clone(), objects).unwrap()
    };
    insta::assert_snapshot!(headlines(&with(2)), @r#"
    none: claim a of pod shop/upf-0, not created yet can be allocated, for example nic: node1/0000-3b-02-0
    none: claim b of pod shop/upf-0, not created yet can be allocated, for example nic: node1/0000-3b-02-1
    "#);
    insta::assert_snapshot!(headlines(&with(1)), @r#"
    none: claim a of pod shop/upf-0, not created yet can be allocated, for example nic: node1/0000-3b-02-0
    none: claim b of pod shop/upf-0, not created yet can be allocated, for example nic: node1/0000-3b-02-0
    tooFew: claims a, b of pod shop/upf-0 together cannot be allocated: the requests compete for the same devices, and there are too few for all of them (on node1)
    "#);
    assert!(with(2).iter().all(Report::is_ok));
    assert!(!with(1).iter().all(Report::is_ok));
}

#[test]
fn claims_of_one_pod_need_devices_of_one_node() {
    let claims =
        json!([{"name": "a", "resourceClaimName": "a"}, {"name": "b", "resourceClaimName": "net"}]);
    let other = vfs(1, |_, vf| vf["name"] = "0000-3b-02-7".into());
    let objects = |free: usize| {
        [
            class("vf", VF),
            holding("a", "upf-0", "0000-3b-02-0"),
            one(&json!({})),
            node("node1", &vfs(1 + free, |_, _| {})),
            node("node2", &other),
        ]
    };
    let of = |free| of_pod(pod(&claims, &json!({})), objects(free)).unwrap();
    insta::assert_snapshot!(headlines(&of(1)), @r#"
    none: claim shop/a is allocated: nic: node1/0000-3b-02-0
    none: claim shop/net can be allocated, for example nic: node1/0000-3b-02-1
    "#);
    insta::assert_snapshot!(headlines(&of(0)), @r#"
    none: claim shop/a is allocated: nic: node1/0000-3b-02-0
    none: claim shop/net can be allocated, for example nic: node2/0000-3b-02-7
    held: claim b of pod shop/upf-0 on node1, where its other claims are allocated, cannot be allocated: 1 device matches request b.nic, none is available: 1 allocated to claim shop/a (pod upf-0) (on node1)
    "#);
    let elsewhere = json!({"kind": "ResourceClaim", "metadata": {"namespace": "shop", "name": "net"}, "status": {"allocation": {"devices": {"results": [
        {"request": "nic", "driver": DRIVER, "pool": "node2", "device": "0000-3b-02-7"}]}}}});
    let mut all = objects(0).to_vec();
    all[2] = elsewhere;
    let both = of_pod(pod(&claims, &json!({})), all).unwrap();
    assert!(both.iter().all(|report| report.state == State::Allocated));
}

#[test]
fn extended_resources_are_explained_before_their_claim_exists() {
    let mut class = class("upf", VF);
    class["spec"]["extendedResourceName"] = "intel.com/upf".into();
    let mut pod = pod(&json!([]), &json!({}));
    pod["spec"]["containers"] = json!([
        {"resources": {"requests": {"cpu": "1", "intel.com/upf": "1"}, "limits": {"intel.com/upf": "1"}}},
        {"resources": {"limits": {"intel.com/upf": "1"}}},
    ]);
    pod["spec"]["initContainers"] = json!([{"resources": {"limits": {"intel.com/upf": "2"}}}]);
    let with = |count: usize| {
        let objects = [class.clone(), node("node1", &vfs(count, |_, _| {}))];
        of_pod(pod.clone(), objects).unwrap()
    };
    insta::assert_snapshot!(headlines(&with(2)), @r#"none: claim for intel.com/upf of pod shop/upf-0, not created yet can be allocated, for example upf: node1/0000-3b-02-0, upf: node1/0000-3b-02-1"#);
    insta::assert_snapshot!(headlines(&with(1)), @r#"tooFew: claim for intel.com/upf of pod shop/upf-0, not created yet cannot be allocated: request upf needs 2 devices, 1 device matches (on node1)"#);
    let implicit =
        json!([{"resources": {"limits": {"deviceclass.resource.kubernetes.io/upf": "1"}}}]);
    pod["spec"]["containers"] = implicit;
    pod["spec"]["initContainers"] = json!([]);
    let objects = [class.clone(), node("node1", &vfs(1, |_, _| {}))];
    assert!(of_pod(pod.clone(), objects).unwrap()[0].is_ok());
    let none = of_pod(pod, []).unwrap_err().to_string();
    assert_eq!(
        none,
        "pod shop/upf-0 uses no ResourceClaims; no DeviceClass has its extended resources deviceclass.resource.kubernetes.io/upf"
    );
}

#[test]
fn a_claim_that_is_reserved_for_as_many_pods_as_the_api_allows_takes_no_other() {
    let mut claim = holding("net", "upf-1", "0000-3b-02-0");
    let claims = json!([{"name": "a", "resourceClaimName": "net"}]);
    let mut of = |reserved: Vec<Value>| {
        claim["status"]["reservedFor"] = reserved.into();
        let objects = [
            class("vf", VF),
            claim.clone(),
            node("node1", &vfs(1, |_, _| {})),
        ];
        of_pod(pod(&claims, &json!({})), objects).unwrap()
    };
    let pods = |first: usize| {
        (first..first + 256)
            .map(|at| json!({"name": format!("upf-{at}")}))
            .collect::<Vec<_>>()
    };
    assert!(of(pods(0))[0].is_ok(), "it is one of them");
    let full = headlines(&of(pods(1)));
    assert_eq!(
        full,
        "tooMany: claim shop/net cannot be allocated: ResourceClaim net is reserved for 256 pods, the API's limit"
    );
    assert!(of(pods(1)[1..].to_vec())[0].is_ok());
}
