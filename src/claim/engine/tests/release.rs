//! Releases that meet what real drivers, tenants and full disks do.

use std::sync::{Condvar, Mutex};

use super::*;
use crate::{
    device::{LinkSetting, Mac, VfAddress, VfSetting},
    files::Moment,
    host::{Kernel, Netns, Recording, fake::Quirks},
    ledger::Phase,
};

fn id(name: &str) -> DeviceId {
    DeviceId::from_name(name).unwrap()
}

fn vf0() -> DeviceId {
    id("0000-02-10-0")
}

fn later() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn host(world: &World) -> Netns {
    crate::netdev::host_netns(&world.fake, &world.engine.paths).unwrap()
}

fn address(world: &World) -> VfAddress {
    let observed = world.fake.observe(&vf0()).unwrap();
    observed.function.vf_address().unwrap()
}

fn vlan() -> AllocatedClaim {
    claim("v", &["0000-02-10-0"], json!({"vlan": 5}))
}

/// The administrator gives the VF a MAC.
fn administer(world: &World, mac: Mac) {
    let vf = address(world);
    world.fake.set_vf(&vf, &VfSetting::Mac(mac)).unwrap();
    world.fake.reprobe(&vf0()).unwrap();
}

const GIVEN: Mac = Mac([2, 0, 0, 0, 0, 0x55]);

#[test]
fn the_kubelet_is_answered_when_the_tenant_is_cut_off() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    world.attach(&vlan_and_mac(), "net1");
    let _ = world.fake.take_log();
    let uid = vlan_and_mac().claim.uid;
    world.engine.unprepare(&uid, soon()).unwrap();
    assert_eq!(
        world.fake.take_log(),
        [
            "link of 0000:02:10.0: set altnames []",
            "link of 0000:02:10.0: move to netns 1 as dra000002100"
        ]
    );
    let record = world.record(&vlan_and_mac()).unwrap();
    assert_eq!(record.phase, Phase::Unpreparing);
    let releasing = world.engine.releasing().unwrap();
    assert_eq!(releasing.len(), 1);
    assert!(!releasing[0].is_damaged, "{releasing:?}");
    world.engine.finish(&uid, soon()).unwrap();
    assert_eq!(world.engine.releasing().unwrap(), []);
}

/// The namespace is pinned, or can be reached, and a VLAN is on top of the netdev, which is up.
#[test]
fn no_value_of_the_pf_changes_while_a_tenant_can_send() {
    for pinned in [false, true] {
        for upper in [false, true] {
            let world = World::new();
            let before = world.fake.dump();
            world.prepare(&vlan_and_mac()).unwrap();
            world.attach(&vlan_and_mac(), "net1");
            let pod = world.fake.open_netns(Path::new(POD)).unwrap();
            let up = LinkSetting::Up(true);
            world.fake.set_link(&vf0(), &pod, &up).unwrap();
            if upper {
                world.fake.add_upper(&vf0(), "net1.100").unwrap();
            }
            if pinned {
                world.fake.leak_netns(Path::new(POD));
            }
            world.unprepare(&vlan_and_mac()).unwrap();
            assert_eq!(world.fake.exposed(), [""; 0], "{pinned} {upper}");
            assert_eq!(world.fake.dump(), before);
        }
    }
}

#[test]
fn an_open_device_node_is_waited_for_and_nothing_blocks() {
    let world = World::new();
    let before = world.fake.dump();
    world.prepare(&vfio()).unwrap();
    let node = world.record(&vfio()).unwrap().devices[0].nodes[0].clone();
    world.fake.set_open(&node, true);
    let _ = world.fake.take_log();
    let uid = vfio().claim.uid;
    world.engine.unprepare(&uid, soon()).unwrap();
    let error = world.engine.finish(&uid, soon()).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"release claim web/claim-c2: 0000:02:10.1: /dev/vfio/40 is open by a process: the driver cannot be unbound until it is closed");
    assert_eq!(world.fake.take_log(), [""; 0], "nothing was written");
    assert_eq!(world.engine.damaged().unwrap()[0].why, error);
    world.fake.set_open(&node, false);
    world.engine.finish(&uid, soon()).unwrap();
    assert_eq!(world.fake.exposed(), [""; 0]);
    assert_eq!(world.fake.dump(), before);
    assert_eq!(world.engine.damaged().unwrap(), []);
}

#[test]
fn an_administrators_mac_outlives_claims_with_and_without_one() {
    for quirks in Quirks::all() {
        let world = World::new();
        administer(&world, GIVEN);
        world.fake.set_quirks(quirks.clone());
        for claim in [vlan(), vlan_and_mac(), vlan()] {
            prepare(&world, &claim);
            // A tenant sets the address that the netdev has already.
            let netdev = world.fake.link(&vf0(), &host(&world)).unwrap().unwrap();
            let same = LinkSetting::Mac(netdev.state.mac.unwrap());
            let _ = world.fake.set_link(&vf0(), &host(&world), &same);
            world.attach(&claim, "net1");
            release(&world, &claim);
            let held = settled(&world).vf.unwrap();
            assert_eq!(held.mac, Some(GIVEN), "{} {}", quirks.name, claim.claim);
        }
    }
}

/// A PF takes another MAC from a VF that it trusts, an administrator's or not.
#[test]
fn a_mac_that_a_trusted_tenant_replaces_comes_back() {
    let trusted = claim("t", &["0000-02-10-0"], json!({"trust": "on"}));
    let world = World::new();
    administer(&world, GIVEN);
    world.fake.set_quirks(Quirks::ice());
    prepare(&world, &trusted);
    world.attach(&trusted, "net1");
    let pod = world.fake.open_netns(Path::new(POD)).unwrap();
    let other = LinkSetting::Mac(Mac([2, 0, 0, 0, 0, 0xee]));
    world.fake.set_link(&vf0(), &pod, &other).unwrap();
    assert_ne!(world.fake.stored(&vf0()).unwrap().mac, Some(GIVEN));
    release(&world, &trusted);
    assert_eq!(world.fake.stored(&vf0()).unwrap().mac, Some(GIVEN));
    assert_eq!(settled(&world).vf.unwrap().mac, Some(GIVEN));
}

/// The note of a MAC that the administrator has taken back since sets none.
#[test]
fn a_mac_that_the_administrator_has_taken_back_stays_away() {
    let world = World::new();
    administer(&world, GIVEN);
    for _ in 0..2 {
        prepare(&world, &vlan());
        world.attach(&vlan(), "net1");
        release(&world, &vlan());
        administer(&world, Mac::ZERO);
    }
    assert_eq!(world.fake.stored(&vf0()).unwrap().mac, Some(Mac::ZERO));
    assert_eq!(below(&world.engine.paths.notes()), [""; 0]);
}

#[test]
fn an_administrators_mac_that_is_refused_once_is_not_taken_for_restored() {
    let world = World::new();
    administer(&world, GIVEN);
    prepare(&world, &vlan_and_mac());
    let uid = vlan_and_mac().claim.uid;
    world.engine.unprepare(&uid, later()).unwrap();
    // EIO.
    world.fake.refuse("set mac", 5);
    world.engine.finish(&uid, soon()).unwrap_err();
    world.fake.allow("set mac");
    world.engine.finish(&uid, later()).unwrap();
    assert_eq!(world.fake.stored(&vf0()).unwrap().mac, Some(GIVEN));
}

#[test]
fn a_mac_that_the_administrator_changes_is_the_administrators() {
    let world = World::new();
    administer(&world, GIVEN);
    world.prepare(&vlan()).unwrap();
    world.unprepare(&vlan()).unwrap();
    let other = Mac([2, 0, 0, 0, 0, 0x56]);
    administer(&world, other);
    world.prepare(&vlan_and_mac()).unwrap();
    world.unprepare(&vlan_and_mac()).unwrap();
    assert_eq!(settled(&world).vf.unwrap().mac, Some(other));
}

/// After the last claim an agent may end for good.
#[test]
fn a_note_stays_only_where_this_driver_has_set_a_mac() {
    for (quirks, left) in [(Quirks::default(), 0), (Quirks::qede(), 1)] {
        let world = World::new();
        if left == 0 {
            administer(&world, GIVEN);
        }
        world.fake.set_quirks(quirks);
        world.prepare(&vlan_and_mac()).unwrap();
        world.unprepare(&vlan_and_mac()).unwrap();
        assert_eq!(below(&world.engine.paths.notes()).len(), 1);
        world.engine.sweep_notes();
        assert_eq!(below(&world.engine.paths.notes()).len(), left);
    }
}

/// A VF rests on vfio-pci, and its PF goes on to report the address that its netdev had.
#[test]
fn a_mac_without_a_netdev_is_not_noted() {
    let world = World::new();
    let vf = address(&world);
    world.fake.set_vf(&vf, &VfSetting::Mac(GIVEN)).unwrap();
    let rest = crate::device::Binding {
        driver: Some("vfio-pci".into()),
        driver_override: Some("vfio-pci".into()),
    };
    world.fake.set_driver(&vf0(), &rest, soon()).unwrap();
    world.prepare(&vlan()).unwrap();
    assert_eq!(below(&world.engine.paths.notes()), [""; 0]);
}

/// The administrator takes the MAC back, and udev gives the netdev one that the PF mirrors.
#[test]
fn a_mac_that_udev_sets_is_not_the_administrators_whatever_was_noted() {
    let world = World::new();
    administer(&world, GIVEN);
    world.prepare(&vlan()).unwrap();
    world.unprepare(&vlan()).unwrap();
    administer(&world, Mac::ZERO);
    let own = LinkSetting::Mac(Mac([2, 0xde, 0, 0, 0, 1]));
    world.fake.set_link(&vf0(), &host(&world), &own).unwrap();
    world.prepare(&vlan_and_mac()).unwrap();
    world.unprepare(&vlan_and_mac()).unwrap();
    assert_eq!(world.fake.stored(&vf0()).unwrap().mac, Some(Mac::ZERO));
    world.engine.sweep_notes();
    assert_eq!(below(&world.engine.paths.notes()), [""; 0]);
}

#[test]
fn a_driver_without_an_address_setter_is_released() {
    let world = World::new();
    world.fake.set_quirks(Quirks::ena());
    for claim in [vlan(), vlan_and_mac()] {
        world.prepare(&claim).unwrap();
        world.attach(&claim, "net1");
        world.unprepare(&claim).unwrap();
        assert_eq!(world.files(), [""; 0]);
    }
}

#[test]
fn a_pf_that_takes_no_mac_back_gets_the_former_one_and_a_note() {
    let world = World::new();
    world.fake.set_quirks(Quirks::qede());
    let former = world.fake.observe(&vf0()).unwrap().mac;
    for _ in 0..2 {
        world.prepare(&vlan_and_mac()).unwrap();
        world.attach(&vlan_and_mac(), "net1");
        world.unprepare(&vlan_and_mac()).unwrap();
        assert_eq!(world.fake.observe(&vf0()).unwrap().mac, former);
        let seen = world.fake.observe(&vf0()).unwrap();
        let attributed = world.engine.attributed(seen).vf.unwrap();
        assert_eq!(attributed.mac, Some(Mac::ZERO), "no administrator's");
    }
}

#[test]
fn an_equal_address_is_not_written() {
    let world = World::new();
    administer(&world, GIVEN);
    world.prepare(&vlan()).unwrap();
    world.attach(&vlan(), "net1");
    let _ = world.fake.take_log();
    world.unprepare(&vlan()).unwrap();
    let log = world.fake.take_log();
    assert!(
        !log.iter().any(|line| line.contains("set address")),
        "{log:?}"
    );
    assert_eq!(world.fake.observe(&vf0()).unwrap().unclear_mac, None);
}

#[test]
fn what_was_never_in_a_pod_is_not_rebound() {
    let world = World::new();
    let before = world.fake.dump();
    world.prepare(&vlan()).unwrap();
    let _ = world.fake.take_log();
    world.unprepare(&vlan()).unwrap();
    assert_eq!(
        world.fake.take_log(),
        ["vf 0000:02:10.0: set vlan 0 qos 0 proto 802.1q"]
    );
    assert_eq!(world.fake.dump(), before);
}

/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

/// Rebinds end in the order that the test wants: the netdev of `first` is there before the other's,
/// and neither goes on before both are.
fn in_order(fake: &Fake, first: DeviceId) {
    let (bound, next) = (Mutex::new(0), Condvar::new());
    fake.on_rebind(move |device, moment| {
        let mut bound = bound.lock().unwrap();
        if moment == Moment::Before {
            let waits = |bound: &mut u32| *bound == 0 && *device != first;
            drop(next.wait_timeout_while(bound, PATIENCE, waits).unwrap());
            return;
        }
        *bound += 1;
        next.notify_all();
        drop(
            next.wait_timeout_while(bound, PATIENCE, |bound| *bound < 2)
                .unwrap(),
        );
    });
}

#[test]
fn netdevs_that_come_back_under_each_others_names_get_their_own() {
    let world = World::new();
    let (a, b) = (
        claim("a", &["0000-02-10-0"], json!({})),
        claim("b", &["0000-02-10-2"], json!({})),
    );
    let second = id("0000-02-10-2");
    for (device, name) in [(vf0(), "eth0"), (second, "eth1")] {
        let name = LinkSetting::Name(name.parse().unwrap());
        world.fake.set_link(&device, &host(&world), &name).unwrap();
    }
    for claim in [&a, &b] {
        world.prepare(claim).unwrap();
    }
    world.attach(&a, "net1");
    let pod = world.fake.open_netns(Path::new(POD)).unwrap();
    let name = "net2".parse().unwrap();
    world
        .fake
        .move_link(&second, &host(&world), &pod, &name)
        .unwrap();
    let mut record = world.record(&b).unwrap();
    record.devices[0].attachment = world.record(&a).unwrap().devices[0].attachment.clone();
    world.engine.store.save(&record).unwrap();
    in_order(&world.fake, second);
    let released = |claim: &AllocatedClaim| {
        world.engine.unprepare(&claim.claim.uid, later()).unwrap();
        world.engine.finish(&claim.claim.uid, later())
    };
    std::thread::scope(|scope| {
        let (one, two) = (scope.spawn(|| released(&a)), scope.spawn(|| released(&b)));
        one.join().unwrap().unwrap();
        two.join().unwrap().unwrap();
    });
    for (device, name) in [(vf0(), "eth0"), (second, "eth1")] {
        let netdev = world.fake.link(&device, &host(&world)).unwrap().unwrap();
        assert_eq!(netdev.state.name.as_str(), name);
    }
}

#[test]
fn a_fresh_netdev_has_the_mtu_and_the_name_that_the_host_gave() {
    for class in [
        json!({"vlan": 5}),
        json!({"vlan": 5, "mac": "02:00:00:00:00:77"}),
    ] {
        let world = World::new();
        let mtu = LinkSetting::Mtu(9000);
        world.fake.set_link(&vf0(), &host(&world), &mtu).unwrap();
        world
            .prepare(&claim("c", &["0000-02-10-0"], class))
            .unwrap();
        let now = world.fake.observe(&vf0()).unwrap().netdev.unwrap().state;
        assert_eq!((now.mtu, now.name.as_str()), (9000, "enp1s0f0v0"));
    }
}

#[test]
fn what_udev_has_not_named_yet_is_not_recorded_as_it_was() {
    let world = World::new();
    world.fake.run_udev();
    world.fake.reprobe(&vf0()).unwrap();
    world.prepare(&vlan()).unwrap();
    world.attach(&vlan(), "net1");
    world.unprepare(&vlan()).unwrap();
    let name = world
        .fake
        .observe(&vf0())
        .unwrap()
        .netdev
        .unwrap()
        .state
        .name;
    assert!(name.as_str().starts_with("udev"), "{name}");
}

#[test]
fn a_full_disk_keeps_no_device() {
    let world = World::new();
    let before = world.fake.dump();
    world.prepare(&vlan_and_mac()).unwrap();
    world.attach(&vlan_and_mac(), "net1");
    let full: ChangeHook = Arc::new(|moment, what| match moment {
        Moment::Before if what.starts_with("write ") => Err(std::io::Error::from_raw_os_error(28)),
        _ => Ok(()),
    });
    let engine = Engine::with_hook(
        Arc::new(world.fake.clone()),
        world.engine.paths.clone(),
        world.engine.identity.clone(),
        full,
    );
    engine.unprepare(&vlan_and_mac().claim.uid, soon()).unwrap();
    assert_eq!(world.fake.dump(), before);
    assert_eq!(world.files(), [""; 0]);
}

/// `igb_ndo_set_vf_bw` of `drivers/net/ethernet/intel/igb/igb_main.c`: EINVAL without a link.
#[test]
fn a_rate_that_cannot_be_restored_while_the_link_is_down_is_restored_later() {
    let world = World::new();
    let before = world.fake.dump();
    let claim = claim("r", &["0000-02-10-0"], json!({"maxTxRate": 100}));
    world.prepare(&claim).unwrap();
    world.fake.refuse("set rate", 22);
    world.engine.unprepare(&claim.claim.uid, soon()).unwrap();
    world.engine.finish(&claim.claim.uid, soon()).unwrap_err();
    assert_eq!(world.engine.damaged().unwrap().len(), 1);
    let other = world
        .prepare(&self::claim("o", &["0000-02-10-0"], json!({})))
        .unwrap_err()
        .to_string();
    insta::assert_snapshot!(other.replace("for 1 s", "for 0 s"), @"0000:02:10.0: is still being released for claim web/claim-r (r), for 0 s: release claim web/claim-r: restore vf 0000:02:10.0: set rate min 0 max 0 Mb/s: invalid argument");
    world.fake.allow("set rate");
    world.engine.finish(&claim.claim.uid, soon()).unwrap();
    assert_eq!(world.fake.dump(), before);
}

#[test]
fn a_prepare_completes_the_release_that_is_in_its_way() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    world.attach(&vlan_and_mac(), "net1");
    let uid = vlan_and_mac().claim.uid;
    world.engine.unprepare(&uid, soon()).unwrap();
    world.prepare(&vlan()).unwrap();
    assert!(world.record(&vlan_and_mac()).is_none());
    let held = world.fake.observe(&vf0()).unwrap().vf.unwrap();
    assert_eq!((held.vlan.unwrap().id, held.mac), (5, Some(Mac::ZERO)));
    // The same claim, too.
    world.engine.unprepare(&vlan().claim.uid, soon()).unwrap();
    world.prepare(&vlan()).unwrap();
    world.unprepare(&vlan()).unwrap();
}

#[test]
fn killed_between_unbind_and_bind_a_netdev_still_returns() {
    for at in 1..8 {
        let mut world = World::new();
        let before = world.fake.dump();
        world.prepare(&vlan_and_mac()).unwrap();
        world.attach(&vlan_and_mac(), "net1");
        world.fake.leak_netns(Path::new(POD));
        world.fake.arm(crate::host::fake::Fault::During(at));
        let _ = world.engine.recover(soon());
        if !world.fake.is_crashed() {
            continue;
        }
        assert_eq!(world.restart().len(), 0, "{at}");
        world.prepare(&vlan_and_mac()).unwrap();
        world.unprepare(&vlan_and_mac()).unwrap();
        assert_eq!(world.fake.dump(), before, "{at}");
    }
}

/// No call has the time that the netdevs take to appear.
#[test]
fn every_call_goes_on_where_the_last_one_ended() {
    let world = World::new();
    let four = claim(
        "f",
        &[
            "0000-02-10-0",
            "0000-02-10-2",
            "0000-02-10-4",
            "0000-02-10-6",
        ],
        json!({}),
    );
    world.prepare(&four).unwrap();
    let mut record = world.record(&four).unwrap();
    for device in &mut record.devices {
        device.used = Some(true);
    }
    world.engine.store.save(&record).unwrap();
    world.fake.set_quirks(Quirks {
        late_netdev: 12,
        ..Quirks::default()
    });
    let _ = world.fake.take_log();
    let uid = &four.claim.uid;
    world.engine.unprepare(uid, soon()).unwrap();
    world.engine.finish(uid, soon()).unwrap_err();
    let call = (2..=8).find(|_| world.engine.finish(uid, soon()).is_ok());
    assert!(call.is_some());
    let log = world.fake.take_log();
    let rebinds = log.iter().filter(|line| line.ends_with(": rebind"));
    assert_eq!(rebinds.count(), 4, "each once");
}

#[test]
fn the_gate_of_a_dead_pod_is_not_opened_again() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    world.attach(&vlan_and_mac(), "net1");
    world.prepare(&vlan_and_mac()).unwrap();
    let uid = vlan_and_mac().claim.uid;
    let gate = crate::claim::view::host_path(&world.engine.paths, &uid, "nic0");
    assert!(gate.exists());
    world.fake.destroy_netns(Path::new(POD));
    world.prepare(&vlan_and_mac()).unwrap();
    assert!(!gate.exists(), "open, and the netdev is in no pod");
}

#[test]
fn a_pf_in_switchdev_or_with_sub_functions_is_refused() {
    let mut recording = Recording::igb();
    for observed in &mut recording.functions {
        observed.function.eswitch = Some(crate::device::EswitchMode::Switchdev);
    }
    let world = World::with(Fake::new(&recording));
    let error = world
        .prepare(&claim("pf", &["0000-01-00-0"], json!({})))
        .unwrap_err()
        .to_string();
    assert_eq!(world.files(), [""; 0]);
    insta::assert_snapshot!(error, @"0000:01:00.0: is in switchdev mode, which its release would end: its driver is restarted then; set it to legacy mode first, or claim its VFs");
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn a_vf_that_stays_busy_keeps_nobody_from_the_other_vfs() {
    let world = World::new();
    world.fake.refuse("vf 0000:02:10.0: set vlan", 16);
    let other = claim("o", &["0000-02-10-2"], json!({"vlan": 6}));
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| {
            let deadline = Deadline::after(Duration::from_secs(3));
            world.engine.prepare(&vlan(), &world.pools, deadline)
        });
        let begun = || later().poll(|| Ok::<_, ()>(world.record(&vlan()).map(drop)));
        begun().unwrap().unwrap();
        let deadline = Deadline::after(Duration::from_secs(2));
        world
            .engine
            .prepare(&other, &world.pools, deadline)
            .unwrap();
        busy.join().unwrap().unwrap_err();
    });
}

#[test]
fn a_pf_that_does_not_report_a_vf_now_is_asked_again() {
    let world = World::new();
    world.fake.set_quirks(Quirks::ice());
    let vf = address(&world);
    let trusted = VfSetting::Trust(true);
    world.fake.set_vf(&vf, &trusted).unwrap();
    // The VF resets now, and its settings are recorded all the same.
    let port = claim("p", &["0000-01-00-0"], json!({}));
    prepare(&world, &port);
    let record = world.record(&port).unwrap();
    let crate::ledger::Step::Vfs(vfs) = &record.devices[0].steps[0] else {
        panic!("{record:?}");
    };
    assert_eq!(vfs[0].settings.as_ref().unwrap().trust, Some(true));
}

#[test]
fn every_personality_is_as_it_was_after_every_claim() {
    for quirks in Quirks::all() {
        for claim in [vlan_and_mac(), vfio(), two()] {
            let world = World::new();
            world.fake.set_quirks(quirks.clone());
            let before = shown(&world);
            prepare(&world, &claim);
            if claim.claim.uid == vlan_and_mac().claim.uid {
                world.attach(&claim, "net1");
            }
            release(&world, &claim);
            let after = shown(&world);
            let skip = quirks.no_zero_mac || quirks.no_mac_setter;
            assert!(after == before || skip, "{}", quirks.name);
            assert_eq!(world.files(), [""; 0], "{}", quirks.name);
        }
    }
}

/// The mailbox between VF and PF is not reliable, and the VF's driver does not say so.
#[test]
fn a_mac_that_did_not_reach_the_pf_is_passed_to_it_again() {
    let world = World::new();
    let before = shown(&world);
    world.prepare(&vlan()).unwrap();
    world.attach(&vlan(), "net1");
    lose_macs(&world, 2);
    release(&world, &vlan());
    assert!(world.fake.observe(&vf0()).unwrap().mirrored);
    assert_eq!(shown(&world), before);
}

#[test]
fn a_pf_that_never_reports_the_mac_keeps_the_claim_and_says_why() {
    let world = World::new();
    world.prepare(&vlan()).unwrap();
    world.attach(&vlan(), "net1");
    lose_macs(&world, u32::MAX);
    let uid = vlan().claim.uid;
    world.engine.unprepare(&uid, later()).unwrap();
    let error = world.engine.finish(&uid, later()).unwrap_err().to_string();
    assert!(error.contains("its PF does not report its MAC"), "{error}");
    lose_macs(&world, 0);
    world.engine.finish(&uid, later()).unwrap();
    assert!(world.fake.observe(&vf0()).unwrap().mirrored);
}

/// As when the PF's link comes up while its VFs are made again.
#[test]
fn vfs_that_are_made_again_pass_their_macs_to_the_pf() {
    let world = World::new();
    let (pf, pci) = (
        claim("p", &["0000-01-00-0"], json!({})),
        "0000:01:00.0".parse().unwrap(),
    );
    prepare(&world, &pf);
    lose_macs(&world, 3);
    release(&world, &pf);
    let vfs = world.fake.functions().unwrap();
    let vfs = vfs
        .iter()
        .filter(|function| function.vf_address().is_some_and(|vf| vf.pf == pci));
    for vf in vfs {
        assert!(world.fake.observe(&vf.id).unwrap().mirrored, "{}", vf.id);
    }
}

fn lose_macs(world: &World, lost_macs: u32) {
    let quirks = world.fake.quirks();
    world.fake.set_quirks(Quirks {
        lost_macs,
        ..quirks
    });
}

fn shown(world: &World) -> String {
    settled(world);
    world.fake.dump()
}

fn prepare(world: &World, claim: &AllocatedClaim) {
    world.engine.prepare(claim, &world.pools, later()).unwrap();
}

fn release(world: &World, claim: &AllocatedClaim) {
    world.engine.unprepare(&claim.claim.uid, later()).unwrap();
    world.engine.finish(&claim.claim.uid, later()).unwrap();
}

/// The device, once the PF reports it again and its netdev is there.
fn settled(world: &World) -> crate::device::Observed {
    let seen = later().poll(|| {
        let seen = world.fake.observe(&vf0()).ok();
        Ok::<_, ()>(seen.filter(|seen| seen.netdev.is_some()))
    });
    seen.unwrap().unwrap()
}
