//! A claim that is not found, and a server that does not know claims: records are released because
//! of the first, never because of the second.

use super::*;

const CLAIM: &str = "GET /apis/resource.k8s.io/v1/namespaces/default/resourceclaims/web-nic";

fn not_found(message: &str, details: Value) -> Value {
    let mut status = failure(404, "NotFound", message);
    status["details"] = details;
    status
}

#[tokio::test]
async fn a_server_without_the_kind_does_not_say_that_a_claim_is_gone() {
    let named = json!({"name": "web-nic", "group": "resource.k8s.io", "kind": "resourceclaims"});
    let gone = r#"resourceclaims.resource.k8s.io "web-nic" not found"#;
    let (kube, task) = server(vec![
        (CLAIM, 404, not_found(gone, named)),
        // An API group or a version of it that is served no more.
        (CLAIM, 404, json!("404 page not found\n")),
        (
            CLAIM,
            404,
            not_found(
                "the server could not find the requested resource",
                json!({}),
            ),
        ),
    ]);
    let claim = async || kube.claim("default", "web-nic").await;
    assert_eq!(claim().await.unwrap(), None);
    for _ in 0..2 {
        let error = claim().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    }
    sent(kube, task).await;
}
