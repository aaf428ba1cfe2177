//! Which claims get what is here, and which records nothing stands behind any more.

mod others;

use super::{super::test_claims::allocated, *};
use crate::{
    claim::Identity,
    cluster::{Memory, Nad, Pod},
    cni::{NadRef, networks::PodFiles},
    files::Disk,
    host::fake::Fake,
    ledger::Phase,
    paths::Paths,
};

const VF: &str = "0000-02-10-0";

/// An agent of node b, and its API server.
struct Agent {
    _dir: tempfile::TempDir,
    fake: Fake,
    server: Arc<Memory>,
    claims: NodeClaims,
}

impl Agent {
    fn new(pods: &[&str]) -> Self {
        let (dir, fake, server) = (
            tempfile::tempdir().unwrap(),
            Fake::igb(),
            Arc::new(Memory::default()),
        );
        for uid in pods {
            server.bind(Pod {
                uid: (*uid).to_owned(),
                namespace: "web".into(),
                name: (*uid).to_owned(),
                host_network: false,
                claims: Default::default(),
                networks: None,
                default_network: None,
                extended_claim: None,
            });
        }
        let identity = Identity {
            driver_name: "sriov-dra.io".into(),
            node_name: "b".into(),
            drivers: vec![],
        };
        let paths = Paths::below(dir.path());
        let engine = Arc::new(Engine::new(Arc::new(fake.clone()), paths, identity));
        let pools = watch::channel(Arc::new(PoolDefaults::Known(Default::default()))).1;
        let (reports, reporter) = Reports::new(server.clone(), Arc::clone(&engine));
        tokio::spawn(reporter.run());
        let claims = NodeClaims::new(
            server.clone(),
            engine,
            watch::channel(true).1,
            Arc::default(),
            Default::default(),
            pools,
            reports,
        );
        Self {
            _dir: dir,
            fake,
            server,
            claims,
        }
    }

    /// The scheduler allocates it, the kubelet has it prepared.
    async fn prepare(&self, claim: &AllocatedClaim) -> Result<Vec<PreparedDevice>, String> {
        self.server.allocate(claim.clone());
        self.claims.prepare(claim.claim.clone()).await
    }

    /// The kubelet has it unprepared, and the rest of its release follows.
    async fn unprepare(&self, claim: ClaimRef) {
        self.claims.unprepare(claim.clone()).await.unwrap();
        let deadline = Deadline::after(TIMEOUT);
        self.claims.engine.finish(&claim.uid, deadline).unwrap();
    }

    /// Which of these claims have a record here after a round of the collection.
    async fn collected(&self) -> Vec<String> {
        for claim in self.claims.engine.idle_claims() {
            super::super::collect::collect(&self.claims, &claim)
                .await
                .unwrap();
        }
        let left = self.claims.engine.idle_claims();
        left.iter().map(|claim| claim.name.clone()).collect()
    }

    /// As a version that did not look at the node would have prepared it.
    async fn prepare_blindly(&self, claim: &AllocatedClaim, node: &str) {
        let here = allocated(&claim.claim.name, "b", VF, "nic");
        self.prepare(&here).await.unwrap();
        let store = self.claims.engine.store();
        let mut record = store.load(&claim.claim.uid).unwrap().unwrap();
        record.devices[0].slice_pool = node.into();
        store.save(&record).unwrap();
        self.server.allocate(claim.clone());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kubelet_is_answered_that_a_claim_is_allocated_on_another_node() {
    let agent = Agent::new(&["pod"]);
    let before = agent.fake.dump();
    let answer = agent.prepare(&allocated("x", "a", VF, "nic")).await;
    let reason = answer.unwrap_err();
    assert!(
        reason.starts_with(
            "device 0000-02-10-0 of claim web/x is allocated on node a, this is node b"
        ),
        "{reason}"
    );
    assert_eq!(agent.fake.dump(), before);
    assert_eq!(
        agent.server.reported(&allocated("x", "a", VF, "nic").claim),
        []
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_is_allocated_anew_elsewhere_is_stale_here() {
    let anew = [
        allocated("x", "a", VF, "nic"),
        allocated("x", "b", "0000-02-10-2", "nic"),
        allocated("x", "b", VF, "other"),
    ];
    for anew in anew {
        let agent = Agent::new(&[]);
        let before = agent.fake.dump();
        agent
            .prepare(&allocated("x", "b", VF, "nic"))
            .await
            .unwrap();
        assert_eq!(agent.collected().await, ["x"]);
        // The unprepare never came.
        agent.server.allocate(anew);
        assert_eq!(agent.collected().await, [""; 0]);
        assert_eq!(agent.fake.dump(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_claim_gets_what_a_stale_one_holds() {
    let agent = Agent::new(&[]);
    agent
        .prepare(&allocated("x", "b", VF, "nic"))
        .await
        .unwrap();
    agent.server.allocate(allocated("x", "a", VF, "nic"));
    agent
        .prepare(&allocated("y", "b", VF, "nic"))
        .await
        .unwrap();
    assert_eq!(agent.collected().await, ["y"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_claim_gets_what_several_stale_ones_hold() {
    const DEVICES: [&str; 3] = [VF, "0000-02-10-2", "0000-02-10-4"];
    let agent = Agent::new(&[]);
    for (name, device) in ["x", "y", "z"].into_iter().zip(DEVICES) {
        let holder = allocated(name, "b", device, "nic");
        agent.prepare(&holder).await.unwrap();
        agent.server.allocate(allocated(name, "a", device, "nic"));
    }
    let mut all = allocated("w", "b", VF, "nic");
    let others = DEVICES[1..].iter().map(|device| {
        let one = allocated("w", "b", device, device);
        one.devices[0].clone()
    });
    all.devices.extend(others);
    assert_eq!(agent.prepare(&all).await.unwrap().len(), 3);
    assert_eq!(agent.collected().await, ["w"]);
}

#[test]
fn each_claim_in_the_way_is_reclaimed_once_and_before_the_deadline() {
    let claim = |name| allocated(name, "b", VF, "nic").claim;
    let (mut met, later) = (HashSet::new(), Deadline::after(TIMEOUT));
    assert!(may_reclaim(&mut met, &claim("x"), later));
    assert!(!may_reclaim(&mut met, &claim("x"), later));
    assert!(may_reclaim(&mut met, &claim("y"), later));
    let over = Deadline::after(Duration::ZERO);
    assert!(!may_reclaim(&mut HashSet::new(), &claim("x"), over));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_unprepare_is_under_way_is_left_to_it() {
    let agent = Agent::new(&[]);
    agent
        .prepare(&allocated("x", "b", VF, "nic"))
        .await
        .unwrap();
    agent.server.allocate(allocated("x", "a", VF, "nic"));
    let turn = agent.claims.turns.of(&"x".parse().unwrap());
    let held = turn.lock().await;
    let refused = agent.prepare(&allocated("y", "b", VF, "nic")).await;
    assert!(refused.unwrap_err().contains("is held by claim web/x"));
    assert_eq!(agent.collected().await, ["x"]);
    drop(held);
    assert_eq!(agent.collected().await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_prepared_for_another_node_is_collected_when_its_pod_has_left() {
    let elsewhere = allocated("x", "a", VF, "nic");
    for pods in [&["pod"][..], &[]] {
        let agent = Agent::new(pods);
        let before = agent.fake.dump();
        agent.prepare_blindly(&elsewhere, "a").await;
        let conflict = agent.prepare(&allocated("y", "b", VF, "nic")).await;
        assert_eq!(conflict.is_err(), !pods.is_empty(), "{conflict:?}");
        agent.unprepare(elsewhere.claim.clone()).await;
        agent.unprepare(allocated("y", "b", VF, "nic").claim).await;
        assert_eq!(agent.fake.dump(), before);
    }
}

/// The kubelet's calls, and what users see of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_kubelet_is_answered_is_in_the_claims_status() {
    let agent = Agent::new(&["pod"]);
    let (here, held, elsewhere) = (
        allocated("x", "b", VF, "nic"),
        allocated("y", "b", VF, "nic"),
        allocated("z", "a", VF, "nic"),
    );
    agent.prepare(&here).await.unwrap();
    agent.is_reported(&here, "Prepared").await;
    let refused = agent.prepare(&held).await.unwrap_err();
    agent.is_reported(&held, "DeviceInUse").await;
    let status = &agent.server.reported(&held.claim)[0];
    assert_eq!(status.device, held.devices[0].device);
    assert_eq!(status.conditions[0].message, refused);

    // The other node's agent reports the state of its devices.
    let refused = agent.prepare(&elsewhere).await.unwrap_err();
    let events = agent.events_with(&refused).await;
    assert_eq!(events, ["claim web/z", "pod pod"]);
    assert_eq!(agent.server.reported(&elsewhere.claim), []);
}

impl Agent {
    async fn is_reported(&self, claim: &AllocatedClaim, reason: &str) {
        let is_so = || {
            let devices = self.server.reported(&claim.claim);
            let conditions = devices.first().map(|device| device.conditions.clone());
            conditions.is_some_and(|all| all[0].kind == "Ready" && all[0].reason == reason)
        };
        let eventually = async {
            while !is_so() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(20), eventually)
            .await
            .expect(reason);
    }

    /// Who has an event with this text, once there are two or none has come for long.
    async fn events_with(&self, text: &str) -> Vec<String> {
        use crate::cluster::Subject;
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let events = self.server.events();
            let events = events.iter().filter(|event| event.note == text);
            let found: Vec<String> = events
                .map(|event| match &event.subject {
                    Subject::Claim(claim) => format!("claim {claim}"),
                    Subject::Pod { name, .. } => format!("pod {name}"),
                    other => format!("{other:?}"),
                })
                .collect();
            if found.len() >= 2 || Instant::now() > end {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_another_nodes_device_is_not_reported() {
    let agent = Agent::new(&["pod"]);
    let (here, elsewhere) = (
        allocated("w", "b", VF, "nic"),
        allocated("z", "a", VF, "nic"),
    );
    agent.prepare(&here).await.unwrap();
    agent.is_reported(&here, "Prepared").await;
    let store = agent.claims.engine.store();
    let mut record = store.load(&"w".parse().unwrap()).unwrap().unwrap();
    assert_eq!(record.phase, Phase::Prepared);
    record.devices[0].slice_pool = "a".into();
    record.owner.claim = elsewhere.claim.clone().into();
    store.save(&record).unwrap();
    agent.claims.reports.prepared(&elsewhere.claim);
    // Claims are taken one after the other: when this one is in, so would the other be.
    let last = allocated("v", "b", "0000-02-10-2", "nic");
    agent.prepare(&last).await.unwrap();
    agent.is_reported(&last, "Prepared").await;
    assert_eq!(agent.server.reported(&elsewhere.claim), []);
}

/// A rebind that hangs in the kernel, as one whose netdev somebody holds a reference to.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_recovery_hangs_keeps_no_other_from_being_served() {
    let agent = Agent::new(&["pod"]);
    let (hangs, other) = (
        allocated("x", "b", VF, "nic"),
        allocated("y", "b", "0000-02-10-2", "nic"),
    );
    for claim in [&hangs, &other] {
        agent.prepare(claim).await.unwrap();
    }
    let engine = &agent.claims.engine;
    let mut record = engine.store().load(&hangs.claim.uid).unwrap().unwrap();
    (record.phase, record.devices[0].used) = (Phase::Unpreparing, Some(true));
    engine.store().save(&record).unwrap();
    let (free, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = Mutex::new(blocked);
    agent.fake.on_rebind(move |_, moment| {
        if moment == crate::files::Moment::Before {
            let _ = blocked
                .lock()
                .unwrap()
                .recv_timeout(Duration::from_secs(30));
        }
    });
    let longest = Duration::from_millis(300);
    let left = super::super::recovery::run_for(engine, longest).await;
    let left = left.unwrap();
    assert_eq!((left.len(), left[0].claim.as_str()), (1, "x"));
    assert_eq!(left[0].why, "recovery has not ended within 0 s");
    agent.prepare(&other).await.unwrap();
    let busy = engine.prepare(
        &hangs,
        &PoolDefaults::Known(Default::default()),
        Deadline::after(longest),
    );
    let busy = busy.unwrap_err().to_string();
    assert!(busy.starts_with("busy: recover claim x"), "{busy}");
    drop(free);
}

/// A driver that cannot be bound, until somebody loads it.
#[tokio::test(flavor = "multi_thread")]
async fn what_recovery_cannot_restore_is_said_until_it_is() {
    use super::super::{recovery, releases};

    let agent = Agent::new(&["pod"]);
    let claim = allocated("x", "b", VF, "nic");
    agent.prepare(&claim).await.unwrap();
    let engine = &agent.claims.engine;
    let mut record = engine.store().load(&claim.claim.uid).unwrap().unwrap();
    (record.phase, record.devices[0].used) = (Phase::Unpreparing, Some(true));
    engine.store().save(&record).unwrap();
    agent.fake.refuse(": rebind", 5);
    let left = recovery::run(engine).await.unwrap();
    let text = left[0].why.clone();
    recovery::report(engine, left, &agent.claims.reports).await;
    agent.is_reported(&claim, "UnprepareFailed").await;
    assert_eq!(agent.events_with(&text).await.len(), 2, "claim and pod");
    // The agent ends meanwhile, and says what is not released.
    let left = releases::complete(engine, Duration::from_secs(10)).await;
    assert_eq!(left, [format!("claim web/x (0000:02:10.0): {text}")]);
    agent.fake.allow(": rebind");
    let queue = releases::Releases {
        engine: Arc::clone(engine),
        reports: agent.claims.reports.clone(),
        wake: Arc::default(),
        changed: Arc::default(),
        metrics: Arc::default(),
    };
    tokio::spawn(queue.run());
    let is_said = || !agent.server.reported(&claim.claim).is_empty();
    let released = async {
        while is_said() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(20), released).await.unwrap();
    let left = releases::complete(engine, Duration::from_secs(10)).await;
    assert_eq!(left, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_network_attaches_needs_no_hook() {
    let mut agent = Agent::new(&["pod"]);
    agent.claims.nri = watch::channel(false).1;
    let claim = allocated("x", "b", VF, "nic");
    let refused = agent.prepare(&claim).await.unwrap_err();
    assert!(refused.starts_with("nri: "), "{refused}");
    agent.unprepare(claim.claim.clone()).await;
    // A network that takes the devices of the claim of its name.
    agent.server.bind(Pod {
        uid: "pod".into(),
        namespace: "web".into(),
        name: "pod".into(),
        host_network: false,
        claims: Default::default(),
        networks: Some("blue".into()),
        default_network: None,
        extended_claim: None,
    });
    let nad = Nad {
        resource_name: Some("x".into()),
        config: r#"{"type":"sriov"}"#.into(),
    };
    let blue = NadRef {
        namespace: "web".into(),
        name: "blue".into(),
    };
    agent.server.define(blue, Ok(nad));
    let files = PodFiles::new(agent.claims.engine.paths(), Disk::default());
    let networks = Networks::new(agent.server.clone(), files.clone());
    agent.claims = agent.claims.asking(Some(networks));
    agent.prepare(&claim).await.unwrap();
    let written = files.load(&"pod".parse().unwrap()).unwrap().unwrap();
    assert_eq!(written.networks[0].conf_type.as_deref(), Some("sriov"));
}
