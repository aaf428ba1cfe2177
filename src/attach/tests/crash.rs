//! Killed, or given up, at every write.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use super::bench::{Bench, run};
use crate::{
    deadline::Deadline,
    device::{
        Bdf, Binding, DeviceId, Function, IfName, LinkSetting, Netdev, Observed, RdmaDevice, VfAddress, VfSetting,
    },
    host::{
        Kernel, Netns, Result,
        fake::{Fake, Trip},
    },
    nri::Hooks,
};

/// Every way to die at the nth write.
fn deaths() -> impl Iterator<Item = Trip> {
    (1..40).flat_map(|n| [Trip::Before(n), Trip::After(n)])
}

fn two_claims() -> Bench {
    let bench = Bench::new();
    bench.save(&bench.record_of("a", &[0, 1]));
    let mut other = bench.record_of("b", &[2]);
    other.reserved_for = vec!["pod-a".into()];
    bench.save(&other);
    bench
}

fn is_free(bench: &Bench, before: &str) {
    let now = bench.fake.dump();
    let changed: Vec<_> = now.lines().zip(before.lines()).filter(|(now, before)| now != before).collect();
    assert!(changed.is_empty(), "{changed:#?}");
    for name in ["a", "b"] {
        assert!(bench.load(name).devices.iter().all(|device| device.attachment.is_none()));
        assert!(!bench.door(name).exists());
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
        died += u32::from(bench.fake.is_dead());
        bench.fake.revive();
        let next = bench.attacher();
        next.synchronize(vec![], next.holding());
        is_free(&bench, &before);
    }
    assert!((30..78).contains(&died), "{died}: each write of three devices, and some lives to the end");
}

#[test]
fn killed_while_attaching_then_the_sandbox_lives() {
    for trip in deaths() {
        let bench = two_claims();
        let (sandbox, netns) = bench.sandbox("a", 1);
        bench.fake.arm(trip);
        let _ = run(&bench.attacher(), &sandbox);
        bench.fake.revive();
        let next = bench.attacher();
        next.synchronize(vec![sandbox.clone()], vec![]);
        let names = [0, 1, 2].map(|vf| bench.link(vf, &netns).unwrap().home.name.to_string());
        assert_eq!(names, ["net1", "net2", "net3"], "{trip:?}");
        for claim in ["a", "b"] {
            next.create_container(&sandbox, &bench.container(claim)).unwrap();
            assert!(bench.door(claim).exists(), "{trip:?}");
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
        bench.fake.revive();
        bench.attacher().remove(&sandbox);
        is_free(&bench, &before);
    }
}

#[test]
fn refused_at_every_write() {
    for n in 1..40 {
        let bench = two_claims();
        let (before, (sandbox, _)) = (bench.fake.dump(), bench.sandbox("a", 1));
        bench.fake.arm(Trip::Refuse(n));
        // A refused announcement is no failure.
        if run(&bench.attacher(), &sandbox).is_ok() {
            bench.fake.revive();
            bench.attacher().stop(&sandbox);
        }
        is_free(&bench, &before);
    }
}

#[test]
fn given_up_at_every_write() {
    let mut undone = 0;
    for n in 0..30 {
        let bench = two_claims();
        let (before, (sandbox, netns)) = (bench.fake.dump(), bench.sandbox("a", 1));
        let impatient = Arc::new(Impatient::new(bench.fake.clone(), n));
        let attacher = bench.attacher_over(Arc::clone(&impatient) as Arc<dyn Kernel>);
        match attacher.run(&sandbox, Deadline::after(Duration::from_secs(20)), &impatient.abandoned) {
            Ok(()) => assert!(bench.link(2, &netns).is_some()),
            Err(text) => {
                assert!(text.ends_with("given up, the runtime's time was over"), "{text}");
                assert_eq!(impatient.forward.load(Ordering::SeqCst), n + 1, "no write after it was given up");
                undone += 1;
                is_free(&bench, &before);
            }
        }
    }
    assert!((15..30).contains(&undone), "{undone}");
}

/// The fake, whose caller gives up during a write.
struct Impatient {
    fake: Fake,
    left: u32,
    writes: AtomicU32,
    /// Writes into the pod.
    forward: AtomicU32,
    abandoned: AtomicBool,
}

impl Impatient {
    fn new(fake: Fake, left: u32) -> Self {
        Self { fake, left, writes: 0.into(), forward: 0.into(), abandoned: false.into() }
    }

    fn write(&self, netns: &Netns) {
        if netns.inode != 1 && !self.abandoned.load(Ordering::SeqCst) {
            self.forward.fetch_add(1, Ordering::SeqCst);
        }
        if self.writes.fetch_add(1, Ordering::SeqCst) == self.left {
            self.abandoned.store(true, Ordering::SeqCst);
        }
    }
}

impl Kernel for Impatient {
    fn functions(&self) -> Result<Vec<Function>> {
        self.fake.functions()
    }
    fn observe(&self, device: &DeviceId) -> Result<Observed> {
        self.fake.observe(device)
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
    fn rebind(&self, device: &DeviceId, deadline: Deadline) -> Result<()> {
        self.fake.rebind(device, deadline)
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
