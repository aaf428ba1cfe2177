//! Killed, or ended, at every write.

use std::{
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use super::bench::{Bench, create, run};
use crate::{
    attach::underway::Underway,
    deadline::Deadline,
    device::{
        Bdf, Binding, Bound, DeviceId, Function, IfName, LinkSetting, Netdev, Observed, RdmaDevice,
        VfAddress, VfSetting,
    },
    files::{Disk, Moment},
    host::{
        Kernel, Netns, Result,
        fake::{Fake, Fault},
    },
    ledger::Store,
};

/// Every way to die at the nth write.
fn deaths() -> impl Iterator<Item = Fault> {
    (1..40).flat_map(|n| [Fault::Before(n), Fault::After(n)])
}

fn two_claims() -> Bench {
    let bench = Bench::new();
    bench.save(&bench.record_of("a", &[0, 1]));
    let mut other = bench.record_of("b", &[2]);
    other.owner.reserved_for = vec!["pod-a".into()];
    bench.save(&other);
    bench
}

fn is_free(bench: &Bench, before: &str) {
    let now = bench.fake.dump();
    let changed: Vec<_> = now
        .lines()
        .zip(before.lines())
        .filter(|(now, before)| now != before)
        .collect();
    assert!(changed.is_empty(), "{changed:#?}");
    for name in ["a", "b"] {
        assert!(
            bench
                .load(name)
                .devices
                .iter()
                .all(|device| device.attachment.is_none())
        );
        assert!(!bench.start_gate(name).exists());
    }
}

#[test]
fn killed_while_attaching_then_the_sandbox_is_gone() {
    let mut died = 0;
    for trip in deaths() {
        let bench = two_claims();
        let (before, (sandbox, _)) = (bench.fake.dump(), bench.sandbox("a", 1));
        bench.fake.arm(trip);
        let _ = run(&bench.attacher(), &sandbox);
        died += u32::from(bench.fake.is_crashed());
        bench.fake.restart();
        let next = bench.attacher();
        next.synchronize(vec![], next.holding());
        is_free(&bench, &before);
    }
    assert!(
        (30..78).contains(&died),
        "{died}: each write of three devices, and some lives to the end"
    );
}

#[test]
fn killed_while_attaching_then_the_sandbox_lives() {
    for trip in deaths() {
        let bench = two_claims();
        let (sandbox, netns) = bench.sandbox("a", 1);
        bench.fake.arm(trip);
        let _ = run(&bench.attacher(), &sandbox);
        bench.fake.restart();
        let next = bench.attacher();
        next.synchronize(vec![sandbox.clone()], vec![]);
        let names = [0, 1, 2].map(|vf| bench.link(vf, &netns).unwrap().state.name.to_string());
        assert_eq!(names, ["net1", "net2", "net3"], "{trip:?}");
        for claim in ["a", "b"] {
            create(&next, &sandbox, &bench.container(claim)).unwrap();
            assert!(bench.start_gate(claim).exists(), "{trip:?}");
        }
    }
}

#[test]
fn killed_while_detaching() {
    for trip in deaths() {
        let bench = two_claims();
        let (before, (sandbox, _)) = (bench.fake.dump(), bench.sandbox("a", 1));
        run(&bench.attacher(), &sandbox).unwrap();
        bench.fake.arm(trip);
        bench.attacher().stop(&sandbox);
        bench.fake.restart();
        bench.attacher().remove(&sandbox);
        is_free(&bench, &before);
    }
}

#[test]
fn refused_at_every_write() {
    for n in 1..40 {
        let bench = two_claims();
        let (before, (sandbox, _)) = (bench.fake.dump(), bench.sandbox("a", 1));
        bench.fake.arm(Fault::Fail(n));
        // A refused announcement is no failure.
        if run(&bench.attacher(), &sandbox).is_ok() {
            bench.fake.restart();
            bench.attacher().stop(&sandbox);
        }
        is_free(&bench, &before);
    }
}

#[test]
fn the_sandbox_ends_at_every_write() {
    let mut undone = 0;
    for n in 0..30 {
        let bench = two_claims();
        let (before, (sandbox, netns)) = (bench.fake.dump(), bench.sandbox("a", 1));
        let ending = Arc::new(Ending::new(bench.fake.clone(), n));
        let attacher = bench.attacher_over(Arc::clone(&ending) as Arc<dyn Kernel>);
        ending.underway.set(Arc::clone(&attacher.underway)).unwrap();
        match run(&attacher, &sandbox) {
            Ok(()) => assert!(bench.link(2, &netns).is_some()),
            Err(text) => {
                assert!(text.ends_with("given up, the sandbox has ended"), "{text}");
                assert_eq!(
                    ending.forward.load(Ordering::SeqCst),
                    n + 1,
                    "no write after its end"
                );
                undone += 1;
                is_free(&bench, &before);
            }
        }
    }
    assert!((15..30).contains(&undone), "{undone}");
}

#[test]
fn a_sandbox_that_ends_when_its_gate_opens_keeps_nothing() {
    let mut bench = Bench::new();
    bench.save(&bench.record_of("a", &[0]));
    let (before, (sandbox, _)) = (bench.fake.dump(), bench.sandbox("a", 1));
    let underway: Arc<OnceLock<Arc<Underway>>> = Arc::default();
    let ending = Arc::clone(&underway);
    bench.store = Store::new(
        &bench.paths,
        Disk::with_hook(Arc::new(move |moment, what| {
            if let (Moment::After, "write metadata") = (moment, what) {
                ending.get().unwrap().end("a-1");
            }
            Ok(())
        })),
    );
    let attacher = bench.attacher();
    underway.set(Arc::clone(&attacher.underway)).unwrap();
    let text = run(&attacher, &sandbox).unwrap_err();
    assert!(text.ends_with("given up, the sandbox has ended"), "{text}");
    assert_eq!(bench.fake.dump(), before);
    assert!(bench.attachment("a").is_none() && !bench.start_gate("a").exists());
}

/// The fake; sandbox `a-1` ends during a write.
struct Ending {
    fake: Fake,
    left: u32,
    writes: AtomicU32,
    /// Writes into the pod.
    forward: AtomicU32,
    underway: OnceLock<Arc<Underway>>,
}

impl Ending {
    fn new(fake: Fake, left: u32) -> Self {
        Self {
            fake,
            left,
            writes: 0.into(),
            forward: 0.into(),
            underway: OnceLock::new(),
        }
    }

    fn write(&self, netns: &Netns) {
        let underway = self.underway.get().expect("set before the hook");
        if netns.inode != 1 && underway.is_at_work("a-1") {
            self.forward.fetch_add(1, Ordering::SeqCst);
        }
        if self.writes.fetch_add(1, Ordering::SeqCst) == self.left {
            underway.end("a-1");
        }
    }
}

impl Kernel for Ending {
    fn functions(&self) -> Result<Vec<Function>> {
        self.fake.functions()
    }
    fn observe(&self, device: &DeviceId) -> Result<Observed> {
        self.fake.observe(device)
    }
    fn bound(&self, device: &DeviceId) -> Result<Bound> {
        self.fake.bound(device)
    }
    fn rdma(&self, device: &DeviceId) -> Result<Vec<RdmaDevice>> {
        self.fake.rdma(device)
    }
    fn has_node(&self, path: &str) -> bool {
        self.fake.has_node(path)
    }
    fn open_netns(&self, path: &Path) -> Result<Netns> {
        self.fake.open_netns(path)
    }
    fn link(&self, device: &DeviceId, netns: &Netns) -> Result<Option<Netdev>> {
        self.fake.link(device, netns)
    }
    fn link_names(&self, netns: &Netns) -> Result<Vec<String>> {
        self.fake.link_names(netns)
    }
    fn host_used(&self) -> Result<Vec<DeviceId>> {
        self.fake.host_used()
    }
    fn set_num_vfs(&self, pf: &Bdf, count: u32) -> Result<()> {
        self.fake.set_num_vfs(pf, count)
    }
    fn set_driver(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()> {
        self.fake.set_driver(device, binding, deadline)
    }
    fn rebind(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()> {
        self.fake.rebind(device, binding, deadline)
    }
    fn set_vf(&self, vf: &VfAddress, setting: &VfSetting) -> Result<()> {
        self.fake.set_vf(vf, setting)
    }
    fn set_link(&self, device: &DeviceId, netns: &Netns, setting: &LinkSetting) -> Result<()> {
        self.write(netns);
        self.fake.set_link(device, netns, setting)
    }
    fn move_link(&self, device: &DeviceId, from: &Netns, to: &Netns, name: &IfName) -> Result<()> {
        self.write(to);
        self.fake.move_link(device, from, to, name)
    }
    fn announce(&self, device: &DeviceId, netns: &Netns) -> Result<()> {
        self.write(netns);
        self.fake.announce(device, netns)
    }
}
