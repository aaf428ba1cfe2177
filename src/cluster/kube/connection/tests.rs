use std::net::TcpListener;

use super::*;
use crate::cluster::{Cluster, ClusterError, ErrorKind};

const REMEDY: &str =
    "check the kubeconfig (KUBECONFIG, --kubeconfig, --context) and that the server runs";

/// A URL where nobody listens.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn kubeconfig(dir: &std::path::Path, server: &str) -> PathBuf {
    let file = dir.join("config");
    let text = format!(
        "apiVersion: v1
kind: Config
current-context: first
clusters: [{{name: lab, cluster: {{server: \"{server}\"}}}}]
users: [{{name: me, user: {{}}}}]
contexts:
- {{name: first, context: {{cluster: lab, user: me, namespace: shop}}}}
- {{name: second, context: {{cluster: lab, user: me}}}}
"
    );
    crate::files::write_atomic(&file, text.as_bytes(), 0o600).unwrap();
    file
}

async fn connected(access: &Access) -> Result<Kube> {
    Kube::connect_by(access, "sriov-dra.io", "node-1").await
}

#[tokio::test]
async fn an_unreachable_server_is_reported_with_its_url_the_cause_and_the_remedy() {
    let (dir, url) = (tempfile::tempdir().unwrap(), refusing());
    let access = Access {
        kubeconfig: Some(kubeconfig(dir.path(), &url)),
        context: None,
    };
    let kube = connected(&access).await.unwrap();
    let ClusterError { kind, text, .. } = kube.slices().await.unwrap_err();
    assert_eq!(kind, ErrorKind::Unreachable);
    assert_eq!(
        text,
        format!(
            "API server {url} cannot be reached: client error (Connect): tcp connect error: Connection refused (os error 111); {REMEDY}"
        )
    );
    assert_eq!(
        kube.no_answer(Duration::from_secs(3)),
        format!("API server {url} cannot be reached: no answer within 3s; {REMEDY}")
    );
}

#[tokio::test]
async fn the_namespace_is_that_of_the_context() {
    let dir = tempfile::tempdir().unwrap();
    let mut access = Access {
        kubeconfig: Some(kubeconfig(dir.path(), "http://127.0.0.1:1")),
        context: None,
    };
    assert_eq!(connected(&access).await.unwrap().namespace(), "shop");
    access.context = Some("second".to_owned());
    assert_eq!(connected(&access).await.unwrap().namespace(), "default");
}

#[tokio::test]
async fn a_kubeconfig_that_is_named_is_used_or_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let text = |access: Access| async move {
        let error = connected(&access).await.err().expect("no such cluster");
        error.to_string()
    };
    let missing = text(Access {
        kubeconfig: Some(dir.path().join("none")),
        context: None,
    })
    .await;
    assert!(
        missing.contains("none") && missing.contains("No such file"),
        "{missing}"
    );
    let unknown = text(Access {
        kubeconfig: Some(kubeconfig(dir.path(), "http://127.0.0.1:1")),
        context: Some("third".to_owned()),
    })
    .await;
    assert!(unknown.contains("third"), "{unknown}");
}
