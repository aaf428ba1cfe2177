use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use super::*;
use crate::resource_policy;

const POLICIES: &str =
    "/apis/sriovnetwork.k8snetworkplumbingwg.io/v1alpha1/namespaces/sriov/sriovresourcepolicies";
const ATTRIBUTES: &str =
    "/apis/sriovnetwork.k8snetworkplumbingwg.io/v1alpha1/namespaces/sriov/deviceattributes";

/// A client whose server has these lists, knows nothing else, and never has news. The requests so
/// far.
fn lists(lists: Vec<(&'static str, Value)>) -> (Kube, Arc<Mutex<Vec<String>>>) {
    let (service, mut handle) = mock::pair::<Request<Body>, Response<Body>>();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&requests);
    tokio::spawn(async move {
        let mut unanswered = Vec::new();
        while let Some((request, send)) = handle.next_request().await {
            let uri = request.uri().to_string();
            asked.lock().unwrap().push(uri.clone());
            let found = lists
                .iter()
                .find(|(path, _)| uri.starts_with(&format!("{path}?")));
            let (status, answer) = match found {
                _ if uri.contains("watch=true") => {
                    unanswered.push(send);
                    continue;
                }
                Some((_, list)) => (200, list.clone()),
                None => (
                    404,
                    failure(
                        404,
                        "NotFound",
                        "the server could not find the requested resource",
                    ),
                ),
            };
            let body = Body::from(serde_json::to_vec(&answer).unwrap());
            send.send_response(Response::builder().status(status).body(body).unwrap());
        }
    });
    (
        Kube::new(Client::new(service, "default"), "sriov-dra.io", "node-1"),
        requests,
    )
}

fn list(kind: &str, items: Value) -> Value {
    json!({"kind": format!("{kind}List"), "apiVersion": "v1", "metadata": {"resourceVersion": "5"}, "items": items})
}

fn object(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "sriovnetwork.k8snetworkplumbingwg.io/v1alpha1", "kind": kind,
        "metadata": {"namespace": "sriov", "name": name, "uid": "u", "generation": 2, "labels": {"pool": "blue"}},
        "spec": {"a": 1}, "status": {"devices": 3}})
}

#[tokio::test]
async fn policies_their_attributes_and_the_nodes_labels_are_read() {
    let node = json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"name": "node-1", "labels": {"zone": "a"}}});
    let (kube, requests) = lists(vec![
        (
            POLICIES,
            list(
                "SriovResourcePolicy",
                json!([object("SriovResourcePolicy", "p")]),
            ),
        ),
        (
            ATTRIBUTES,
            list("DeviceAttributes", json!([object("DeviceAttributes", "a")])),
        ),
        ("/api/v1/nodes/node-1", node),
    ]);
    let mut view = Cluster::policies(&kube, "sriov");
    let view = view
        .wait_for(|view| view.labels.is_some() && view.attributes.is_some())
        .await
        .unwrap()
        .clone();
    let objects = view.objects().unwrap();
    let policy = &objects.policies[0];
    assert_eq!(
        (&*policy.name, policy.generation, &policy.spec),
        ("p", 2, &json!({"a": 1}))
    );
    assert_eq!(policy.status, Value::Null, "a node does not look at it");
    assert_eq!(
        (
            &*objects.attributes[0].name,
            &*objects.attributes[0].labels["pool"]
        ),
        ("a", "blue")
    );
    assert_eq!(view.labels.unwrap()["zone"], "a");
    let nodes = requests.lock().unwrap().clone();
    let nodes: Vec<_> = nodes.iter().filter(|uri| uri.contains("/nodes")).collect();
    assert_eq!(nodes, ["/api/v1/nodes/node-1?&resourceVersion=0"]);
}

#[tokio::test]
async fn without_policies_nothing_else_is_requested() {
    let (kube, requests) = lists(vec![(POLICIES, list("SriovResourcePolicy", json!([])))]);
    let mut view = Cluster::policies(&kube, "sriov");
    view.wait_for(|view| view.objects().is_some())
        .await
        .unwrap();
    while requests.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let requests = requests.lock().unwrap().clone();
    assert!(
        requests.iter().all(|uri| uri.starts_with(POLICIES)),
        "{requests:?}"
    );
    assert!(requests[1].contains("watch=true"), "{requests:?}");
}

#[tokio::test]
async fn a_server_without_the_kinds_has_no_policies_and_is_not_asked_again_at_once() {
    let (kube, requests) = lists(Vec::new());
    let mut view = Cluster::policies(&kube, "sriov");
    view.wait_for(|view| {
        view.objects()
            .is_some_and(|objects| objects.policies.is_empty())
    })
    .await
    .unwrap();
    assert!(
        tokio::time::timeout(Duration::from_millis(300), view.changed())
            .await
            .is_err()
    );
    assert_eq!(requests.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn the_controller_reads_devices_page_by_page_and_says_what_policies_take() {
    const SLICES: &str = "GET /apis/resource.k8s.io/v1/resourceslices?&fieldSelector=spec.driver%3Dsriov-dra.io&limit=50";
    const NEXT: &str = "GET /apis/resource.k8s.io/v1/resourceslices?&fieldSelector=spec.driver%3Dsriov-dra.io&limit=50&continue=next";
    const STATUS: &str = "PATCH /apis/sriovnetwork.k8snetworkplumbingwg.io/v1alpha1/namespaces/sriov/sriovresourcepolicies/p/status?";
    let slices = |token: &str, items: Value| json!({"kind": "ResourceSliceList", "apiVersion": "resource.k8s.io/v1", "metadata": {"continue": token}, "items": items});
    let nodes = json!([{"metadata": {"name": "node-1", "labels": {"zone": "a"}}}, {"metadata": {"name": "node-2"}}]);
    let (kube, task) = server(vec![
        (
            SLICES,
            200,
            slices("next", json!([stored_slice(&devices())])),
        ),
        (NEXT, 200, slices("", json!([]))),
        (
            "GET /api/v1/nodes?&limit=500",
            200,
            list("PartialObjectMetadata", nodes),
        ),
        (STATUS, 200, object("SriovResourcePolicy", "p")),
        (
            STATUS,
            404,
            failure(
                404,
                "NotFound",
                "the server could not find the requested resource",
            ),
        ),
    ]);
    let found = kube.devices().await.unwrap();
    assert_eq!(
        (
            found.len(),
            &*found[0].0.name,
            &*found[0].0.labels["zone"],
            found[0].1.len()
        ),
        (1, "node-1", "a", 1)
    );
    let policy = resource_policy::Object {
        kind: resource_policy::Kind::Policy,
        namespace: "sriov".into(),
        name: "p".into(),
        uid: "u".into(),
        generation: 1,
        labels: Default::default(),
        spec: Value::Null,
        status: Value::Null,
    };
    kube.write_policy_status(&policy, &json!({"matchedNodes": 1}))
        .await
        .unwrap();
    let error = kube
        .write_policy_status(&policy, &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(
        sent(kube, task).await[3],
        json!({"metadata": {"uid": "u"}, "status": {"matchedNodes": 1}})
    );
}
