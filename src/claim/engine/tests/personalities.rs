//! The makes of devices that the suites run over: a host of each, and what is claimed there.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{
    device::{FunctionKind, LinkSetting, Mac, VfAddress, VfSetting},
    host::{Kernel, Recording, fake::Quirks},
};

/// One make.
#[derive(Clone, Copy)]
pub(super) struct Personality {
    pub(super) name: &'static str,
    host: fn() -> Fake,
    pub(super) claims: fn() -> Vec<AllocatedClaim>,
}

/// Every test of a suite, once for each make.
macro_rules! for_each_personality {
    ($suite:path) => {
        #[test]
        fn igb() {
            $suite(super::super::personalities::igb());
        }
        #[test]
        fn ice() {
            $suite(super::super::personalities::ice());
        }
        #[test]
        fn mlx5() {
            $suite(super::super::personalities::mlx5());
        }
        #[test]
        fn switchdev() {
            $suite(super::super::personalities::switchdev());
        }
        #[test]
        fn ena() {
            $suite(super::super::personalities::ena());
        }
        #[test]
        fn qede() {
            $suite(super::super::personalities::qede());
        }
        #[test]
        fn groups() {
            $suite(super::super::personalities::groups());
        }
        #[test]
        fn efa() {
            $suite(super::super::personalities::efa());
        }
    };
}
pub(super) use for_each_personality;

pub(super) fn igb() -> Personality {
    of(
        "igb",
        || administered(Quirks::default()),
        || {
            let addressed = super::ipam::addressed();
            legacy().into_iter().chain([addressed]).collect()
        },
    )
}

/// iavf above ice.
pub(super) fn ice() -> Personality {
    of("ice", || administered(Quirks::ice()), legacy)
}

pub(super) fn mlx5() -> Personality {
    of("mlx5", || administered(Quirks::mlx5()), legacy)
}

pub(super) fn switchdev() -> Personality {
    of(
        "mlx5 in switchdev mode",
        || administered(Quirks::switchdev()),
        || {
            vec![
                claim("s1", &["0000-02-10-0"], json!({"mac": "02:00:00:00:00:99"})),
                claim(
                    "s2",
                    &["0000-02-10-1"],
                    json!({"driver": "vfio-pci", "maxTxRate": 100}),
                ),
                claim(
                    "s3",
                    &["0000-02-10-2", "0000-02-10-3"],
                    json!({"maxTxRate": 7}),
                ),
                claim("s4", &[ADMINISTERED], json!({})),
            ]
        },
    )
}

/// ena and mana in a guest, which has no PF.
pub(super) fn ena() -> Personality {
    of("ena", guest, || {
        vec![
            claim("g1", &["0000-02-10-0"], json!({})),
            claim("g2", &["0000-02-10-1"], json!({"driver": "vfio-pci"})),
            claim(
                "g3",
                &["0000-02-10-2", "0000-02-10-3"],
                json!({"mtu": 1400}),
            ),
            claim(
                "g4",
                &["0000-02-10-4"],
                json!({"mtu": 1400, "attach": "none"}),
            ),
        ]
    })
}

/// qede and octeontx2.
pub(super) fn qede() -> Personality {
    of("qede", || administered(Quirks::qede()), legacy)
}

/// The first two VFs are in one IOMMU group.
pub(super) fn groups() -> Personality {
    of("shared IOMMU groups", Fake::shared_groups, || {
        let both = ["0000-02-10-0", "0000-02-10-2"];
        vec![
            claim("i1", &both, json!({"driver": "vfio-pci"})),
            claim("i2", &both, json!({"vlan": 8})),
        ]
    })
}

/// No netdev.
pub(super) fn efa() -> Personality {
    of("efa", Fake::efa, || {
        vec![
            claim("e1", &["0000-00-04-0"], json!({"driver": "vfio-pci"})),
            claim("e2", &["0000-00-05-0"], json!({"rdma": true})),
        ]
    })
}

fn of(name: &'static str, host: fn() -> Fake, claims: fn() -> Vec<AllocatedClaim>) -> Personality {
    Personality { name, host, claims }
}

impl Personality {
    pub(super) fn world(&self) -> World {
        World {
            time: LONG,
            ..World::with((self.host)())
        }
    }
}

/// A call that takes longer hangs. It must not decide when the machine is busy.
const LONG: Duration = Duration::from_secs(60);
const ADMINISTERED: &str = "0000-02-10-4";

/// Where PFs set VFs.
fn legacy() -> Vec<AllocatedClaim> {
    vec![
        vlan_and_mac(),
        vfio(),
        two(),
        claim("c4", &[ADMINISTERED], json!({"mac": "02:00:00:00:00:97"})),
        claim("c5", &[ADMINISTERED], json!({"trust": "on"})),
    ]
}

/// The igb host with these quirks. The administrator has given one VF a MAC and a VLAN.
fn administered(quirks: Quirks) -> Fake {
    let fake = Fake::igb();
    let vf = VfAddress {
        pf: "0000:01:00.0".parse().unwrap(),
        index: 2,
    };
    let mac = VfSetting::Mac(Mac([2, 0, 0, 0, 0, 0x55]));
    fake.set_vf(&vf, &mac).unwrap();
    fake.reprobe(&DeviceId::from_name(ADMINISTERED).unwrap())
        .unwrap();
    fake.set_quirks(quirks);
    fake
}

fn guest() -> Fake {
    let mut recording = Recording::igb();
    recording
        .functions
        .retain(|observed| observed.function.vf_address().is_some());
    for observed in &mut recording.functions {
        (observed.vf, observed.function.kind) = (None, FunctionKind::Vf { address: None });
        observed.function.binding.driver = Some("ena".to_owned());
    }
    let fake = Fake::new(&recording);
    fake.set_quirks(Quirks::ena());
    fake
}

/// What a claim can change on the host. Where a PF takes no MAC back it holds the VF's own one.
pub(super) fn shown(world: &World) -> String {
    let dump = world.fake.dump();
    if !world.fake.quirks().no_zero_mac {
        return dump;
    }
    let held = |line: &str| {
        let (before, rest) = line.split_once(" at pf Some(VfSettings { mac: ")?;
        let (_, after) = rest.split_once("vlan:")?;
        Some(format!("{before} at pf vlan:{after}"))
    };
    let lines = dump
        .lines()
        .map(|line| held(line).unwrap_or_else(|| line.to_owned()));
    lines.map(|line| line + "\n").collect()
}

/// A tenant has the netdevs of a claim: up, with an address of its own where the driver takes it,
/// and something that outlives a move.
pub(super) fn live(world: &World, claim: &AllocatedClaim, netns: &str) {
    world.attach_at(claim, "net1", netns);
    let pod = world.fake.open_netns(Path::new(netns)).unwrap();
    let record = world.record(claim).unwrap();
    for (number, device) in (0..).zip(&record.devices) {
        if device.netdev.is_some() {
            let own = LinkSetting::Mac(Mac([2, 0, 0, 0, 0xee, number]));
            let _ = world.fake.set_link(&device.id, &pod, &own);
            let up = LinkSetting::Up(true);
            world.fake.set_link(&device.id, &pod, &up).unwrap();
        }
    }
}

/// Whether a pod can have the claim's netdevs.
pub(super) fn is_for_pods(world: &World, claim: &AllocatedClaim) -> bool {
    let pod = crate::api::AttachMode::Pod;
    world.engine.attaches_by(&claim.claim.uid, pod)
}

/// Says on how many cases a suite has run, past the harness, which keeps back what tests print.
pub(super) fn print(what: &str) {
    let line = format!("{what}\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

/// Runs all cases, several at a time, since most of their time is waiting.
pub(super) fn all_of<T: Sync>(cases: &[T], run: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(case) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
            run(case);
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        let failed = threads.into_iter().filter_map(|thread| thread.join().err());
        if let Some(panic) = failed.last() {
            std::panic::resume_unwind(panic);
        }
    });
}

const WORKERS: usize = 64;
