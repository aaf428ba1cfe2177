//! How often the kernel is looked at and written to.

use std::{collections::BTreeMap, sync::Mutex};

use super::*;
use crate::host::{
    Kernel,
    wrapped::{Around, Call, Wrapped},
};

/// Counts calls by verb.
#[derive(Clone, Default)]
pub(super) struct Counter(Arc<Mutex<BTreeMap<&'static str, u32>>>);

impl Around for Counter {
    fn around<T>(&self, call: Call<'_>, act: impl FnOnce() -> T) -> T {
        *self.0.lock().unwrap().entry(call.verb).or_default() += 1;
        act()
    }
}

impl Counter {
    pub(super) fn take(&self) -> String {
        let all = std::mem::take(&mut *self.0.lock().unwrap());
        let texts = all.iter().map(|(verb, times)| format!("{verb} {times}"));
        texts.collect::<Vec<_>>().join(", ")
    }
}

pub(super) fn counted(world: &World) -> (Engine, Counter) {
    let counter = Counter::default();
    let kernel = Wrapped::new(world.fake.clone(), counter.clone());
    let identity = world.engine.identity.clone();
    let engine = Engine::new(Arc::new(kernel), world.engine.paths.clone(), identity);
    (engine, counter)
}

/// Five values of the PF.
fn five() -> AllocatedClaim {
    let class = json!({"vlan": 5, "trust": "on", "spoofChk": "off", "maxTxRate": 100, "mac": "02:00:00:00:00:77"});
    claim("five", &["0000-02-10-0"], class)
}

#[test]
fn a_release_looks_before_its_values_and_after_them_and_once_at_its_netdev() {
    let world = World::new();
    world.prepare(&five()).unwrap();
    world.attach(&five(), "net1");
    let (engine, counter) = counted(&world);
    engine.unprepare(&five().claim.uid, soon()).unwrap();
    insta::assert_snapshot!(counter.take(), @"bound 2, link 2, move link 1, open netns 2, set link 1, uppers 1");
    engine.finish(&five().claim.uid, soon()).unwrap();
    let calls = counter.take();
    assert!(calls.contains("observe 3,"), "{calls}");
    assert!(calls.contains("set vf 5"), "{calls}");
}

/// Only scans of the whole host ask devlink and vDPA, whose locks a firmware flash may hold.
#[test]
fn the_life_of_a_vf_scans_no_host() {
    let world = World::new();
    let (engine, counter) = counted(&world);
    for claim in [five(), vfio()] {
        engine.prepare(&claim, &world.pools, soon()).unwrap();
        engine.prepare(&claim, &world.pools, soon()).unwrap();
        if claim.claim.uid == five().claim.uid {
            world.attach(&claim, "net1");
        }
        engine.unprepare(&claim.claim.uid, soon()).unwrap();
        engine.finish(&claim.claim.uid, soon()).unwrap();
    }
    let calls = counter.take();
    assert!(calls.contains("observe"), "{calls}");
    assert!(!calls.contains("functions"), "{calls}");
}

/// It has no PF here, and no parts that the host might use.
#[test]
fn a_guests_function_is_prepared_without_a_scan_of_the_host() {
    let world = super::personalities::ena().world();
    let (engine, counter) = counted(&world);
    let claim = claim("guest", &["0000-02-10-0"], json!({}));
    engine.prepare(&claim, &world.pools, soon()).unwrap();
    let calls = counter.take();
    assert!(calls.contains("observe"), "{calls}");
    assert!(!calls.contains("functions"), "{calls}");
}

#[test]
fn a_release_of_what_is_so_writes_nothing() {
    let world = World::new();
    let before = world.fake.dump();
    let claim = claim("none", &["0000-02-10-0"], json!({"attach": "none"}));
    world.prepare(&claim).unwrap();
    let mut record = world.record(&claim).unwrap();
    record.devices[0].used = Some(false);
    world.engine.store.save(&record).unwrap();
    let (engine, counter) = counted(&world);
    engine.unprepare(&claim.claim.uid, soon()).unwrap();
    engine.finish(&claim.claim.uid, soon()).unwrap();
    insta::assert_snapshot!(counter.take(), @"bound 5, is settled 1, link 2, observe 1, open netns 2");
    assert_eq!(world.fake.dump(), before);
}

/// Of one value that differs and one that does not only the first is written.
#[test]
fn a_release_writes_only_what_differs() {
    let world = World::new();
    let both = claim("both", &["0000-02-10-0"], json!({"vlan": 5, "trust": "on"}));
    world.prepare(&both).unwrap();
    let vf = DeviceId::from_name("0000-02-10-0").unwrap();
    let address = world
        .fake
        .observe(&vf)
        .unwrap()
        .function
        .vf_address()
        .unwrap();
    // The administrator has been faster.
    let trust = crate::device::VfSetting::Trust(false);
    world.fake.set_vf(&address, &trust).unwrap();
    let _ = world.fake.take_log();
    world.unprepare(&both).unwrap();
    assert_eq!(
        world.fake.take_log(),
        ["vf 0000:02:10.0: set vlan 0 qos 0 proto 802.1q"]
    );
}
