//! Slices are owned by the Node as it is now.

use super::*;

const LIST: &str = "GET /apis/resource.k8s.io/v1/resourceslices?&fieldSelector=spec.driver%3Dsriov-dra.io%2Cspec.nodeName%3Dnode-1";
const CREATE: &str = "POST /apis/resource.k8s.io/v1/resourceslices?";

fn list(items: Value) -> Line {
    let list = json!({"kind": "ResourceSliceList", "apiVersion": "resource.k8s.io/v1", "metadata": {}, "items": items});
    (LIST, 200, list)
}

fn node_with(uid: &str) -> Line {
    let node =
        json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "node-1", "uid": uid}});
    ("GET /api/v1/nodes/node-1", 200, node)
}

fn no_node() -> Line {
    let answer = failure(404, "NotFound", "nodes \"node-1\" not found");
    ("GET /api/v1/nodes/node-1", 404, answer)
}

fn owned_by(uid: &str) -> Value {
    let mut slice = stored_slice(&devices());
    let owner = json!({"apiVersion": "v1", "kind": "Node", "name": "node-1", "uid": uid, "controller": true});
    slice["metadata"]["ownerReferences"] = json!([owner]);
    slice
}

fn owner(body: &Value) -> &Value {
    &body["metadata"]["ownerReferences"][0]["uid"]
}

#[tokio::test]
async fn the_uid_is_read_again_with_every_list() {
    let created = || (CREATE, 201, stored_slice(&devices()));
    let (kube, task) = server(vec![
        list(json!([])),
        node_with("first"),
        created(),
        list(json!([])),
        node_with("second"),
        created(),
    ]);
    for _ in 0..2 {
        assert_eq!(kube.slices().await.unwrap(), []);
        kube.create_slice(&placed()).await.unwrap();
    }
    let bodies = sent(kube, task).await;
    assert_eq!(
        (owner(&bodies[2]), owner(&bodies[5])),
        (&json!("first"), &json!("second"))
    );
}

#[tokio::test]
async fn a_slice_of_another_node_object_is_to_be_written_again_with_the_new_owner() {
    const PUT: &str =
        "PUT /apis/resource.k8s.io/v1/resourceslices/00000-sriov-dra.io-node-1-abcde?";
    let (kube, task) = server(vec![
        list(json!([owned_by("first")])),
        node_with("first"),
        list(json!([owned_by("first")])),
        node_with("second"),
        (PUT, 200, owned_by("second")),
    ]);
    assert!(!kube.slices().await.unwrap()[0].foreign);
    let stored = kube.slices().await.unwrap().remove(0);
    assert!(stored.foreign, "its owner is gone");
    let now = kube.update_slice(&stored, &placed()).await.unwrap();
    assert!(!now.foreign);
    assert_eq!(owner(&sent(kube, task).await[4]), "second");
}

#[tokio::test]
async fn without_a_node_slices_are_listed_and_none_is_created() {
    let (kube, task) = server(vec![
        list(json!([owned_by("first")])),
        no_node(),
        no_node(),
        node_with("second"),
        (CREATE, 201, stored_slice(&devices())),
    ]);
    assert!(!kube.slices().await.unwrap()[0].foreign);
    let error = kube.create_slice(&placed()).await.unwrap_err();
    assert_eq!(
        (error.kind, error.to_string()),
        (ErrorKind::NotFound, "node node-1: not found".into())
    );
    kube.create_slice(&placed()).await.unwrap();
    assert_eq!(owner(&sent(kube, task).await[4]), "second");
}
