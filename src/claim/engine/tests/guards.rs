//! What keeps two from the same thing, and time from running out: each of these guards was once
//! removed without a test that failed.

use super::*;
use crate::{
    device::{Bdf, LinkSetting},
    files::Moment,
    host::{Kernel, Recording, fake::Quirks},
};

fn vf0() -> DeviceId {
    DeviceId::from_name("0000-02-10-0").unwrap()
}

fn pf0() -> Bdf {
    "0000:01:00.0".parse().unwrap()
}

#[test]
fn a_value_of_a_vf_is_set_under_its_pfs_lock() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    let uid = &vlan_and_mac().claim.uid;
    world.engine.unprepare(uid, soon()).unwrap();
    let _ = world.fake.take_log();
    // As another process of this node would hold it.
    let other = Locks::new(&world.engine.paths);
    let held = other.pf(&pf0(), "set another vf", soon()).unwrap();
    let error = world.engine.finish(uid, soon()).unwrap_err().to_string();
    assert!(error.contains("busy: set another vf"), "{error}");
    let log = world.fake.take_log();
    assert!(!log.iter().any(|line| line.starts_with("vf ")), "{log:?}");
    drop(held);
    world.engine.finish(uid, soon()).unwrap();
}

#[test]
fn recovery_of_a_standing_claim_takes_its_devices_locks() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    let other = Locks::new(&world.engine.paths);
    let held = other.device(&vf0(), "attach", soon()).unwrap();
    let failed = world.engine.recover(soon()).unwrap();
    assert_eq!(failed.len(), 1);
    assert!(
        failed[0].1.to_string().contains("busy: attach"),
        "{failed:?}"
    );
    drop(held);
    assert_eq!(world.engine.recover(soon()).unwrap().len(), 0);
}

#[test]
fn what_a_late_prepare_has_done_is_undone_after_its_deadline() {
    let world = World::new();
    let before = world.fake.dump();
    // The netdev comes too late for Prepare, and in time for what undoes it.
    world.fake.set_quirks(Quirks {
        late_netdev: 14,
        ..Quirks::default()
    });
    let error = world.prepare(&vlan_and_mac()).unwrap_err();
    assert!(!matches!(error, ClaimError::Twice { .. }), "{error}");
    assert!(world.record(&vlan_and_mac()).is_none());
    assert_eq!(world.fake.dump(), before);
}

#[test]
fn what_was_not_reported_and_cannot_be_set_is_no_failure() {
    let mut recording = Recording::igb();
    for observed in &mut recording.functions {
        if let Some(vf) = &mut observed.vf {
            vf.trust = None;
        }
    }
    let world = World::with(Fake::new(&recording));
    let claim = claim("t", &["0000-02-10-0"], json!({"trust": "on"}));
    world.prepare(&claim).unwrap();
    // EOPNOTSUPP.
    world.fake.refuse("set trust", 95);
    world.unprepare(&claim).unwrap();
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn a_netdev_that_others_change_meanwhile_is_looked_at_again() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    let host = crate::netdev::host_netns(&world.fake, &world.engine.paths).unwrap();
    let up = LinkSetting::Up(true);
    world.fake.set_link(&vf0(), &host, &up).unwrap();
    world.unprepare(&vlan_and_mac()).unwrap();
    let netdev = world.fake.link(&vf0(), &host).unwrap().unwrap();
    assert!(!netdev.state.up);
}

#[test]
fn a_vf_is_prepared_when_its_pf_has_been_restarted() {
    let world = World::new();
    // As another process of this node that restores a claim of the PF.
    let other = Locks::new(&world.engine.paths);
    let held = other.change_vfs(&pf0(), "restore 0000:01:00.0", soon());
    let error = world.prepare(&vlan_and_mac()).unwrap_err().to_string();
    assert_eq!(error, "busy: restore 0000:01:00.0, 0 s");
    std::thread::scope(|scope| {
        let later = Deadline::after(Duration::from_secs(20));
        let waits = scope.spawn(move || world.engine.prepare(&vlan_and_mac(), &world.pools, later));
        drop(held);
        waits.join().unwrap().unwrap();
    });
}

/// The VF is away when its Prepare begins.
#[test]
fn a_vf_that_is_made_again_now_is_waited_for() {
    let world = World::new();
    let pf = claim("pf", &["0000-01-00-0"], json!({}));
    world.prepare(&pf).unwrap();
    world.attach(&pf, "net1");
    world.engine.unprepare(&pf.claim.uid, soon()).unwrap();
    let (away, back) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    let barriers = Arc::new((away, back));
    let hook = Arc::clone(&barriers);
    world.fake.on_rebind(move |device, moment| {
        if *device == DeviceId::Pci(pf0()) && moment == Moment::After {
            hook.0.wait();
            hook.1.wait();
        }
    });
    let later = || Deadline::after(Duration::from_secs(20));
    std::thread::scope(|scope| {
        let release = scope.spawn(|| world.engine.finish(&pf.claim.uid, later()));
        barriers.0.wait();
        let gone = world.fake.bound(&vf0()).unwrap_err();
        assert_eq!(gone.kind(), crate::host::ErrorKind::Gone);
        let (engine, counter) = looks::counted(&world);
        let pools = PoolDefaults::Known(BTreeMap::new());
        let claim = vlan_and_mac();
        let prepare = scope.spawn(move || engine.prepare(&claim, &pools, later()));
        // It has looked, and seen no VF.
        let looked = || Ok::<_, ()>(counter.take().contains("observe").then_some(()));
        later().poll(looked).unwrap().unwrap();
        barriers.1.wait();
        release.join().unwrap().unwrap();
        prepare.join().unwrap().unwrap();
    });
}

#[test]
fn a_netdev_is_not_waited_for_whose_driver_cannot_be_bound() {
    let world = World::new();
    let claim = claim("d", &["0000-02-10-0"], json!({"driver": "vfio-pci"}));
    world.prepare(&claim).unwrap();
    world.fake.refuse("bind igbvf", 5);
    let begin = std::time::Instant::now();
    world.engine.unprepare(&claim.claim.uid, soon()).unwrap();
    let long = Deadline::after(Duration::from_secs(60));
    world.engine.finish(&claim.claim.uid, long).unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(30));
    world.fake.allow("bind igbvf");
    world.unprepare(&claim).unwrap();
}
