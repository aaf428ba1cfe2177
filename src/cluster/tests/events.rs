//! What `kubectl describe` shows.

use super::*;

const EVENTS: &str = "POST /apis/events.k8s.io/v1/namespaces/default/events?";

fn pod_event(note: &str) -> Event {
    let subject = Subject::Pod {
        namespace: "default".into(),
        name: "web".into(),
        uid: "pod-uid".into(),
    };
    Event {
        subject,
        warning: true,
        reason: "AttachFailed",
        action: "Attach",
        note: note.into(),
    }
}

#[tokio::test]
async fn an_event_is_about_its_pod_and_short_enough() {
    let (kube, task) = server(vec![(EVENTS, 201, json!({"metadata": {}}))]);
    let note = format!("{}ü", "x".repeat(1023));
    kube.event(&pod_event(&note)).await.unwrap();
    let event = sent(kube, task).await.remove(0);
    assert_eq!(
        (&event["type"], &event["reason"], &event["regarding"]["uid"]),
        (&json!("Warning"), &json!("AttachFailed"), &json!("pod-uid"))
    );
    assert_eq!(event["note"].as_str().unwrap().len(), 1023);
    assert_eq!(
        (&event["reportingController"], &event["reportingInstance"]),
        (&json!("sriov-dra.io"), &json!("node-1"))
    );
}

/// The controller has no node; the API server refuses an event without an instance.
#[tokio::test]
async fn an_event_without_a_node_has_an_instance() {
    let created = (EVENTS, 201, json!({"metadata": {}}));
    let (kube, task) = server_for("", vec![created]);
    let subject = Subject::ConfigMap {
        namespace: "default".into(),
        name: "pools".into(),
        uid: "uid".into(),
    };
    let (note, reason, action) = ("line 1".into(), "BadConfiguration", "ReadPools");
    kube.event(&Event {
        subject,
        warning: true,
        reason,
        action,
        note,
    })
    .await
    .unwrap();
    let event = sent(kube, task).await.remove(0);
    assert_ne!(event["reportingInstance"].as_str().unwrap(), "");
}

/// Reports these notes of the same pod, which the server answers so: method, path and body of each
/// request.
async fn requests(notes: &[&str], answers: Vec<(u16, Value)>) -> Vec<(String, String, Value)> {
    let (service, mut handle) = mock::pair::<Request<Body>, Response<Body>>();
    let kube = Kube::new(Client::new(service, "default"), "sriov-dra.io", "node-1");
    let task = tokio::spawn(async move {
        let mut requests = Vec::new();
        for (status, answer) in answers {
            let (request, send) = handle.next_request().await.expect("another request");
            let (method, path) = (request.method().to_string(), request.uri().path().into());
            let sent = request.into_body().collect_bytes().await.unwrap();
            requests.push((method, path, serde_json::from_slice(&sent).unwrap()));
            let body = Body::from(serde_json::to_vec(&answer).unwrap());
            send.send_response(Response::builder().status(status).body(body).unwrap());
        }
        assert!(handle.next_request().await.is_none(), "another request");
        requests
    });
    for note in notes {
        kube.event(&pod_event(note)).await.unwrap();
    }
    drop(kube);
    task.await.unwrap()
}

fn stored() -> (u16, Value) {
    (201, json!({"metadata": {}}))
}

#[tokio::test]
async fn an_event_that_repeats_is_counted() {
    let answers = vec![stored(), stored(), stored()];
    let requests = requests(&["busy", "busy", "busy"], answers).await;
    let name = requests[0].2["metadata"]["name"].as_str().unwrap();
    for (request, count) in requests[1..].iter().zip(2..) {
        assert_eq!(request.0, "PATCH");
        assert!(request.1.ends_with(name), "{} is not {name}", request.1);
        assert_eq!(request.2["series"]["count"], count);
        assert!(request.2["series"]["lastObservedTime"].is_string());
        assert_eq!(request.2.as_object().unwrap().len(), 1);
    }
}

/// The server does not let a note be changed.
#[tokio::test]
async fn another_note_is_another_event() {
    let requests = requests(&["busy", "gone"], vec![stored(), stored()]).await;
    assert_eq!(
        (&*requests[1].0, &requests[1].2["note"]),
        ("POST", &json!("gone"))
    );
}

#[tokio::test]
async fn an_event_that_the_server_has_forgotten_is_written_anew() {
    let gone = (404, failure(404, "NotFound", "not found"));
    let requests = requests(&["busy", "busy"], vec![stored(), gone, stored()]).await;
    let methods: Vec<&str> = requests.iter().map(|request| &*request.0).collect();
    assert_eq!(methods, ["POST", "PATCH", "POST"]);
    assert_eq!(requests[2].2["note"], "busy");
}

#[tokio::test]
async fn an_event_of_an_object_with_a_long_name_has_a_name_that_the_server_takes() {
    let created = (EVENTS, 201, json!({"metadata": {}}));
    let (kube, task) = server(vec![created]);
    let subject = Subject::Pod {
        namespace: "default".into(),
        name: format!("{}.{}", "a".repeat(235), "b".repeat(17)),
        uid: "pod-uid".into(),
    };
    let event = Event {
        subject,
        ..pod_event("note")
    };
    kube.event(&event).await.unwrap();
    let event = sent(kube, task).await.remove(0);
    let name = event["metadata"]["name"].as_str().unwrap();
    assert!(name.len() <= 253, "{}", name.len());
    assert!(
        name.split('.').all(|label| !label.is_empty()),
        "a DNS subdomain: {name}"
    );
    assert_eq!(event["regarding"]["name"].as_str().unwrap().len(), 253);
}
