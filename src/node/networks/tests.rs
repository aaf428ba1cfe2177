//! Pods, their networks and what is written of them.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use super::*;
use crate::{
    api::AttachMode,
    claim::{AllocatedDevice, PoolDefaults},
    cluster::{ClusterError, ErrorKind, Memory, Nad},
    cni::{NadRef, agent},
    ledger::ClaimRef,
    pool::{Assigned, Decorators, PoolName},
    slice::DeviceRef,
};

const POOL: &str = "intel.com/sriov";

struct Node {
    server: Arc<Memory>,
    paths: Paths,
    _dir: tempfile::TempDir,
}

impl Node {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self {
            server: Arc::default(),
            paths: Paths::below(dir.path()),
            _dir: dir,
        }
    }

    /// A pod with this annotation.
    fn bind(&self, uid: &str, networks: Option<&str>) -> Pod {
        let pod = Pod {
            uid: uid.to_owned(),
            namespace: "shop".to_owned(),
            name: format!("pod-{uid}"),
            host_network: false,
            claims: ["vfs".to_owned()].into(),
            networks: networks.map(str::to_owned),
            default_network: None,
            extended_claim: None,
        };
        self.server.bind(pod.clone());
        pod
    }

    fn define(&self, name: &str, resource: Option<&str>, config: &str) {
        let nad = Nad {
            resource_name: resource.map(str::to_owned),
            config: config.to_owned(),
        };
        self.server.define(nad_ref(name), Ok(nad));
    }

    fn fails(&self, name: &str) {
        let error = ClusterError {
            kind: ErrorKind::Unreachable,
            subject: "it".to_owned(),
            text: "away".to_owned(),
        };
        self.server.define(nad_ref(name), Err(error));
    }

    fn networks(&self) -> Networks {
        let files = PodFiles::new(&self.paths, Disk::default());
        Networks::new(Arc::<Memory>::clone(&self.server), files)
    }

    fn written(&self, uid: &str) -> Option<PodNetworks> {
        let files = PodFiles::new(&self.paths, Disk::default());
        files.load(&uid.parse().unwrap()).unwrap()
    }
}

/// `[namespace/]name`.
fn nad_ref(text: &str) -> NadRef {
    let (namespace, name) = text.split_once('/').unwrap_or(("shop", text));
    NadRef {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn claim(pods: &[&str]) -> AllocatedClaim {
    AllocatedClaim {
        claim: ClaimRef {
            uid: "c".parse().unwrap(),
            namespace: "shop".to_owned(),
            name: "vfs".to_owned(),
        },
        pod_claim_name: None,
        reserved_for: pods.iter().map(|uid| (*uid).to_owned()).collect(),
        devices: vec![AllocatedDevice {
            request: "net".to_owned(),
            class: None,
            device: DeviceRef {
                driver: "sriov-dra.io".to_owned(),
                slice_pool: "node".to_owned(),
                device: "0000-02-10-0".to_owned(),
            },
            admin_access: false,
            share_id: None,
        }],
        configs: Vec::new(),
        extended: false,
        pod_name: None,
        definitions: Default::default(),
        networks: ClaimNetworks::default(),
    }
}

fn attach(said: &ClaimNetworks) -> AttachMode {
    said.attach("vfs", Some(&PoolName::of_resource(POOL, "").unwrap()))
}

#[tokio::test]
async fn a_pods_networks_are_written_in_order() {
    let node = Node::new();
    let mut pod = node.bind("old", None);
    pod.uid = "u".to_owned();
    pod.networks = Some("b@blue,a,other/c".to_owned());
    pod.default_network = Some("d".to_owned());
    node.server.bind(pod);
    node.define("a", Some(POOL), r#"{"name":"net-a","type":"sriov"}"#);
    node.define(
        "b",
        None,
        r#"{"plugins":[{"type":"ovs"},{"type":"tuning"}]}"#,
    );
    node.define("kube-system/d", Some(POOL), "");
    let (said, pods) = node.networks().of_claim(&claim(&["u"])).await.unwrap();
    let written = node.written("u").unwrap();
    assert_eq!(pods, std::slice::from_ref(&written));
    assert_eq!((&*written.namespace, &*written.name), ("shop", "pod-old"));
    assert_eq!(written.claims, ["vfs".to_owned()].into());
    let shown: Vec<String> = written
        .networks
        .iter()
        .map(|network| {
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let default = if network.is_default { "default " } else { "" };
            let parts = [
                &network.interface,
                &network.resource_name,
                &network.conf_name,
                &network.conf_type,
            ];
            format!("{default}{} {}", network.nad, parts.map(text).join(" "))
        })
        .collect();
    assert_eq!(
        shown,
        [
            "default kube-system/d - intel.com/sriov d -",
            "shop/b blue - b ovs",
            "shop/a - intel.com/sriov net-a sriov",
            "other/c - - - -",
        ]
    );
    let missing = written.networks[3].error.as_deref();
    assert_eq!(
        missing,
        Some("there is no such NetworkAttachmentDefinition")
    );
    assert_eq!(said.resources.len(), 1);
    assert_eq!(
        said.resources[POOL],
        ["".to_owned(), "sriov".to_owned()].into()
    );
    assert_eq!(attach(&said), AttachMode::Cni);
}

#[tokio::test]
async fn without_networks_the_file_names_the_pod_alone() {
    let node = Node::new();
    node.bind("u", None);
    let (said, _) = node.networks().of_claim(&claim(&["u"])).await.unwrap();
    assert_eq!(said, ClaimNetworks::default());
    assert_eq!(node.written("u").unwrap().networks, []);
    assert_eq!(attach(&said), AttachMode::Pod);
}

#[tokio::test]
async fn an_annotation_that_cannot_be_read_is_written_down() {
    let node = Node::new();
    node.bind("u", Some("a@b@c"));
    node.networks().of_claim(&claim(&["u"])).await.unwrap();
    let error = node.written("u").unwrap().error.unwrap();
    assert!(
        error.starts_with("annotation k8s.v1.cni.cncf.io/networks: entry 1: "),
        "{error}"
    );
}

#[tokio::test]
async fn on_the_hosts_network_an_extended_resource_is_device_nodes_only() {
    let node = Node::new();
    node.define("a", Some(POOL), r#"{"type":"sriov"}"#);
    let mut pod = node.bind("plain", Some("a"));
    (pod.uid, pod.host_network) = ("host".to_owned(), true);
    node.server.bind(pod);
    let networks = node.networks();
    let mut claim = claim(&["host"]);
    let (said, _) = networks.of_claim(&claim).await.unwrap();
    assert_eq!(
        attach(&said),
        AttachMode::Pod,
        "Multus is not called, the hook refuses"
    );
    claim.extended = true;
    let (said, _) = networks.of_claim(&claim).await.unwrap();
    assert_eq!(attach(&said), AttachMode::None);
    claim.reserved_for = vec!["plain".to_owned()];
    let (said, _) = networks.of_claim(&claim).await.unwrap();
    assert_eq!(attach(&said), AttachMode::Cni);
}

#[tokio::test(start_paused = true)]
async fn one_pod_that_is_known_is_enough_and_none_is_an_error() {
    let node = Node::new();
    node.bind("u", None);
    let networks = node.networks();
    assert_eq!(
        networks
            .of_claim(&claim(&["gone", "u"]))
            .await
            .unwrap()
            .1
            .len(),
        1
    );
    assert_eq!(networks.of_claim(&claim(&[])).await.unwrap().1, []);
    let error = networks.of_claim(&claim(&["gone"])).await.unwrap_err();
    assert!(
        error.starts_with("pod gone, which the claim is reserved for, is not known"),
        "{error}"
    );
}

#[tokio::test]
async fn what_was_written_stands_while_the_server_is_away() {
    let node = Node::new();
    node.bind("u", Some("a"));
    node.fails("a");
    let networks = node.networks();
    assert_eq!(
        networks.of_claim(&claim(&["u"])).await.unwrap_err(),
        "it: away"
    );
    assert_eq!(node.written("u"), None);
    node.define("a", Some(POOL), r#"{"type":"sriov"}"#);
    networks.of_claim(&claim(&["u"])).await.unwrap();
    node.fails("a");
    let (said, _) = networks.of_claim(&claim(&["u"])).await.unwrap();
    assert_eq!(attach(&said), AttachMode::Cni);
}

#[tokio::test]
async fn files_of_pods_that_are_gone_are_swept() {
    let node = Node::new();
    node.bind("u", None);
    node.bind("gone", None);
    node.networks()
        .of_claim(&claim(&["u", "gone"]))
        .await
        .unwrap();
    let later = Node {
        server: Arc::default(),
        paths: node.paths.clone(),
        _dir: tempfile::tempdir().unwrap(),
    };
    later.bind("u", None);
    later.networks().sweep_once().await.unwrap();
    assert!(node.written("u").is_some() && node.written("gone").is_none());
}

#[tokio::test]
async fn other_plugins_depend_on_multus() {
    let node = Node::new();
    node.bind("u", Some("a,b,c"));
    node.define("a", Some(POOL), r#"{"type":"sriov"}"#);
    node.define("b", Some(POOL), r#"{"type":"host-device"}"#);
    node.define("c", Some("vfs"), r#"{"type":"ovs"}"#);
    let claim = claim(&["u"]);
    let (_, pods) = node.networks().of_claim(&claim).await.unwrap();
    let assigned = Assigned {
        pool: PoolName::of_resource(POOL, "").unwrap(),
        place: String::new(),
        exclude_topology: false,
        decorators: Decorators::default(),
        additional_info: None,
    };
    let id = crate::device::DeviceId::from_name("0000-02-10-0").unwrap();
    let pools = PoolDefaults::Known([(id, Ok(assigned))].into());
    let events = unserved(&claim, &pools, &pods);
    assert_eq!(
        events.len(),
        1,
        "its own plugin, and a claim with the resource's name, work"
    );
    assert!(
        events[0]
            .note
            .starts_with("network shop/b: its plugin host-device gets the device from Multus")
    );
    assert!(events[0].note.len() <= 1024, "the API's limit");
    assert_eq!(unserved(&claim, &PoolDefaults::Known([].into()), &pods), []);
}

/// What the CNI binary gets for a line.
async fn asked(node: &Node, line: &str) -> String {
    let mut stream = UnixStream::connect(node.paths.cni_socket()).await.unwrap();
    stream.write_all(line.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cni_binary_has_a_pod_looked_at() {
    use std::os::unix::fs::PermissionsExt;
    let node = Node::new();
    node.bind("u", Some("a"));
    node.define("a", Some(POOL), r#"{"type":"sriov"}"#);
    let socket = node.paths.cni_socket();
    std::fs::create_dir_all(&node.paths.run).unwrap();
    // Of two agents the later one answers.
    for _ in 0..2 {
        let (socket, networks) = (socket.clone(), node.networks());
        tokio::spawn(async move { serve(&socket, networks).await });
        while UnixStream::connect(&node.paths.cni_socket()).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
    let mode = std::fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let question = agent::Question {
        pod_uid: Some("u".to_owned()),
        namespace: "shop".to_owned(),
        name: "pod-u".to_owned(),
    };
    super::blocking(move || agent::ask(&socket, &question))
        .await
        .unwrap();
    assert_eq!(node.written("u").unwrap().networks.len(), 1);
    let by_name = "{\"namespace\":\"shop\",\"name\":\"pod-u\"}\n";
    assert_eq!(asked(&node, by_name).await, "{\"ok\":true}\n");
    let wrong = "{\"podUid\":\"u\",\"namespace\":\"shop\",\"name\":\"x\"}\n";
    assert_eq!(
        asked(&node, wrong).await,
        "{\"error\":\"pod shop/x: its UID is that of shop/pod-u\"}\n"
    );
    assert!(
        asked(&node, "nonsense\n")
            .await
            .starts_with("{\"error\":\"question: ")
    );
    let nobody = "{\"podUid\":\"v\",\"namespace\":\"shop\",\"name\":\"x\"}\n";
    let answer = asked(&node, nobody).await;
    assert_eq!(
        answer,
        "{\"error\":\"pod shop/x with UID v is not on this node\"}\n"
    );
}

#[tokio::test]
async fn a_chained_bandwidth_counts_when_it_has_a_rate() {
    let node = Node::new();
    let list = |bandwidth| format!(r#"{{"plugins":[{{"type":"sriov"}},{bandwidth}]}}"#);
    let rate = list(r#"{"type":"bandwidth","ingressRate":1000}"#);
    let asked = list(r#"{"type":"bandwidth","capabilities":{"bandwidth":true}}"#);
    for (name, config) in [("rate", &rate), ("asked", &asked)] {
        node.define(name, Some(POOL), config);
    }
    let text =
        r#"[{"name":"rate"},{"name":"asked"},{"name":"asked","bandwidth":{"ingressRate":5}}]"#;
    let pod = node.bind("p", Some(text));
    let uid = "p".parse().unwrap();
    let read = super::read::networks(&*node.server, &pod, &uid)
        .await
        .unwrap();
    let limits: Vec<bool> = read
        .networks
        .iter()
        .map(|network| network.limits_bandwidth)
        .collect();
    assert_eq!(limits, [true, false, true]);
}
