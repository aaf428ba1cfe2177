//! Exact requests, against a scripted API server.

use ::kube::client::{Body, Client};
use axum::http::{Request, Response};
use futures::StreamExt;
use serde_json::{Value, json};
use tower_test::mock;

mod absent;
mod events;
mod features;
mod owner;
mod policies;
mod pools;
mod status;

use super::*;
use crate::{
    api::{Attribute, ConfigSource},
    claim::AllocatedDevice,
    slice::{Consumption, CounterSet, Device, DeviceRef, Reason, Slice, Taint},
};

/// One request and what the server answers: `VERB path`, the status, the body.
type Line = (&'static str, u16, Value);

/// A client whose server follows the script and then wants no more; the task gives the bodies that
/// were sent.
fn server(script: Vec<Line>) -> (Kube, tokio::task::JoinHandle<Vec<Value>>) {
    server_for("node-1", script)
}

fn server_for(node: &str, script: Vec<Line>) -> (Kube, tokio::task::JoinHandle<Vec<Value>>) {
    let (service, mut handle) = mock::pair::<Request<Body>, Response<Body>>();
    let task = tokio::spawn(async move {
        let mut bodies = Vec::new();
        for (expected, status, answer) in script {
            let (request, send) = handle.next_request().await.expect("another request");
            assert_eq!(format!("{} {}", request.method(), request.uri()), expected);
            let sent = request.into_body().collect_bytes().await.unwrap();
            bodies.push(serde_json::from_slice(&sent).unwrap_or_default());
            let body = Body::from(serde_json::to_vec(&answer).unwrap());
            send.send_response(Response::builder().status(status).body(body).unwrap());
        }
        if handle.next_request().await.is_some() {
            bodies.push(json!("one request too many"));
        }
        bodies
    });
    (
        Kube::new(Client::new(service, "default"), "sriov-dra.io", node),
        task,
    )
}

/// Runs until the client is gone.
async fn sent(kube: Kube, task: tokio::task::JoinHandle<Vec<Value>>) -> Vec<Value> {
    drop(kube);
    let bodies = task.await.unwrap();
    assert_ne!(bodies.last(), Some(&json!("one request too many")));
    bodies
}

fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
}

fn node() -> Line {
    let node = json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "node-1", "uid": "node-uid"}});
    ("GET /api/v1/nodes/node-1", 200, node)
}

fn version(minor: &str) -> Line {
    let info = json!({
        "major": "1", "minor": minor, "gitVersion": "", "gitCommit": "", "gitTreeState": "", "buildDate": "",
        "goVersion": "", "compiler": "", "platform": "",
    });
    ("GET /version", 200, info)
}

const SLICES: &str = "/apis/resource.k8s.io/v1/resourceslices";

fn stored_slice(spec: &Value) -> Value {
    json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice",
        "metadata": {
            "name": "00000-sriov-dra.io-node-1-abcde", "generateName": "00000-sriov-dra.io-node-1-",
            "uid": "slice-uid", "resourceVersion": "7",
        },
        "spec": spec,
    })
}

fn devices() -> Value {
    json!({
        "driver": "sriov-dra.io", "nodeName": "node-1",
        "pool": {"name": "node-1", "generation": 3, "resourceSliceCount": 2},
        "devices": [{
            "name": "0000-3b-02-1",
            "attributes": {"type": {"string": "vf"}, "index": {"int": 1}, "rdma": {"bool": false}},
            "consumesCounters": [{"counterSet": "pf-0000-3b-00-0", "counters": {"vfs": {"value": "1"}}}],
            "taints": [{"key": "sriov-dra.io/link-down", "effect": "NoSchedule"}],
        }],
    })
}

fn placed() -> Placed {
    let attributes = [
        ("type", Attribute::from("vf")),
        ("index", Attribute::Int(1)),
        ("rdma", Attribute::Bool(false)),
    ];
    let device = Device {
        name: "0000-3b-02-1".into(),
        attributes: attributes
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        consumes: vec![Consumption {
            set: "pf-0000-3b-00-0".into(),
            counters: [("vfs".into(), 1)].into(),
        }],
        taints: vec![Taint::no_schedule("sriov-dra.io", Reason::LinkDown)],
    };
    Placed {
        index: 0,
        generation: 3,
        count: 2,
        content: Slice::Devices(vec![device]),
    }
}

#[tokio::test]
async fn a_slice_is_created_with_its_order_and_its_node_as_owner() {
    let (kube, task) = server(vec![
        node(),
        (
            "POST /apis/resource.k8s.io/v1/resourceslices?",
            201,
            stored_slice(&devices()),
        ),
        (
            "POST /apis/resource.k8s.io/v1/resourceslices?",
            201,
            stored_slice(&devices()),
        ),
    ]);
    let made = kube.create_slice(&placed()).await.unwrap();
    kube.create_slice(&placed()).await.unwrap();
    assert_eq!(
        (made.index, made.version.as_str(), made.foreign),
        (Some(0), "7", false)
    );
    assert_eq!(made.content, placed().content);
    let bodies = sent(kube, task).await;
    assert_eq!(
        bodies[1],
        json!({
            "apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice",
            "metadata": {
                "generateName": "00000-sriov-dra.io-node-1-",
                "ownerReferences": [
                    {"apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": "node-uid", "controller": true},
                ],
            },
            "spec": devices(),
        })
    );
}

#[tokio::test]
async fn a_slice_is_replaced_and_deleted_only_as_it_was_read() {
    const ONE: &str =
        "PUT /apis/resource.k8s.io/v1/resourceslices/00000-sriov-dra.io-node-1-abcde?";
    const GONE: &str =
        "DELETE /apis/resource.k8s.io/v1/resourceslices/00000-sriov-dra.io-node-1-abcde?";
    let items = json!({"kind": "ResourceSliceList", "apiVersion": "resource.k8s.io/v1", "metadata": {}, "items": [stored_slice(&devices())]});
    let (kube, task) = server(vec![
        (
            "GET /apis/resource.k8s.io/v1/resourceslices?&fieldSelector=spec.driver%3Dsriov-dra.io%2Cspec.nodeName%3Dnode-1",
            200,
            items,
        ),
        node(),
        (
            ONE,
            409,
            failure(409, "Conflict", "the object has been modified"),
        ),
        (GONE, 404, failure(404, "NotFound", "not found")),
        (GONE, 403, failure(403, "Forbidden", "policy denied")),
    ]);
    let stored = kube.slices().await.unwrap().remove(0);
    assert_eq!(
        kube.update_slice(&stored, &placed())
            .await
            .unwrap_err()
            .kind,
        ErrorKind::Conflict
    );
    kube.delete_slice(&stored).await.unwrap();
    let error = kube.delete_slice(&stored).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "slice 00000-sriov-dra.io-node-1-abcde: policy denied"
    );
    let bodies = sent(kube, task).await;
    assert_eq!(bodies[2]["metadata"]["resourceVersion"], "7");
    assert_eq!(bodies[2]["metadata"]["uid"], "slice-uid");
    assert_eq!(
        bodies[2]["metadata"]["generateName"],
        "00000-sriov-dra.io-node-1-"
    );
    assert_eq!(
        bodies[3]["preconditions"],
        json!({"resourceVersion": "7", "uid": "slice-uid"})
    );
}

#[tokio::test]
async fn whatever_we_do_not_write_is_foreign() {
    let read = |spec: &Value| {
        let slice = serde_json::from_value(stored_slice(spec)).unwrap();
        convert::stored(slice, "sriov-dra.io", "node-1")
    };
    assert!(!read(&devices()).foreign);
    let mut more = devices();
    more["devices"][0]["capacity"] = json!({"bandwidth": {"value": "10G"}});
    assert!(read(&more).foreign);
    let mut list = devices();
    list["devices"][0]["attributes"]["nodes"] = json!({"ints": [0, 1]});
    assert!(read(&list).foreign);
    let mut elsewhere = devices();
    elsewhere["pool"]["name"] = "another".into();
    assert_eq!(
        (read(&elsewhere).index, read(&elsewhere).own_pool),
        (None, false)
    );
    assert!(read(&devices()).own_pool);
}

#[test]
fn counters_are_read_as_the_server_writes_them() {
    let set = CounterSet {
        name: "pf-a".into(),
        counters: [("vfs".to_owned(), 2000), ("x".to_owned(), 1024)].into(),
    };
    let slice = Placed {
        content: Slice::SharedCounters(vec![set]),
        ..placed()
    };
    let spec = convert::spec(&slice, "sriov-dra.io", "node-1");
    assert_eq!(
        serde_json::to_value(&spec).unwrap()["sharedCounters"],
        json!([{"name": "pf-a", "counters": {"vfs": {"value": "2k"}, "x": {"value": "1024"}}}])
    );
    let stored =
        serde_json::from_value(stored_slice(&serde_json::to_value(&spec).unwrap())).unwrap();
    let stored = convert::stored(stored, "sriov-dra.io", "node-1");
    assert_eq!((stored.content, stored.foreign), (slice.content, false));
}

/// What the server would answer to a probe: the spec, but only these of its fields.
fn kept(field: Option<(&str, Value)>) -> Value {
    let mut spec = json!({
        "driver": "sriov-dra.io", "nodeName": "node-1",
        "pool": {"name": "node-1", "generation": 0, "resourceSliceCount": 1},
    });
    if let Some((field, value)) = field {
        spec[field] = value;
    }
    stored_slice(&spec)
}

const DRY: &str = "POST /apis/resource.k8s.io/v1/resourceslices?&dryRun=All";

#[tokio::test]
async fn features_are_what_a_dry_run_keeps() {
    let set = json!([{"name": "probe", "counters": {"vfs": {"value": "1"}}}]);
    let taints = json!([{"key": "sriov-dra.io/gone", "effect": "NoSchedule", "timeAdded": "2026-01-01T00:00:00Z"}]);
    let device =
        json!([{"name": "probe", "attributes": {"type": {"string": "vf"}}, "taints": taints}]);
    let bare = json!([{"name": "probe", "attributes": {"type": {"string": "vf"}}}]);
    let (kube, task) = server(vec![
        version("36+"),
        node(),
        (DRY, 201, kept(Some(("sharedCounters", set)))),
        (DRY, 201, kept(Some(("devices", device)))),
    ]);
    assert_eq!(
        kube.features().await.unwrap(),
        Features {
            counters: true,
            taints: true
        }
    );
    let bodies = sent(kube, task).await;
    assert_eq!(
        bodies[2]["spec"]["pool"]["name"], "node-1",
        "as the admission policy asks"
    );
    let (kube, task) = server(vec![
        version("35"),
        node(),
        (DRY, 201, kept(None)),
        (DRY, 201, kept(Some(("devices", bare)))),
    ]);
    assert_eq!(
        kube.features().await.unwrap(),
        Features {
            counters: false,
            taints: false
        }
    );
    sent(kube, task).await;
    // 1.34 keeps counters, but beside the devices.
    let (kube, task) = server(vec![
        version("34"),
        node(),
        (DRY, 422, failure(422, "Invalid", "spec.devices: taints")),
    ]);
    assert_eq!(
        kube.features().await.unwrap(),
        Features {
            counters: false,
            taints: false
        }
    );
    sent(kube, task).await;
    let (kube, task) = server(vec![
        version("36"),
        node(),
        (DRY, 403, failure(403, "Forbidden", "no")),
    ]);
    assert_eq!(
        kube.features().await.unwrap_err().kind,
        ErrorKind::Forbidden,
        "not an answer"
    );
    sent(kube, task).await;
}

fn claim() -> Value {
    json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim",
        "metadata": {
            "name": "web-nic", "namespace": "default", "uid": "claim-uid",
            "annotations": {"resource.kubernetes.io/pod-claim-name": "nic"},
        },
        "spec": {"devices": {"requests": [
            {"name": "one", "exactly": {"deviceClassName": "vf"}},
            {"name": "two", "firstAvailable": [{"name": "fast", "deviceClassName": "vf-200g"}, {"name": "slow", "deviceClassName": "vf"}]},
        ]}},
        "status": {
            "reservedFor": [{"resource": "pods", "name": "web", "uid": "pod-uid"}],
            "allocation": {"devices": {
                "results": [
                    {"request": "one", "driver": "sriov-dra.io", "pool": "node-1", "device": "0000-3b-02-1", "adminAccess": true},
                    {"request": "gpu", "driver": "gpu.example.com", "pool": "node-1", "device": "gpu-0"},
                    {"request": "two/fast", "driver": "sriov-dra.io", "pool": "node-1", "device": "0000-3b-02-2", "shareID": "s"},
                ],
                "config": [
                    {"source": "FromClass", "opaque": {"driver": "sriov-dra.io", "parameters": {"vlan": 100}}},
                    {"source": "FromClass", "opaque": {"driver": "gpu.example.com", "parameters": {}}},
                    {"source": "FromClaim", "requests": ["one"], "opaque": {"driver": "sriov-dra.io", "parameters": {"ifName": "net1"}}},
                    {"source": "FromElsewhere", "opaque": {"driver": "sriov-dra.io", "parameters": {}}},
                ],
            }},
        },
    })
}

const CLAIM: &str = "GET /apis/resource.k8s.io/v1/namespaces/default/resourceclaims/web-nic";

#[tokio::test]
async fn a_claim_is_reduced_to_what_concerns_this_driver() {
    let mut made = claim();
    made["metadata"]["annotations"]["resource.kubernetes.io/extended-resource-claim"] =
        json!("true");
    let (kube, task) = server(vec![(CLAIM, 200, claim()), (CLAIM, 200, made)]);
    let claim = kube.claim("default", "web-nic").await.unwrap().unwrap();
    let made = kube.claim("default", "web-nic").await.unwrap().unwrap();
    assert!(made.extended && !claim.extended);
    sent(kube, task).await;
    assert_eq!(
        (claim.claim.to_string().as_str(), claim.claim.uid.as_str()),
        ("default/web-nic", "claim-uid")
    );
    assert_eq!(
        (claim.pod_claim_name.as_deref(), claim.reserved_for),
        (Some("nic"), vec!["pod-uid".to_owned()])
    );
    let brief = |device: &AllocatedDevice| {
        (
            device.request.clone(),
            device.class.clone(),
            device.device.to_string(),
            device.admin_access,
        )
    };
    let path = |device: &str| format!("node-1/{device}");
    let expected = [
        ("one".into(), Some("vf".into()), path("0000-3b-02-1"), true),
        (
            "two/fast".into(),
            Some("vf-200g".into()),
            path("0000-3b-02-2"),
            false,
        ),
    ];
    assert_eq!(claim.devices[0].device.driver, "sriov-dra.io");
    assert_eq!(
        claim.devices.iter().map(brief).collect::<Vec<_>>(),
        expected
    );
    assert_eq!(claim.devices[1].share_id.as_deref(), Some("s"));
    let sources: Vec<_> = claim.configs.iter().map(|config| config.source).collect();
    assert_eq!(
        sources,
        [
            ConfigSource::Class,
            ConfigSource::Claim,
            ConfigSource::Claim
        ],
        "unknown is a user"
    );
    assert_eq!(
        (
            &claim.configs[1].requests[..],
            &claim.configs[1].parameters["ifName"]
        ),
        (&["one".to_owned()][..], &json!("net1"))
    );
}

#[tokio::test]
async fn no_claim_and_no_allocation_are_none_and_no_answer_is_an_error() {
    let mut free = claim();
    free["status"] = json!({});
    let (kube, task) = server(vec![
        (CLAIM, 404, failure(404, "NotFound", "not found")),
        (CLAIM, 200, free),
        (CLAIM, 500, failure(500, "InternalError", "etcd is away")),
    ]);
    assert_eq!(kube.claim("default", "web-nic").await.unwrap(), None);
    assert_eq!(kube.claim("default", "web-nic").await.unwrap(), None);
    let error = kube.claim("default", "web-nic").await.unwrap_err();
    assert_eq!(
        (error.kind, error.to_string()),
        (
            ErrorKind::Unreachable,
            "claim default/web-nic: etcd is away".into()
        )
    );
    sent(kube, task).await;
}

#[tokio::test]
async fn what_decides_about_allocations_is_listed_with_its_kind_and_rules_may_lack() {
    let path = |kind: &str| format!("GET /apis/resource.k8s.io/v1/{kind}?");
    let list = |kind: &str, items: Value| json!({"kind": format!("{kind}List"), "apiVersion": "resource.k8s.io/v1", "metadata": {}, "items": items});
    let kinds = [
        ("ResourceClaim", path("resourceclaims"), json!([claim()])),
        (
            "ResourceClaimTemplate",
            path("resourceclaimtemplates"),
            json!([]),
        ),
        ("DeviceClass", path("deviceclasses"), json!([])),
        (
            "ResourceSlice",
            path("resourceslices"),
            json!([stored_slice(&devices())]),
        ),
    ];
    let mut script: Vec<Line> = kinds
        .into_iter()
        .map(|(kind, path, items)| (&*path.leak(), 200, list(kind, items)))
        .collect();
    script.push((
        path("devicetaintrules").leak(),
        404,
        failure(404, "NotFound", "no such kind"),
    ));
    // Whoever may not read the pools gets everything else.
    script.push((
        "GET /api/v1/configmaps?&labelSelector=app.kubernetes.io%2Fname%3Dsriov-dra",
        403,
        failure(403, "Forbidden", "not yours"),
    ));
    let (kube, task) = server(script);
    let all = kube.allocation_objects().await.unwrap();
    let kinds: Vec<_> = all
        .iter()
        .map(|object| (object["kind"].as_str(), object["spec"]["nodeName"].as_str()))
        .collect();
    assert_eq!(
        kinds,
        [
            (Some("ResourceClaim"), None),
            (Some("ResourceSlice"), Some("node-1"))
        ]
    );
    sent(kube, task).await;
}

fn pod(uid: &str, status: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": "web", "namespace": "default", "uid": uid, "resourceVersion": "5",
            "annotations": {"k8s.v1.cni.cncf.io/networks": "blue", "v1.multus-cni.io/default-network": "red"},
        },
        "spec": {
            "hostNetwork": true, "containers": [],
            "resourceClaims": [{"name": "a", "resourceClaimName": "shared"}, {"name": "b", "resourceClaimTemplateName": "t"}],
        },
        "status": status,
    })
}

#[tokio::test]
async fn pods_of_this_node_are_followed() {
    let status = json!({
        "resourceClaimStatuses": [{"name": "b", "resourceClaimName": "web-b-x"}],
        "extendedResourceClaimStatus": {"resourceClaimName": "web-extended", "requestMappings": []},
    });
    let list = json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "5"}, "items": [pod("uid-1", &status), pod("uid-2", &json!({}))]});
    let deleted = json!({"type": "DELETED", "object": pod("uid-2", &json!({}))});
    let (kube, _task) = server(vec![
        (
            "GET /api/v1/pods?&fieldSelector=spec.nodeName%3Dnode-1&limit=500",
            200,
            list,
        ),
        (
            "GET /api/v1/pods?&watch=true&timeoutSeconds=290&fieldSelector=spec.nodeName%3Dnode-1&allowWatchBookmarks=true&resourceVersion=5",
            200,
            deleted,
        ),
    ]);
    let mut pods = kube.pods();
    assert!(!pods.complete());
    while !pods.complete() || pods.by_uid("uid-2").is_some() {
        pods.changed().await;
    }
    let known = pods.by_uid("uid-1").expect("the pod that stayed");
    assert!(known.host_network && known.networks.as_deref() == Some("blue"));
    assert_eq!(known.default_network.as_deref(), Some("red"));
    assert_eq!(known.extended_claim.as_deref(), Some("web-extended"));
    assert_eq!(pods.named("default", "web"), Some(known.clone()));
    assert_eq!(pods.named("default", "db"), None);
    assert_eq!(
        known.claims,
        ["shared", "web-b-x", "web-extended"]
            .map(String::from)
            .into()
    );
    assert_eq!(
        (
            pods.of_claim("default", "web-b-x").len(),
            pods.of_claim("other", "web-b-x").len()
        ),
        (1, 0)
    );
}

const NAD: &str =
    "GET /apis/k8s.cni.cncf.io/v1/namespaces/default/network-attachment-definitions/blue";

#[tokio::test]
async fn a_network_is_read_with_its_resource() {
    let nad = json!({
        "apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition",
        "metadata": {
            "name": "blue", "namespace": "default",
            "annotations": {"k8s.v1.cni.cncf.io/resourceName": "intel.com/sriov"},
        },
        "spec": {"config": "{}"},
    });
    let bare = json!({"apiVersion": "k8s.cni.cncf.io/v1", "kind": "NetworkAttachmentDefinition", "metadata": {"name": "blue"}});
    let (kube, task) = server(vec![
        (NAD, 200, nad),
        (NAD, 200, bare),
        (NAD, 404, failure(404, "NotFound", "not found")),
        (NAD, 403, failure(403, "Forbidden", "no")),
    ]);
    let of = |name: &str| NadRef {
        namespace: "default".into(),
        name: name.into(),
    };
    let expected = Nad {
        resource_name: Some("intel.com/sriov".into()),
        config: "{}".into(),
    };
    assert_eq!(kube.network(&of("blue")).await.unwrap(), Some(expected));
    let bare = kube.network(&of("blue")).await.unwrap();
    assert_eq!(bare, Some(Nad::default()));
    assert_eq!(kube.network(&of("blue")).await.unwrap(), None);
    let error = kube.network(&of("blue")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert_eq!(
        error.to_string(),
        "NetworkAttachmentDefinition default/blue: no"
    );
    // The name is a pod's, and must not lead elsewhere.
    for name in ["../../../x", "a/b", "", "..", "A"] {
        assert_eq!(kube.network(&of(name)).await.unwrap(), None, "{name}");
    }
    sent(kube, task).await;
}

#[tokio::test]
async fn changes_of_slices_are_followed() {
    let list = json!({"kind": "ResourceSliceList", "apiVersion": "resource.k8s.io/v1", "metadata": {"resourceVersion": "7"}, "items": []});
    let applied = json!({"type": "MODIFIED", "object": stored_slice(&devices())});
    const FIELDS: &str = "fieldSelector=spec.driver%3Dsriov-dra.io%2Cspec.nodeName%3Dnode-1";
    let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let (kube, _task) = server(vec![
        (leak(format!("GET {SLICES}?&{FIELDS}&limit=500")), 200, list),
        (
            leak(format!(
                "GET {SLICES}?&watch=true&timeoutSeconds=290&{FIELDS}&allowWatchBookmarks=true&resourceVersion=7"
            )),
            200,
            applied,
        ),
    ]);
    let mut changes = kube.slice_changes();
    assert_eq!(changes.next().await, Some(SliceChange::Unknown));
    let (name, version) = ("00000-sriov-dra.io-node-1-abcde".to_owned(), "7".to_owned());
    assert_eq!(
        changes.next().await,
        Some(SliceChange::Applied { name, version })
    );
}
