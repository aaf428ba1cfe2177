//! What the life of a claim asks of the kernel, phase by phase, on the recorded host:
//! `cargo bench --bench claim`.
//!
//! ```text
//!  prepare ─► run ─► stop ─► unprepare: the kubelet has its answer ─► finish: the next claim may have the device
//! ```
//!
//! The engine and the attacher are the real ones, and the kernel is the fake: calls and writes are
//! counted, netlink requests are what the real kernel's code sends for such a call, and times are
//! what is left without a kernel.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use sriov_dra::{
    api::{ConfigSource, OpaqueConfig},
    attach::{Attacher, PodClaims, Sandbox},
    claim::{AllocatedClaim, AllocatedDevice, Engine, Identity, PoolDefaults},
    deadline::Deadline,
    host::{
        Recording,
        fake::Fake,
        wrapped::{Around, Call, Wrapped},
    },
    ledger::ClaimRef,
    paths::Paths,
    slice::DeviceRef,
};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const DRIVER: &str = "sriov-dra.io";
const ROUNDS: usize = 100;
/// A node of the lab: two Intel 82576 PFs with seven VFs each.
const RECORDING: &str = include_str!("../e2e/fixtures/igb.json");

/// Requests that `host::linux` sends for a call about a VF, with its netdev found by its
/// index: at least so many.
const REQUESTS: [(&str, u32); 9] = [
    ("announce", 3),
    ("host used", 4),
    ("link", 2),
    ("link names", 1),
    ("move link", 5),
    ("observe", 4),
    ("set link", 2),
    ("set vf", 2),
    ("uppers", 2),
];

/// What was asked of the kernel.
#[derive(Debug, Clone, Default)]
struct Asked {
    calls: BTreeMap<&'static str, u32>,
    writes: u32,
}

#[derive(Clone, Default)]
struct Counter(Arc<Mutex<Asked>>);

impl Around for Counter {
    fn around<T>(&self, call: Call<'_>, act: impl FnOnce() -> T) -> T {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *asked.calls.entry(call.verb).or_default() += 1;
        asked.writes += u32::from(call.writes);
        drop(asked);
        act()
    }
}

impl Counter {
    fn take(&self) -> Asked {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Asked {
    fn requests(&self) -> u32 {
        let of = |(verb, calls): (&&str, &u32)| {
            let known = REQUESTS.iter().find(|(name, _)| name == verb);
            known.map_or(0, |(_, requests)| requests * calls)
        };
        self.calls.iter().map(of).sum()
    }

    fn listed(&self) -> String {
        let texts = self
            .calls
            .iter()
            .map(|(verb, calls)| format!("{verb} {calls}"));
        texts.collect::<Vec<_>>().join(", ")
    }
}

/// One phase: what it asked for, and its time.
type Phase = (&'static str, Asked, Duration);

/// A node with an agent.
struct Node {
    _dir: tempfile::TempDir,
    fake: Fake,
    engine: Engine,
    attacher: Attacher,
    counter: Counter,
}

impl Node {
    fn new() -> Outcome<Self> {
        let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?;
        let recording: Recording = serde_json::from_str(RECORDING)?;
        let (fake, counter) = (Fake::new(&recording), Counter::default());
        let kernel = Arc::new(Wrapped::new(fake.clone(), counter.clone()));
        let identity = Identity {
            driver_name: DRIVER.to_owned(),
            node_name: "node".to_owned(),
            drivers: vec!["vfio-pci".to_owned()],
        };
        let paths = Paths::below(dir.path());
        let engine = Engine::new(kernel.clone(), paths.clone(), identity);
        let (store, here) = (engine.store().clone(), engine.identity().pool());
        let report = Box::new(|_| ());
        let attacher = Attacher::new(kernel, store, paths, here, Arc::new(NoPods), report);
        Ok(Self {
            _dir: dir,
            fake,
            engine,
            attacher,
            counter,
        })
    }

    /// Does it, and counts.
    fn phase(&self, name: &'static str, act: impl FnOnce() -> Outcome<()>) -> Outcome<Phase> {
        self.counter.take();
        let begun = Instant::now();
        act()?;
        let time = begun.elapsed();
        Ok((name, self.counter.take(), time))
    }

    fn life(&self, claim: &AllocatedClaim, with_pod: bool) -> Outcome<Vec<Phase>> {
        let (engine, uid) = (&self.engine, &claim.claim.uid);
        let pools = PoolDefaults::Known(BTreeMap::new());
        let mut phases = vec![self.phase("prepare", || {
            engine.prepare(claim, &pools, soon())?;
            Ok(())
        })?];
        if with_pod {
            let netns = engine.paths().run.join("netns/pod");
            let _ = self.fake.add_netns(&netns);
            let sandbox = sandbox(&netns);
            phases.push(self.phase("attach", || Ok(self.attacher.run(&sandbox, soon())?))?);
            phases.push(self.phase("detach", || {
                self.attacher.stop(&sandbox);
                Ok(())
            })?);
            self.fake.destroy_netns(&netns);
        }
        phases.push(self.phase("unprepare, until the answer", || {
            Ok(engine.unprepare(uid, soon())?)
        })?);
        phases.push(self.phase("then, until it is free", || Ok(engine.finish(uid, soon())?))?);
        Ok(phases)
    }
}

struct NoPods;

impl PodClaims for NoPods {
    fn of(&self, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }
}

fn sandbox(netns: &Path) -> Sandbox {
    Sandbox {
        id: "sandbox".to_owned(),
        pod_uid: "pod".to_owned(),
        namespace: "web".to_owned(),
        name: "pod".to_owned(),
        netns: Some(netns.to_owned()),
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

fn claim(mut settings: Value) -> Outcome<AllocatedClaim> {
    settings["apiVersion"] = json!("sriov-dra.io/v1alpha1");
    settings["kind"] = json!("DeviceConfig");
    let device = DeviceRef {
        driver: DRIVER.to_owned(),
        slice_pool: "node".to_owned(),
        device: "0000-21-10-0".to_owned(),
    };
    Ok(AllocatedClaim {
        claim: ClaimRef {
            uid: "c1".parse()?,
            namespace: "web".to_owned(),
            name: "one".to_owned(),
        },
        pod_claim_name: None,
        reserved_for: vec!["pod".to_owned()],
        devices: vec![AllocatedDevice {
            request: "nic".to_owned(),
            class: Some("vf".to_owned()),
            device,
            admin_access: false,
            share_id: None,
        }],
        configs: vec![OpaqueConfig {
            source: ConfigSource::Class,
            requests: vec![],
            parameters: settings,
        }],
        extended: false,
        networks: Default::default(),
        pod_name: None,
        definitions: Default::default(),
    })
}

/// Prints each phase: of the first round the calls, of all rounds the median time.
fn show(what: &str, rounds: &[Vec<Phase>]) -> io::Result<()> {
    let mut out = io::stdout();
    let titles = ("calls", "writes", "netlink", "µs");
    writeln!(
        out,
        "{what:<30} {:>6} {:>6} {:>8} {:>8}",
        titles.0, titles.1, titles.2, titles.3
    )?;
    for (number, (name, asked, _)) in rounds[0].iter().enumerate() {
        let mut times: Vec<_> = rounds.iter().map(|round| round[number].2).collect();
        times.sort_unstable();
        let (calls, time) = (asked.calls.values().sum::<u32>(), times[times.len() / 2]);
        let (writes, requests) = (asked.writes, asked.requests());
        writeln!(
            out,
            "  {name:<28} {calls:>6} {writes:>6} {requests:>8} {:>8}  {}",
            time.as_micros(),
            asked.listed()
        )?;
    }
    let sum = |of: fn(&Asked) -> u32| rounds[0].iter().map(|(_, asked, _)| of(asked)).sum::<u32>();
    let calls = sum(|asked| asked.calls.values().sum());
    writeln!(
        out,
        "  {:<28} {calls:>6} {:>6} {:>8}",
        "life",
        sum(|asked| asked.writes),
        sum(Asked::requests)
    )
}

fn measure(what: &str, settings: Value, with_pod: bool) -> Outcome<()> {
    let (node, claim) = (Node::new()?, claim(settings)?);
    let rounds: Outcome<Vec<_>> = (0..ROUNDS).map(|_| node.life(&claim, with_pod)).collect();
    Ok(show(what, &rounds?)?)
}

fn main() -> Outcome<()> {
    measure("VLAN, in a pod", json!({"vlan": 100}), true)?;
    let all = json!({"vlan": 100, "trust": "on", "spoofChk": false, "maxTxRate": 100,
        "mac": "02:00:00:00:00:77"});
    measure("five values, in a pod", all, true)?;
    measure("VLAN, no pod came", json!({"vlan": 100}), false)?;
    measure("vfio-pci", json!({"driver": "vfio-pci"}), false)
}
