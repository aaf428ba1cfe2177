//! A claim that was allocated on another node: nothing of it happens on the function of the same
//! address.

use super::*;

fn on(node: &str, claim: AllocatedClaim) -> AllocatedClaim {
    let mut claim = claim;
    for device in &mut claim.devices {
        device.device.slice_pool = node.into();
    }
    claim
}

/// Refused with this text, and neither the host nor any file has changed, locks among them.
fn refused(world: &World, claim: &AllocatedClaim) -> String {
    let (before, run) = (world.fake.dump(), below(&world.engine.paths.run));
    let _ = world.fake.take_log();
    let error = world.prepare(claim).unwrap_err().to_string();
    assert_eq!(world.fake.take_log(), [""; 0]);
    assert_eq!(world.fake.dump(), before);
    assert_eq!(below(&world.engine.paths.run), run);
    assert_eq!(below(&world.engine.paths.cdi), [""; 0]);
    assert!(world.record(claim).is_none());
    error
}

#[test]
fn is_refused_with_both_nodes_named() {
    let world = World::new();
    for admin in [false, true] {
        let mut claim = on("node-a", vlan_and_mac());
        claim.devices[0].admin_access = admin;
        assert_eq!(
            refused(&world, &claim),
            "device 0000-02-10-0 of claim web/claim-c1 is allocated on node node-a, this is node node; spec.nodeName binds \
             a pod past the scheduler: delete the pod, and leave nodeName out or set it to node-a"
        );
    }
}

#[test]
fn is_refused_before_anything_else_when_one_of_its_devices_is_here() {
    let world = World::new();
    for elsewhere in 0..2 {
        let mut claim = claim(
            "c",
            &["0000-02-10-0", "0000-02-10-1"],
            json!({"vlan": "no number"}),
        );
        claim.devices[elsewhere].device.slice_pool = "node-a".into();
        let error = refused(&world, &claim);
        assert!(
            error.contains("on node node-a, this is node node"),
            "{error}"
        );
    }
    let mut foreign = vlan_and_mac();
    foreign.devices[0].device.driver = "gpu.example.com".into();
    assert_eq!(
        refused(&world, &foreign),
        "claim web/claim-c1: device 0000-02-10-0 is of driver gpu.example.com, this is sriov-dra.io"
    );
}

/// As a version that did not look at the node has left it.
fn prepared_by_an_earlier_version(world: &World, claim: &AllocatedClaim) {
    world.prepare(claim).unwrap();
    let mut record = world.record(claim).unwrap();
    record.devices[0].slice_pool = "node-a".into();
    world.engine.store.save(&record).unwrap();
}

#[test]
fn is_restored_when_an_earlier_version_prepared_it() {
    for claim in [vlan_and_mac(), vfio()] {
        let mut world = World::new();
        let before = world.fake.dump();
        prepared_by_an_earlier_version(&world, &claim);
        let held = world.fake.dump();
        assert!(world.restart().is_empty());
        assert_eq!(world.fake.dump(), held, "a running pod may have it");
        assert_eq!(
            below(&world.engine.paths.attached()),
            [""; 0],
            "no container of it starts any more"
        );
        world.unprepare(&claim).unwrap();
        assert_eq!((world.fake.dump(), world.files()), (before, vec![]));
    }
}

#[test]
fn is_prepared_anew_when_it_is_allocated_here_afterwards() {
    let world = World::new();
    prepared_by_an_earlier_version(&world, &vlan_and_mac());
    world.prepare(&vlan_and_mac()).unwrap();
    let record = world.record(&vlan_and_mac()).unwrap();
    assert_eq!(record.devices[0].slice_pool, "node");
}
