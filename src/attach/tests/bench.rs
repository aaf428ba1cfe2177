//! A node with prepared claims.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::{
    api::AttachMode,
    attach::{Attacher, Change, ContainerView, PodClaims, Sandbox},
    claim::view,
    deadline::Deadline,
    device::{DeviceId, Netdev, VfAddress},
    files::Disk,
    host::{Kernel, Netns, fake::Fake},
    ledger::{
        Attachment, ClaimOwner, ClaimRef, DeviceRecord, NetdevPlan, Phase, Record, Step, Store,
        VERSION,
    },
    paths::Paths,
    slice::NodePool,
};

pub(crate) const DRIVER: &str = "sriov-dra.io";

/// Claims by pod, as a watch would know them.
#[derive(Debug, Default)]
pub(crate) struct Pods(pub(crate) Mutex<Vec<(String, String)>>);

impl PodClaims for Pods {
    fn of(&self, pod_uid: &str) -> Vec<(String, String)> {
        let all = self.0.lock().unwrap();
        all.iter()
            .filter(|(pod, _)| pod == pod_uid)
            .map(|(_, claim)| ("ns".to_owned(), claim.clone()))
            .collect()
    }
}

pub(crate) struct Bench {
    dir: tempfile::TempDir,
    pub(crate) fake: Fake,
    pub(crate) paths: Paths,
    pub(crate) store: Store,
    pub(crate) pods: Arc<Pods>,
    pub(crate) changes: Arc<Mutex<Vec<Change>>>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (dir, fake) = (tempfile::tempdir().unwrap(), Fake::igb());
        let paths = Paths::below(dir.path());
        let store = Store::new(&paths, Disk::with_hook(fake.change_hook()));
        Self {
            dir,
            fake,
            paths,
            store,
            pods: Arc::default(),
            changes: Arc::default(),
        }
    }

    pub(crate) fn attacher(&self) -> Attacher {
        self.attacher_over(Arc::new(self.fake.clone()))
    }

    pub(crate) fn attacher_over(&self, kernel: Arc<dyn Kernel>) -> Attacher {
        let changes = Arc::clone(&self.changes);
        let report = Box::new(move |change| changes.lock().unwrap().push(change));
        let pods = Arc::clone(&self.pods) as Arc<dyn PodClaims>;
        Attacher::new(
            kernel,
            self.store.clone(),
            self.paths.clone(),
            NodePool {
                driver: DRIVER,
                node: "node",
            },
            pods,
            report,
        )
    }

    /// The VF with this index.
    pub(crate) fn vf(index: u32) -> DeviceId {
        let text = format!("0000-02-{:02x}-{}", 0x10 + index / 4, index % 4 * 2);
        DeviceId::from_name(&text).unwrap()
    }

    pub(crate) fn vf_address(&self) -> VfAddress {
        self.fake
            .observe(&Self::vf(0))
            .unwrap()
            .function
            .vf_address()
            .unwrap()
    }

    /// A claim of pod `pod-<name>`, prepared, with VFs 0 to `devices`.
    pub(crate) fn record(&self, name: &str, devices: u32) -> Record {
        self.record_of(name, &(0..devices).collect::<Vec<_>>())
    }

    pub(crate) fn record_of(&self, name: &str, vfs: &[u32]) -> Record {
        Record {
            version: VERSION,
            owner: ClaimOwner {
                claim: ClaimRef {
                    uid: format!("uid-{name}").parse().unwrap(),
                    namespace: "ns".into(),
                    name: name.into(),
                }
                .into(),
                pod_claim_name: None,
                reserved_for: vec![format!("pod-{name}")],
            },
            phase: Phase::Prepared,
            releasing_since: None,
            devices: vfs.iter().map(|vf| self.device(*vf)).collect(),
            unknown: Default::default(),
        }
    }

    fn device(&self, vf: u32) -> DeviceRecord {
        let observed = self.fake.observe(&Self::vf(vf)).unwrap();
        let netdev = NetdevPlan {
            attach: AttachMode::Pod,
            if_name: None,
            mac: Some("02:00:00:00:aa:01".parse().unwrap()),
            mtu: Some(9000),
            addresses: vec!["10.0.0.7/24".parse().unwrap()],
            routes: vec![serde_json::from_str(r#"{"dst":"10.1.0.0/16","gw":"10.0.0.1"}"#).unwrap()],
            unknown: Default::default(),
        };
        DeviceRecord {
            id: observed.function.id,
            incarnation: observed.function.incarnation,
            request: "nic".into(),
            slice_pool: "node".into(),
            share_id: None,
            admin_access: false,
            cdi: vec![],
            nodes: vec![],
            extras: Default::default(),
            steps: vec![Step::Netdev(observed.netdev.unwrap().state.into())],
            netdev: Some(netdev),
            attachment: None,
            definition: None,
            ipam: None,
            network: None,
            used: None,
            mirrored: false,
            published: Default::default(),
            unknown: Default::default(),
        }
    }

    pub(crate) fn save(&self, record: &Record) {
        self.store.save(record).unwrap();
    }

    pub(crate) fn load(&self, name: &str) -> Record {
        self.store
            .load(&format!("uid-{name}").parse().unwrap())
            .unwrap()
            .unwrap()
    }

    pub(crate) fn attachment(&self, name: &str) -> Option<Attachment> {
        self.load(name).devices[0].attachment.clone()
    }

    pub(crate) fn path(&self, netns: &str) -> PathBuf {
        self.dir.path().join("netns").join(netns)
    }

    /// Sandbox `<pod>-<nth>` of pod `pod-<pod>`, with a namespace of its own.
    pub(crate) fn sandbox(&self, pod: &str, nth: u32) -> (Sandbox, Netns) {
        let id = format!("{pod}-{nth}");
        let netns = self.fake.add_netns(&self.path(&id));
        let netns_path = Some(self.path(&id));
        let pod_uid = format!("pod-{pod}");
        (
            Sandbox {
                id,
                pod_uid,
                namespace: "ns".into(),
                name: pod.into(),
                netns: netns_path,
            },
            netns,
        )
    }

    pub(crate) fn host(&self) -> Netns {
        self.fake
            .open_netns(&self.paths.proc.join("1/ns/net"))
            .unwrap()
    }

    pub(crate) fn link(&self, vf: u32, netns: &Netns) -> Option<Netdev> {
        self.fake.link(&Self::vf(vf), netns).unwrap()
    }

    pub(crate) fn start_gate(&self, name: &str) -> PathBuf {
        view::host_path(&self.paths, &format!("uid-{name}").parse().unwrap(), "nic")
    }

    pub(crate) fn container(&self, claim: &str) -> ContainerView {
        ContainerView {
            name: "main".into(),
            mounts: vec![(self.start_gate(claim), "/in/container".into())],
        }
    }

    pub(crate) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.changes.lock().unwrap())
    }
}

/// The hook, with all the time that it needs.
pub(crate) fn run(attacher: &Attacher, sandbox: &Sandbox) -> Result<(), String> {
    attacher.run(sandbox, Deadline::after(Duration::from_secs(20)))
}

/// A container's hook, without waiting.
pub(crate) fn create(
    attacher: &Attacher,
    sandbox: &Sandbox,
    container: &ContainerView,
) -> Result<(), String> {
    attacher.create_container(sandbox, container, Deadline::after(Duration::ZERO))
}
