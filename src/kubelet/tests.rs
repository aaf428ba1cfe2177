//! A fake kubelet over real sockets. Suffixes like `r1` number behaviours
//! that Kubernetes' own node tests check.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::Notify;
use tonic::transport::{Channel, Endpoint};

use super::{
    Claims, Plugin, Serving, serve,
    wire::{
        registration::{
            InfoRequest, PluginInfo, RegistrationStatus, registration_client::RegistrationClient,
        },
        v1::{self, dra_plugin_client::DraPluginClient},
        v1beta1,
    },
};
use crate::{claim::PreparedDevice, ledger::ClaimRef};

const UID: &str = "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e";

/// Behaves as the claim's name says.
#[derive(Default)]
struct Engine {
    begun: Notify,
    release: Notify,
    finished: Notify,
    together: AtomicUsize,
    seen: Mutex<Vec<String>>,
}

#[async_trait]
impl Claims for Engine {
    async fn prepare(&self, claim: ClaimRef) -> Result<Vec<PreparedDevice>, String> {
        match claim.name.as_str() {
            "refused" => return Err("prepare vf 0000:03:10.2: set vlan 100: not supported".into()),
            "panics" => panic!("a bug"),
            "slow" => {
                self.begun.notify_one();
                self.release.notified().await;
                self.finished.notify_one();
            }
            "together" => {
                // Returns only when both calls are in progress.
                self.together.fetch_add(1, Ordering::SeqCst);
                while self.together.load(Ordering::SeqCst) < 2 {
                    tokio::task::yield_now().await;
                }
            }
            _ => {}
        }
        self.seen.lock().unwrap().push(claim.to_string());
        Ok(vec![PreparedDevice {
            requests: vec!["nic".into()],
            slice_pool: "node-1".into(),
            device: "0000-3b-02-1".into(),
            cdi: vec![format!("sriov-dra.io/claim-{}=0000:3b:02.1", claim.uid)],
            share_id: Some("share".into()),
        }])
    }

    async fn unprepare(&self, claim: ClaimRef) -> Result<(), String> {
        if claim.name == "refused" {
            Err("undo vf 0000:03:10.2: busy".into())
        } else {
            Ok(())
        }
    }
}

fn plugin(kubelet: &Path, instance: &str) -> Plugin {
    Plugin {
        driver: "sriov-dra.io".into(),
        kubelet: kubelet.to_owned(),
        instance: instance.into(),
        timeout: Duration::from_secs(40),
    }
}

struct Node {
    root: tempfile::TempDir,
    engine: Arc<Engine>,
    serving: Serving,
}

async fn node() -> Node {
    let root = tempfile::tempdir().unwrap();
    let engine = Arc::new(Engine::default());
    let serving = serve(plugin(root.path(), "pod-a"), engine.clone())
        .await
        .unwrap();
    Node {
        root,
        engine,
        serving,
    }
}

/// The sockets that the kubelet's plugin watcher would find.
fn registry(root: &Path) -> Vec<PathBuf> {
    let found = std::fs::read_dir(root.join("plugins_registry"));
    found
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default()
}

async fn connect(socket: &Path) -> Channel {
    Endpoint::try_from(format!("unix://{}", socket.display()))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

/// What the kubelet's plugin watcher does with a registration socket.
async fn register(socket: &Path) -> PluginInfo {
    let mut client = RegistrationClient::new(connect(socket).await);
    let info = client.get_info(InfoRequest {}).await.unwrap().into_inner();
    let status = RegistrationStatus {
        plugin_registered: true,
        error: String::new(),
    };
    client.notify_registration_status(status).await.unwrap();
    info
}

async fn dra(root: &Path) -> DraPluginClient<Channel> {
    let info = register(&registry(root)[0]).await;
    DraPluginClient::new(connect(Path::new(&info.endpoint)).await)
}

fn claim(name: &str, uid: &str) -> v1::Claim {
    v1::Claim {
        namespace: "default".into(),
        uid: uid.into(),
        name: name.into(),
    }
}

async fn prepare(
    client: &mut DraPluginClient<Channel>,
    claims: &[v1::Claim],
) -> HashMap<String, v1::NodePrepareResourceResponse> {
    let request = v1::NodePrepareResourcesRequest {
        claims: claims.to_vec(),
    };
    client
        .node_prepare_resources(request)
        .await
        .unwrap()
        .into_inner()
        .claims
}

#[tokio::test]
async fn the_kubelet_registers_the_driver_and_again_after_its_restart_r1() {
    let node = node().await;
    let mut registrations = node.serving.registrations();
    let info = register(&registry(node.root.path())[0]).await;
    assert_eq!(
        (info.r#type.as_str(), info.name.as_str()),
        ("DRAPlugin", "sriov-dra.io")
    );
    assert_eq!(
        info.supported_versions,
        ["v1.DRAPlugin", "v1beta1.DRAPlugin"]
    );
    assert!(Path::new(&info.endpoint).starts_with(node.root.path().join("plugins/sriov-dra.io")));
    assert_eq!(registrations.borrow_and_update().times, 1);
    register(&registry(node.root.path())[0]).await;
    assert!(registrations.has_changed().unwrap());
    assert_eq!(registrations.borrow().times, 2);
}

#[tokio::test]
async fn a_registration_error_is_kept_until_a_registration_succeeds_r3() {
    let node = node().await;
    let registrations = node.serving.registrations();
    let mut client = RegistrationClient::new(connect(&registry(node.root.path())[0]).await);
    let status = RegistrationStatus {
        plugin_registered: false,
        error: "no handler registered".into(),
    };
    client.notify_registration_status(status).await.unwrap();
    assert_eq!(
        registrations.borrow().refused.as_deref(),
        Some("no handler registered")
    );
    register(&registry(node.root.path())[0]).await;
    assert_eq!(registrations.borrow().refused, None);
}

#[tokio::test]
async fn a_restart_of_the_plugin_is_found_and_a_stop_leaves_no_socket_r2() {
    let Node {
        root,
        engine,
        serving,
    } = node().await;
    let mut client = dra(root.path()).await;
    assert_eq!(prepare(&mut client, &[claim("a", UID)]).await.len(), 1);
    serving.stop(Duration::from_secs(5)).await;
    assert!(registry(root.path()).is_empty());
    assert_eq!(
        std::fs::read_dir(root.path().join("plugins/sriov-dra.io"))
            .unwrap()
            .count(),
        0
    );
    let again = serve(plugin(root.path(), "pod-a"), engine).await.unwrap();
    let mut client = dra(root.path()).await;
    assert_eq!(
        prepare(&mut client, &[claim("a", UID)]).await[UID].error,
        ""
    );
    drop(again);
}

#[tokio::test]
async fn two_instances_serve_side_by_side_and_each_unlinks_its_own_u1() {
    let old = node().await;
    let new = serve(plugin(old.root.path(), "pod-b"), old.engine.clone())
        .await
        .unwrap();
    assert_eq!(registry(old.root.path()).len(), 2);
    old.serving.stop(Duration::from_secs(5)).await;
    let left = registry(old.root.path());
    assert!(left.len() == 1 && left[0].to_string_lossy().contains("pod-b"));
    assert_eq!(
        prepare(&mut dra(old.root.path()).await, &[claim("a", UID)]).await[UID].error,
        ""
    );
    drop(new);
}

#[tokio::test]
async fn the_service_works_over_a_new_connection_and_one_carries_many_calls_r5_r6() {
    let node = node().await;
    for _ in 0..2 {
        let mut client = dra(node.root.path()).await;
        for _ in 0..3 {
            assert_eq!(
                prepare(&mut client, &[claim("a", UID)]).await[UID].error,
                ""
            );
        }
    }
    assert_eq!(node.engine.seen.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn every_claim_is_in_the_response_with_its_own_error() {
    let node = node().await;
    let mut client = dra(node.root.path()).await;
    let asked = [
        claim("good", "good"),
        claim("refused", "refused"),
        claim("invalid", "../x"),
        claim("panics", "panics"),
    ];
    let answers = prepare(&mut client, &asked).await;
    assert_eq!(answers.len(), 4);
    assert_eq!(answers["good"].error, "");
    let device = &answers["good"].devices[0];
    assert_eq!(
        device.cdi_device_ids,
        ["sriov-dra.io/claim-good=0000:3b:02.1"]
    );
    assert_eq!(
        (device.request_names[0].as_str(), device.share_id.as_deref()),
        ("nic", Some("share"))
    );
    assert_eq!(
        answers["refused"].error,
        "prepare vf 0000:03:10.2: set vlan 100: not supported"
    );
    assert!(
        answers["../x"].error.contains("claim UID \"../x\""),
        "{}",
        answers["../x"].error
    );
    assert!(
        answers["panics"].error.contains("panic"),
        "{}",
        answers["panics"].error
    );
    let request = v1::NodeUnprepareResourcesRequest {
        claims: asked.to_vec(),
    };
    let answers = client
        .node_unprepare_resources(request)
        .await
        .unwrap()
        .into_inner()
        .claims;
    assert_eq!(answers.len(), 4);
    assert_eq!(
        (
            answers["good"].error.as_str(),
            answers["refused"].error.as_str()
        ),
        ("", "undo vf 0000:03:10.2: busy")
    );
}

#[tokio::test]
async fn claims_of_one_call_are_prepared_concurrently() {
    let node = node().await;
    let mut client = dra(node.root.path()).await;
    let asked = [claim("together", "a"), claim("together", "b")];
    let answers = tokio::time::timeout(Duration::from_secs(20), prepare(&mut client, &asked))
        .await
        .unwrap();
    assert_eq!(answers.len(), 2);
}

#[tokio::test]
async fn the_work_continues_when_the_kubelet_disconnects() {
    let node = node().await;
    let mut client = dra(node.root.path()).await;
    let call = tokio::spawn(async move { prepare(&mut client, &[claim("slow", UID)]).await });
    node.engine.begun.notified().await;
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    node.engine.release.notify_one();
    tokio::time::timeout(Duration::from_secs(20), node.engine.finished.notified())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_slow_claim_gets_a_response_before_the_kubelets_timeout() {
    let root = tempfile::tempdir().unwrap();
    let engine = Arc::new(Engine::default());
    let plugin = Plugin {
        timeout: Duration::from_millis(50),
        ..plugin(root.path(), "")
    };
    let _serving = serve(plugin, engine.clone()).await.unwrap();
    let answers = prepare(&mut dra(root.path()).await, &[claim("slow", UID)]).await;
    assert!(
        answers[UID].error.contains("still in progress after 50ms"),
        "{}",
        answers[UID].error
    );
    engine.release.notify_one();
    tokio::time::timeout(Duration::from_secs(20), engine.finished.notified())
        .await
        .unwrap();
}

#[tokio::test]
async fn stop_waits_for_work_whose_caller_has_disconnected() {
    let Node {
        root,
        engine,
        serving,
    } = node().await;
    let mut client = dra(root.path()).await;
    let call = tokio::spawn(async move { prepare(&mut client, &[claim("slow", UID)]).await });
    engine.begun.notified().await;
    call.abort();
    let stop = tokio::spawn(serving.stop(Duration::from_secs(20)));
    assert!(engine.seen.lock().unwrap().is_empty() && !stop.is_finished());
    engine.release.notify_one();
    stop.await.unwrap();
    assert_eq!(engine.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn v1beta1_is_served_like_v1_without_shares() {
    let node = node().await;
    let info = register(&registry(node.root.path())[0]).await;
    let channel = connect(Path::new(&info.endpoint)).await;
    let mut client = v1beta1::dra_plugin_client::DraPluginClient::new(channel);
    let asked = v1beta1::Claim {
        namespace: "default".into(),
        uid: UID.into(),
        name: "a".into(),
    };
    let request = v1beta1::NodePrepareResourcesRequest {
        claims: vec![asked],
    };
    let answers = client
        .node_prepare_resources(request)
        .await
        .unwrap()
        .into_inner()
        .claims;
    assert_eq!(answers[UID].devices[0].device_name, "0000-3b-02-1");
}

#[tokio::test]
async fn an_unknown_service_is_unimplemented() {
    let node = node().await;
    let info = register(&registry(node.root.path())[0]).await;
    // The DRA socket does not serve registration: the same response as for the health service.
    let mut client = RegistrationClient::new(connect(Path::new(&info.endpoint)).await);
    assert_eq!(
        client.get_info(InfoRequest {}).await.unwrap_err().code(),
        tonic::Code::Unimplemented
    );
}
