//! IOMMU groups: what VFIO gives is the whole of one, to one claim, and nothing else is in it.

use super::{crash::KILLS, refusal::refused, *};
use crate::device::{Binding, GroupMember};

pub(super) const FIRST: &str = "0000-02-10-0";
pub(super) const SECOND: &str = "0000-02-10-2";

pub(super) fn id(name: &str) -> DeviceId {
    DeviceId::from_name(name).unwrap()
}

pub(super) fn bind(world: &World, name: &str, driver: Option<&str>) {
    let binding = Binding {
        driver: driver.map(str::to_owned),
        driver_override: driver.map(str::to_owned),
    };
    world.fake.set_driver(&id(name), &binding, soon()).unwrap();
}

/// Two VFs of one group.
fn shared() -> World {
    World::with(Fake::shared_groups())
}

/// They are bound to vfio-pci.
fn shared_by_vfio() -> World {
    let world = shared();
    for name in [FIRST, SECOND] {
        bind(&world, name, Some("vfio-pci"));
    }
    world
}

fn vfio_claim(uid: &str, devices: &[&str]) -> AllocatedClaim {
    claim(uid, devices, json!({"driver": "vfio-pci"}))
}

fn member(name: &str, driver: Option<&str>) -> GroupMember {
    GroupMember {
        name: name.into(),
        driver: driver.map(str::to_owned),
        vfio: driver == Some("vfio-pci"),
        bridge: driver == Some("pcieport"),
    }
}

#[test]
fn a_group_goes_to_one_claim_and_a_second_is_refused_with_its_holder() {
    let world = shared_by_vfio();
    let first = vfio_claim("one", &[FIRST]);
    world.prepare(&first).unwrap();
    let texts = [
        refused(&world, &vfio_claim("two", &[SECOND])),
        refused(&world, &claim("two", &[SECOND], json!({}))),
        refused(&world, &claim("two", &[SECOND], json!({"driver": "iavf"}))),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    0000:02:10.2: cannot go to claim web/claim-two: 0000:02:10.0, of the same IOMMU group 30, which VFIO gives as a whole, is held by claim web/claim-one (one)
    0000:02:10.2: cannot go to claim web/claim-two: 0000:02:10.0, of the same IOMMU group 30, which VFIO gives as a whole, is held by claim web/claim-one (one)
    0000:02:10.2: cannot go to claim web/claim-two: 0000:02:10.0, of the same IOMMU group 30, which VFIO gives as a whole, is held by claim web/claim-one (one)
    "#);
    world.unprepare(&first).unwrap();
    world.prepare(&vfio_claim("two", &[SECOND])).unwrap();
}

#[test]
fn netdev_claims_of_one_group_run_side_by_side() {
    let world = shared();
    world.prepare(&claim("one", &[FIRST], json!({}))).unwrap();
    world
        .prepare(&claim("two", &[SECOND], json!({"vlan": 7})))
        .unwrap();
}

#[test]
fn a_group_with_another_claims_netdev_is_refused_with_the_holder() {
    let world = shared();
    world.prepare(&claim("one", &[SECOND], json!({}))).unwrap();
    insta::assert_snapshot!(refused(&world, &vfio_claim("two", &[FIRST])), @r#"0000:02:10.0: cannot go to claim web/claim-two: 0000:02:10.2, of the same IOMMU group 30, which VFIO gives as a whole, is held by claim web/claim-one (one)"#);
}

#[test]
fn two_devices_of_one_group_may_go_to_one_claim_each_with_the_groups_node() {
    let world = shared();
    let both = vfio_claim("both", &[FIRST, SECOND]);
    let before = world.fake.dump();
    world.prepare(&both).unwrap();
    let record = world.record(&both).unwrap();
    let nodes: Vec<_> = record.devices.iter().map(|device| &device.nodes).collect();
    assert_eq!(*nodes[0], ["/dev/vfio/30", "/dev/vfio/vfio"]);
    assert_eq!(nodes[0], nodes[1]);
    world.unprepare(&both).unwrap();
    assert_eq!(world.fake.dump(), before);
}

#[test]
fn a_claim_with_a_group_and_a_netdev_of_it_is_refused() {
    let mut mixed = claim("mixed", &[FIRST, SECOND], json!({}));
    let mut vfio = config(ConfigSource::Class, json!({"driver": "vfio-pci"}));
    vfio.requests = vec!["nic0".into()];
    mixed.configs = vec![vfio];
    insta::assert_snapshot!(refused(&shared(), &mixed), @r#"0000:02:10.0: IOMMU group 30 cannot be given, VFIO gives it as a whole: 0000:02:10.2 (of this claim, not for VFIO) is in it; select devices whose attribute isolated is true"#);
}

#[test]
fn a_group_that_others_are_in_is_refused_with_all_that_keep_it() {
    let world = shared();
    world
        .fake
        .add_to_group(&id(FIRST), member("0000:02:1f.0", Some("ahci")));
    world
        .fake
        .add_to_group(&id(FIRST), member("dpni.3", Some("fsl_dpaa2_eth")));
    world
        .fake
        .use_by_host("0000:02:10.2".parse().unwrap(), true);
    insta::assert_snapshot!(refused(&world, &vfio_claim("one", &[FIRST])), @r#"0000:02:10.0: IOMMU group 30 cannot be given, VFIO gives it as a whole: 0000:02:10.2 (driver igbvf, used by the host), 0000:02:1f.0 (driver ahci), dpni.3 (driver fsl_dpaa2_eth) are in it; select devices whose attribute isolated is true"#);
}

#[test]
fn members_that_leave_dma_alone_keep_no_group() {
    let world = shared();
    bind(&world, SECOND, None);
    let others = [None, Some("pcieport"), Some("pci-stub"), Some("vfio-pci")];
    for (number, driver) in others.into_iter().enumerate() {
        let name = format!("0000:02:1f.{number}");
        world.fake.add_to_group(&id(FIRST), member(&name, driver));
    }
    world.prepare(&vfio_claim("one", &[FIRST])).unwrap();
}

#[test]
fn a_pf_is_not_kept_by_its_own_vfs_which_go_with_it() {
    let world = World::new();
    let (pf, other) = ("0000-01-00-0", "0000-02-10-1");
    world.fake.share_group(&[id(pf), id(FIRST), id(SECOND)]);
    let claim = vfio_claim("pf", &[pf]);
    world.prepare(&claim).unwrap();
    world.unprepare(&claim).unwrap();
    world.fake.share_group(&[id(pf), id(other)]);
    let error = refused(&world, &claim);
    assert!(
        error.contains("0000:02:10.1 (driver igbvf) is in it"),
        "{error}"
    );
}

#[test]
fn a_member_that_the_administrator_keeps_back_keeps_its_group() {
    let mut world = shared_by_vfio();
    let exclude = vec!["0000:02:10.2".parse().unwrap()];
    world.engine = engine(&world.fake, world.dir.path()).choosing(DeviceFilter {
        exclude,
        ..DeviceFilter::default()
    });
    insta::assert_snapshot!(refused(&world, &vfio_claim("one", &[FIRST])), @r#"0000:02:10.0: IOMMU group 30 cannot be given, VFIO gives it as a whole: 0000:02:10.2 (excluded on this node by 0000:02:10.2 (--exclude, agent.exclude)) is in it; select devices whose attribute isolated is true"#);
}

#[test]
fn of_two_claims_at_a_time_one_gets_the_group() {
    for _ in 0..10 {
        let world = shared_by_vfio();
        let claims = [vfio_claim("one", &[FIRST]), vfio_claim("two", &[SECOND])];
        let prepared = std::thread::scope(|scope| {
            let at_once = claims
                .each_ref()
                .map(|claim| scope.spawn(|| world.prepare(claim).is_ok()));
            at_once.map(|thread| thread.join().unwrap())
        });
        assert_eq!(prepared.iter().filter(|won| **won).count(), 1);
    }
}

#[test]
fn claims_of_one_group_enter_one_after_the_other_though_their_pfs_differ() {
    let world = World::new();
    let other = "0000-02-10-1";
    world.fake.share_group(&[id(FIRST), id(other)]);
    for name in [FIRST, other] {
        bind(&world, name, Some("vfio-pci"));
    }
    let first = "0000:02:10.0".parse().unwrap();
    let held = world.engine.locks.pf(&first, "enter claim web/x", soon());
    let error = refused(&world, &vfio_claim("late", &[other]));
    assert_eq!(error, "busy: enter claim web/x, 0 s");
    drop(held);
    world.prepare(&vfio_claim("late", &[other])).unwrap();
}

#[test]
fn without_iommu_vfio_is_refused_before_anything_changes_unless_it_is_allowed() {
    let world = |unsafe_mode: bool, allowed: bool| {
        let mut world = World::new();
        world.fake.without_iommu(unsafe_mode);
        world.engine = engine(&world.fake, world.dir.path()).allowing_no_iommu(allowed);
        world
    };
    let claim = vfio_claim("one", &[FIRST]);
    let texts = [(false, false), (true, false), (false, true)]
        .map(|(unsafe_mode, allowed)| refused(&world(unsafe_mode, allowed), &claim));
    insta::assert_snapshot!(texts.join("\n"), @r#"
    0000:02:10.0: has no IOMMU group, which VFIO needs: switch the IOMMU on (firmware, and intel_iommu=on or amd_iommu=on on the kernel's command line); VFIO without IOMMU is not allowed on this node (--allow-noiommu, agent.allowNoIOMMU)
    0000:02:10.0: has no IOMMU group, which VFIO needs: switch the IOMMU on (firmware, and intel_iommu=on or amd_iommu=on on the kernel's command line); VFIO without IOMMU is not allowed on this node (--allow-noiommu, agent.allowNoIOMMU)
    0000:02:10.0: has no IOMMU group, which VFIO needs: switch the IOMMU on (firmware, and intel_iommu=on or amd_iommu=on on the kernel's command line); to go without, load the module vfio with enable_unsafe_noiommu_mode=1
    "#);
    let world = world(true, true);
    let before = world.fake.dump();
    world.prepare(&claim).unwrap();
    let device = &world.record(&claim).unwrap().devices[0];
    assert_eq!(device.nodes, ["/dev/vfio/700", "/dev/vfio/vfio"]);
    let spec = world
        .files()
        .into_iter()
        .find(|file| file.contains("/cdi/"));
    let spec = std::fs::read_to_string(spec.unwrap()).unwrap();
    let spec: Value = serde_json::from_str(&spec).unwrap();
    assert_eq!(
        spec["devices"][0]["containerEdits"]["deviceNodes"],
        json!([
            {"path": "/dev/vfio/700", "hostPath": "/dev/vfio/noiommu-700", "permissions": "rw"},
            {"path": "/dev/vfio/vfio", "permissions": "rw"},
        ])
    );
    world.fake.set_open("/dev/vfio/noiommu-700", true);
    world.engine.unprepare(&claim.claim.uid, soon()).unwrap();
    assert!(world.record(&claim).is_some(), "the tenant has it open");
    world.fake.set_open("/dev/vfio/noiommu-700", false);
    world.unprepare(&claim).unwrap();
    assert_eq!(world.fake.dump(), before);
}

#[test]
fn a_device_that_vfio_serves_without_iommu_already_needs_leave_too() {
    let world = World::new();
    world.fake.without_iommu(true);
    bind(&world, FIRST, Some("vfio-pci"));
    let error = refused(&world, &claim("one", &[FIRST], json!({})));
    assert!(error.contains("is not allowed on this node"), "{error}");
}

#[test]
fn a_device_that_a_program_has_open_is_in_use() {
    let world = World::new();
    bind(&world, FIRST, Some("vfio-pci"));
    bind(&world, "0000-01-00-1", Some("vfio-pci"));
    world
        .fake
        .open_node("/dev/vfio/30", &[(4711, "ovs-vswitchd"), (4712, "qemu")]);
    world.fake.open_node("/dev/vfio/23", &[]);
    let texts = [
        refused(&world, &vfio_claim("one", &[FIRST])),
        refused(
            &world,
            &claim("one", &[FIRST], json!({"driver": "default"})),
        ),
        refused(&world, &claim("one", &["0000-01-00-0"], json!({}))),
        refused(&world, &claim("one", &["0000-01-00-1"], json!({}))),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    0000:02:10.0: is in use: /dev/vfio/30 is open in process 4711 (ovs-vswitchd), process 4712 (qemu)
    0000:02:10.0: is in use: /dev/vfio/30 is open in process 4711 (ovs-vswitchd), process 4712 (qemu)
    0000:01:00.0: its VF 0000:02:10.0 is in use: /dev/vfio/30 is open in process 4711 (ovs-vswitchd), process 4712 (qemu), and would go with it
    0000:01:00.1: is in use: /dev/vfio/23 is open in a process that the agent cannot see; agent.hostPID of the chart shows it
    "#);
    world.fake.close_node("/dev/vfio/30");
    world.prepare(&vfio_claim("one", &[FIRST])).unwrap();
}

#[test]
fn killed_at_every_write_a_group_is_as_before() {
    let both = vfio_claim("both", &[FIRST, SECOND]);
    let before = shared().fake.dump();
    let act = |world: &World| drop(world.prepare(&both));
    crash::everywhere(&KILLS, shared, act, |world, trip| {
        crash::after_restart(world, &both, &before, trip);
    });
}
