//! What users see of what fails here, and when.

use std::time::Duration;

use super::{super::test_claims, *};
use crate::{
    claim::{Identity, PoolDefaults},
    cluster::{DeviceStatus, ErrorKind, Event, Memory, Pod},
    deadline::Deadline,
    host::fake::Fake,
    paths::Paths,
    slice::Reason,
};

const VF: &str = "0000-02-10-0";

/// An agent of node b without its kubelet, and its API server. Time moves when all wait.
struct Bench {
    _dir: tempfile::TempDir,
    engine: Arc<Engine>,
    server: Arc<Memory>,
    reports: Reports,
}

impl Bench {
    fn new() -> Self {
        let (dir, server) = (tempfile::tempdir().unwrap(), Arc::new(Memory::default()));
        server.bind(Pod {
            uid: "pod-uid".into(),
            namespace: "web".into(),
            name: "pod".into(),
            host_network: false,
            claims: ["x".to_owned()].into(),
            networks: None,
            default_network: None,
            extended_claim: None,
        });
        let identity = Identity {
            driver_name: "sriov-dra.io".into(),
            node_name: "b".into(),
            drivers: vec![],
        };
        let paths = Paths::below(dir.path());
        let engine = Arc::new(Engine::new(Arc::new(Fake::igb()), paths, identity));
        let (reports, reporter) = Reports::new(server.clone(), Arc::clone(&engine));
        tokio::spawn(reporter.run());
        Self {
            _dir: dir,
            engine,
            server,
            reports,
        }
    }

    fn prepare(&self, claim: &AllocatedClaim) {
        let pools = PoolDefaults::Known(Default::default());
        let deadline = Deadline::after(Duration::from_secs(10));
        self.engine.prepare(claim, &pools, deadline).unwrap();
        self.reports.prepared(&claim.claim);
    }

    fn fail(&self, claim: &AllocatedClaim, text: &str) {
        let failure = Failure::prepare(text.into());
        self.reports
            .prepare_failed(&claim.claim, Some(claim.clone()), failure);
    }

    /// Whether, within a while, the claim's first device is reported so: its conditions as
    /// `type=reason: message`.
    async fn reports(&self, claim: &AllocatedClaim, conditions: &[&str]) {
        let now = || {
            let devices = self.server.reported(&claim.claim);
            devices.first().map(texts).unwrap_or_default()
        };
        let end = Instant::now() + Duration::from_mins(30);
        while now() != conditions && Instant::now() < end {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(now(), conditions);
    }

    /// All events after a while: `reason kind: note`.
    async fn events(&self) -> Vec<String> {
        tokio::time::sleep(Duration::from_millis(100)).await;
        self.server.events().iter().map(line).collect()
    }
}

fn texts(device: &DeviceStatus) -> Vec<String> {
    let conditions = device.conditions.iter();
    let text = |condition: &crate::cluster::Condition| {
        let crate::cluster::Condition {
            kind,
            holds,
            reason,
            message,
        } = condition;
        assert_eq!(*holds, message.is_empty(), "{condition:?}");
        format!("{kind}={reason}: {message}")
    };
    conditions.map(text).collect()
}

fn line(event: &Event) -> String {
    let whose = match &event.subject {
        Subject::Claim(claim) => format!("claim {claim}"),
        Subject::Pod {
            namespace, name, ..
        } => format!("pod {namespace}/{name}"),
        other => format!("{other:?}"),
    };
    assert!(event.warning);
    format!("{} {whose}: {}", event.reason, event.note)
}

fn allocated(name: &str, node: &str, device: &str) -> AllocatedClaim {
    let mut claim = test_claims::allocated(name, node, device, "nic");
    claim.reserved_for = vec!["pod-uid".into()];
    claim
}

fn sandbox() -> Sandbox {
    Sandbox {
        id: "sandbox".into(),
        pod_uid: "pod-uid".into(),
        namespace: "web".into(),
        name: "pod".into(),
        netns: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_prepare_that_failed_is_in_the_status_and_in_events_of_claim_and_pod() {
    let (bench, claim) = (Bench::new(), allocated("x", "b", VF));
    bench.fail(&claim, "no memory");
    bench
        .reports(&claim, &["Ready=PrepareFailed: no memory"])
        .await;
    let expected = [
        "PrepareFailed claim web/x: no memory",
        "PrepareFailed pod web/pod: no memory",
    ];
    assert_eq!(bench.events().await, expected);
    bench.prepare(&claim);
    let absent = "NetworkReady=NotAttached: the netdev is not in its pod";
    bench.reports(&claim, &["Ready=Prepared: ", absent]).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_repeats_is_no_event_each_time() {
    let (bench, claim) = (Bench::new(), allocated("x", "b", VF));
    for _ in 0..30 {
        bench.fail(&claim, "no memory");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(bench.events().await.len(), 2);
    // It is still so: a later one counts once more.
    tokio::time::sleep(Duration::from_mins(1)).await;
    bench.fail(&claim, "no memory");
    assert_eq!(bench.events().await.len(), 4);
    // Another text each time.
    for attempt in 0..30 {
        bench.fail(&claim, &format!("attempt {attempt}"));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let events = bench.events().await;
    assert!((8..=12).contains(&events.len()), "{events:#?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_server_does_not_take_is_tried_until_it_is_in() {
    let (bench, claim) = (Bench::new(), allocated("x", "b", VF));
    bench.server.fail_reports(&[ErrorKind::Unreachable; 40]);
    bench.fail(&claim, "no memory");
    bench
        .reports(&claim, &["Ready=PrepareFailed: no memory"])
        .await;
    tokio::time::sleep(Duration::from_mins(10)).await;
    assert_eq!(bench.events().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_latest_state_wins() {
    let (bench, claim) = (Bench::new(), allocated("x", "b", VF));
    bench.server.slow_reports(Duration::from_secs(5));
    bench.fail(&claim, "no memory");
    tokio::time::sleep(Duration::from_secs(1)).await;
    for attempt in 0..100 {
        bench.fail(&claim, &format!("attempt {attempt}"));
    }
    bench.prepare(&claim);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let first = texts(&bench.server.reported(&claim.claim)[0]);
    assert_eq!(first, ["Ready=PrepareFailed: no memory"]);
    // One more write, not one per attempt.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let second = texts(&bench.server.reported(&claim.claim)[0]);
    assert_eq!(second[0], "Ready=Prepared: ");
}

#[tokio::test(start_paused = true)]
async fn claims_are_written_beside_each_other() {
    let bench = Bench::new();
    bench.server.slow_reports(Duration::from_secs(10));
    let claims: Vec<_> = (0..7)
        .map(|number| allocated(&format!("c{number}"), "b", VF))
        .collect();
    let begun = Instant::now();
    for claim in &claims {
        bench.fail(claim, "no memory");
    }
    for claim in &claims {
        bench
            .reports(claim, &["Ready=PrepareFailed: no memory"])
            .await;
    }
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn an_unprepare_that_failed_is_seen_and_goes() {
    let (bench, claim) = (Bench::new(), allocated("x", "b", VF));
    bench.prepare(&claim);
    let failure = || Failure::unprepare("the link is down".into());
    bench.reports.unprepare_failed(&claim.claim, failure());
    bench
        .reports(&claim, &["Ready=UnprepareFailed: the link is down"])
        .await;
    let expected = [
        "UnprepareFailed claim web/x: the link is down",
        "UnprepareFailed pod web/pod: the link is down",
    ];
    assert_eq!(bench.events().await, expected);
    let deadline = Deadline::after(Duration::from_secs(10));
    bench.engine.unprepare(&claim.claim.uid, deadline).unwrap();
    bench.reports.unprepared(&claim.claim);
    bench.reports(&claim, &[]).await;
}

#[tokio::test(start_paused = true)]
async fn a_netdev_that_is_not_attached_is_seen_at_its_claim_and_pod() {
    let (bench, claim) = (Bench::new(), allocated("x", "b", VF));
    bench.prepare(&claim);
    bench.reports.attach_failed(&sandbox(), "net1 is taken");
    let failed = "NetworkReady=NotAttached: net1 is taken";
    bench.reports(&claim, &["Ready=Prepared: ", failed]).await;
    let expected = [
        "AttachFailed claim web/x: net1 is taken",
        "AttachFailed pod web/pod: net1 is taken",
    ];
    assert_eq!(bench.events().await, expected);
    let change = Change::Detached(claim.claim.uid.clone());
    bench.reports.changed(change);
    let absent = "NetworkReady=NotAttached: the netdev is not in its pod";
    bench.reports(&claim, &["Ready=Prepared: ", absent]).await;
}

#[tokio::test(start_paused = true)]
async fn the_status_of_another_nodes_device_is_left_to_it() {
    let (bench, claim) = (Bench::new(), allocated("x", "a", VF));
    bench.fail(&claim, "is allocated on node a, this is node b");
    let expected = [
        "PrepareFailed claim web/x: is allocated on node a, this is node b",
        "PrepareFailed pod web/pod: is allocated on node a, this is node b",
    ];
    assert_eq!(bench.events().await, expected);
    assert_eq!(bench.server.reported(&claim.claim), []);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_gone_is_not_written_again() {
    let (bench, claim) = (Bench::new(), allocated("x", "b", VF));
    bench.server.fail_reports(&[ErrorKind::NotFound; 3]);
    bench.fail(&claim, "no memory");
    tokio::time::sleep(Duration::from_mins(30)).await;
    assert_eq!(bench.server.reported(&claim.claim), []);
    assert_eq!(bench.events().await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn who_holds_a_device_that_is_tainted_is_told() {
    let (bench, claim) = (Bench::new(), allocated("x", "b", VF));
    bench.prepare(&claim);
    let device = DeviceId::from_name(VF).unwrap();
    let other = DeviceId::from_name("0000-02-10-2").unwrap();
    let taints = |reason| {
        let taint = || vec![Taint::no_schedule("sriov-dra.io", reason)];
        BTreeMap::from([(device, taint()), (other, taint())])
    };
    bench.reports.taints(&taints(Reason::LinkDown));
    bench.reports.taints(&taints(Reason::LinkDown));
    let link = "device 0000:02:10.0: tainted sriov-dra.io/link-down: its port has no carrier";
    let both = |note: &str| {
        ["claim web/x", "pod web/pod"].map(|who| format!("DeviceTainted {who}: {note}"))
    };
    assert_eq!(bench.events().await, both(link));
    let absent = "NetworkReady=NotAttached: the netdev is not in its pod";
    bench.reports(&claim, &["Ready=Prepared: ", absent]).await;

    tokio::time::sleep(Duration::from_secs(10)).await;
    bench.reports.taints(&taints(Reason::Gone));
    let gone =
        "Ready=DeviceGone: the device is not on this host any more, or another is at its address";
    bench.reports(&claim, &[gone, absent]).await;
    assert_eq!(bench.events().await.len(), 4);
    bench.reports.taints(&BTreeMap::new());
    bench.reports(&claim, &["Ready=Prepared: ", absent]).await;
}
