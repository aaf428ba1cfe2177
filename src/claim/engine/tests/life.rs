//! A claim's life without accidents, and with those of the world around.

use super::*;
use crate::{
    api::AttachMode,
    device::{Binding, Mac},
    host::Kernel,
    ledger::Phase,
};

fn id(name: &str) -> DeviceId {
    DeviceId::from_name(name).unwrap()
}

#[test]
fn a_netdev_is_set_at_its_pf_and_has_its_mac_for_the_pod() {
    let world = World::new();
    let claim = vlan_and_mac();
    let answer = world.prepare(&claim).unwrap();
    assert_eq!(answer[0].cdi, ["sriov-dra.io/claim-c1=0000:02:10.0"]);
    assert_eq!(
        (answer[0].requests.clone(), answer[0].device.as_str()),
        (vec!["nic0".to_owned()], "0000-02-10-0")
    );
    let observed = world.fake.observe(&id("0000-02-10-0")).unwrap();
    let vlan = observed.vf.unwrap().vlan.unwrap();
    assert_eq!((vlan.id, vlan.qos), (100, 3));
    assert_eq!(observed.mac, Some(Mac([2, 0, 0, 0, 0, 0x99])));
    assert_eq!(world.record(&claim).unwrap().phase, Phase::Prepared);
    let names: Vec<_> = world
        .files()
        .iter()
        .map(|file| file.rsplit('/').next().unwrap().to_owned())
        .collect();
    assert_eq!(
        names,
        ["c1+0000-02-10-0.json", "sriov-dra.io-claim_c1.json"],
        "no metadata before it is attached"
    );
    assert!(world.engine.attaches_by(&claim.claim.uid, AttachMode::Pod));
}

#[test]
fn vfio_has_its_nodes_and_its_metadata_from_prepare_on() {
    let world = World::new();
    let claim = vfio();
    world.prepare(&claim).unwrap();
    let bound = world
        .fake
        .observe(&id("0000-02-10-1"))
        .unwrap()
        .function
        .binding;
    assert_eq!(
        bound,
        Binding {
            driver: Some("vfio-pci".into()),
            driver_override: Some("vfio-pci".into())
        }
    );
    let nodes = &world.record(&claim).unwrap().devices[0].nodes;
    assert!(
        nodes[0].starts_with("/dev/vfio/") && nodes[1] == "/dev/vfio/vfio",
        "{nodes:?}"
    );
    assert!(
        world
            .files()
            .iter()
            .any(|file| file.ends_with("attached/c2/nic0.json")),
        "{:?}",
        world.files()
    );
    assert!(!world.engine.attaches_by(&claim.claim.uid, AttachMode::Pod));
}

#[test]
fn a_vf_that_rests_on_vfio_gets_its_netdev_for_a_claim_and_rests_on_vfio_again() {
    let fake = Fake::igb();
    let rest = Binding {
        driver: Some("vfio-pci".into()),
        driver_override: Some("vfio-pci".into()),
    };
    fake.set_driver(&id("0000-02-10-0"), &rest, soon()).unwrap();
    let (world, claim) = (
        World::with(fake),
        claim(
            "c",
            &["0000-02-10-0"],
            json!({"driver": "default", "vlan": 5}),
        ),
    );
    let before = world.fake.dump();
    world.prepare(&claim).unwrap();
    let observed = world.fake.observe(&id("0000-02-10-0")).unwrap();
    assert_eq!(
        observed.function.binding,
        Binding {
            driver: Some("igbvf".into()),
            driver_override: None
        }
    );
    assert!(observed.netdev.is_some());
    world.unprepare(&claim).unwrap();
    assert_eq!(world.fake.dump(), before);
}

#[test]
fn asked_again_the_record_answers_and_what_others_changed_is_fixed() {
    for claim in [vlan_and_mac(), vfio()] {
        let world = World::new();
        let device = id(&claim.devices[0].device.device);
        let answer = world.prepare(&claim).unwrap();
        let prepared = world.fake.dump();
        assert_eq!(world.prepare(&claim).unwrap(), answer);
        assert_eq!(world.fake.dump(), prepared);
        let vf = world
            .fake
            .observe(&device)
            .unwrap()
            .function
            .vf_address()
            .unwrap();
        world
            .fake
            .set_vf(&vf, &crate::device::VfSetting::Mac(Mac::ZERO))
            .unwrap();
        let driver = Binding {
            driver: Some("igbvf".into()),
            driver_override: None,
        };
        world.fake.set_driver(&device, &driver, soon()).unwrap();
        crate::files::remove(Path::new(
            &world
                .files()
                .into_iter()
                .find(|file| file.contains("/cdi/"))
                .unwrap(),
        ))
        .unwrap();
        assert_eq!(world.prepare(&claim).unwrap(), answer);
        let observed = world.fake.observe(&device).unwrap();
        let asked = claim.configs[0].parameters["mac"].as_str().unwrap();
        assert_eq!(observed.vf.unwrap().mac.unwrap().to_string(), asked);
        assert!(world.files().iter().any(|file| file.contains("/cdi/")));
    }
}

#[test]
fn a_pods_netdev_is_left_alone_when_the_kubelet_asks_again() {
    let world = World::new();
    let claim = vlan_and_mac();
    world.prepare(&claim).unwrap();
    world.attach(&claim, "net1");
    let attached = world.fake.dump();
    world.prepare(&claim).unwrap();
    assert_eq!(world.fake.dump(), attached);
    assert!(world.engine.idle_claims().is_empty());
    let error = world
        .engine
        .reclaim(&world.record(&claim).unwrap(), soon())
        .unwrap_err()
        .to_string();
    assert_eq!(error, "0000:02:10.0: is still in pod web/pod for claim c1");
    world.fake.destroy_netns(Path::new(POD));
    assert_eq!(
        world.engine.idle_claims(),
        std::slice::from_ref(&claim.claim)
    );
    let record = world.record(&claim).unwrap();
    world.engine.reclaim(&record, soon()).unwrap();
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn releasing_what_is_not_known_or_was_released_is_success() {
    let world = World::new();
    world.unprepare(&vfio()).unwrap();
    world.prepare(&vfio()).unwrap();
    world.unprepare(&vfio()).unwrap();
    world.unprepare(&vfio()).unwrap();
}

#[test]
fn what_was_unplugged_needs_no_giving_back() {
    let world = World::new();
    world.prepare(&two()).unwrap();
    world.fake.unplug(&id("0000-02-10-2"));
    assert_eq!(
        world.engine.vanished().unwrap(),
        [(id("0000-02-10-2"), two().claim)]
    );
    world.unprepare(&two()).unwrap();
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn nothing_is_written_onto_a_newcomer_at_the_same_address() {
    let mut world = World::new();
    let claim = vlan_and_mac();
    world.prepare(&claim).unwrap();
    world.attach(&claim, "net1");
    let pf = "0000:01:00.0".parse().unwrap();
    world.fake.set_num_vfs(&pf, 0).unwrap();
    world.fake.set_num_vfs(&pf, 7).unwrap();
    let newcomers = world.fake.dump();
    assert_eq!(
        world.engine.vanished().unwrap(),
        [(id("0000-02-10-0"), claim.claim.clone())]
    );
    let error = world.prepare(&claim).unwrap_err().to_string();
    assert!(
        error.starts_with("0000:02:10.0: is not the device that was prepared"),
        "{error}"
    );
    assert!(world.restart().is_empty());
    world.unprepare(&claim).unwrap();
    assert_eq!(world.fake.dump(), newcomers);
    assert_eq!(world.engine.vanished().unwrap(), []);
    world.prepare(&claim).unwrap();
}

#[test]
fn a_restart_leaves_prepared_claims_and_fixes_their_files() {
    let mut world = World::new();
    for claim in [vlan_and_mac(), vfio()] {
        world.prepare(&claim).unwrap();
    }
    let (files, dump) = (world.files(), world.fake.dump());
    files
        .iter()
        .filter(|file| !file.contains("/claims/"))
        .for_each(|file| std::fs::remove_file(file).unwrap());
    let paths = world.engine.paths.clone();
    crate::files::write_atomic(&paths.cdi.join("sriov-dra.io-claim_old.json"), b"{}", 0o644)
        .unwrap();
    crate::files::write_atomic(&paths.attached().join("old/nic.json"), b"{}", 0o644).unwrap();
    assert!(world.restart().is_empty());
    assert_eq!((world.files(), world.fake.dump()), (files, dump));
}

#[test]
fn a_restart_takes_back_what_was_in_a_pod_that_is_no_more() {
    for leaked in [false, true] {
        let mut world = World::new();
        let claim = vlan_and_mac();
        world.prepare(&claim).unwrap();
        world.attach(&claim, "net1");
        if leaked {
            world.fake.leak_netns(Path::new(POD))
        } else {
            world.fake.destroy_netns(Path::new(POD))
        }
        assert!(world.restart().is_empty());
        let device = &world.record(&claim).unwrap().devices[0];
        assert_eq!(device.attachment, None);
        assert!(world.fake.observe(&device.id).unwrap().netdev.is_some());
    }
}

#[test]
fn only_observing_takes_nothing_from_nobody() {
    let world = World::new();
    let holder = vlan_and_mac();
    world.prepare(&holder).unwrap();
    let dump = world.fake.dump();
    let mut observer = claim("watch", &["0000-02-10-0"], json!({"vlan": 9}));
    observer.devices[0].admin_access = true;
    world.prepare(&observer).unwrap();
    assert_eq!(world.fake.dump(), dump);
    assert_eq!(
        world.engine.holders().unwrap(),
        BTreeMap::from([(id("0000-02-10-0"), holder.claim.clone())])
    );
    world.unprepare(&observer).unwrap();
    assert_eq!(world.fake.dump(), dump);
}

#[test]
fn a_link_that_stays_on_the_host_is_set_there() {
    let world = World::new();
    let before = world.fake.dump();
    let claim = claim(
        "c",
        &["0000-02-10-0"],
        json!({"attach": "none", "mtu": 4000}),
    );
    world.prepare(&claim).unwrap();
    assert_eq!(
        world
            .fake
            .observe(&id("0000-02-10-0"))
            .unwrap()
            .netdev
            .unwrap()
            .state
            .mtu,
        4000
    );
    world.unprepare(&claim).unwrap();
    assert_eq!(world.fake.dump(), before);
}

#[test]
fn by_hand_a_claim_is_forgotten_without_a_touch() {
    let world = World::new();
    world.prepare(&vfio()).unwrap();
    let dump = world.fake.dump();
    world.engine.release(&vfio().claim.uid, soon()).unwrap();
    assert_eq!((world.files().len(), world.fake.dump()), (0, dump));
}

#[test]
fn many_claims_at_once_get_what_is_theirs() {
    let world = World::new();
    let before = world.fake.dump();
    let names: Vec<String> = (0..4)
        .flat_map(|d| [0, 1].map(|f| format!("0000-02-10-{}", d * 2 + f)))
        .collect();
    let later = || Deadline::after(Duration::from_secs(20));
    std::thread::scope(|scope| {
        for (number, name) in names.iter().enumerate() {
            let (engine, pools) = (&world.engine, &world.pools);
            scope.spawn(move || {
                for _ in 0..3 {
                    let claim = claim(&format!("c{number}"), &[name], json!({"vlan": number + 1}));
                    engine.prepare(&claim, pools, later()).unwrap();
                    let held = engine.kernel.observe(&id(name)).unwrap().vf.unwrap();
                    assert_eq!(usize::from(held.vlan.unwrap().id), number + 1);
                    engine.unprepare(&claim.claim.uid, later()).unwrap();
                    engine.finish(&claim.claim.uid, later()).unwrap();
                }
            });
        }
    });
    assert_eq!(world.fake.dump(), before);
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn of_many_who_want_one_device_one_gets_it() {
    let world = World::new();
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let claims =
            (0..6).map(|number| claim(&format!("c{number}"), &["0000-02-10-0"], json!({})));
        let run = |claim| {
            scope.spawn(|| {
                let claim: AllocatedClaim = claim;
                world.engine.prepare(
                    &claim,
                    &world.pools,
                    Deadline::after(Duration::from_secs(20)),
                )
            })
        };
        let threads: Vec<_> = claims.map(run).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        outcomes
            .iter()
            .all(|outcome| matches!(outcome, Ok(_) | Err(ClaimError::Conflict(_)))),
        "{outcomes:?}"
    );
}
