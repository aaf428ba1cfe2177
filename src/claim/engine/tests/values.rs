//! Asked again for a prepared claim: other values are another allocation, the same ones are
//! answered from the record.

use super::*;
use crate::{
    claim::{standing::is_as_wanted, wanted},
    device::{Binding, VfSettings},
    host::Kernel,
};

const VF: &str = "0000-02-10-0";

fn of(fields: &Value) -> AllocatedClaim {
    claim("c", &[VF], fields.clone())
}

/// Configurations that differ from each other, each from all others.
fn all() -> Vec<Value> {
    vec![
        json!({}),
        json!({"vlan": 5}),
        json!({"vlan": 6}),
        json!({"vlan": 6, "vlanQoS": 1}),
        json!({"vlan": 6, "trust": "on"}),
        json!({"trust": "off"}),
        json!({"spoofChk": "off"}),
        json!({"maxTxRate": 100}),
        json!({"maxTxRate": 200}),
        json!({"minTxRate": 10, "maxTxRate": 200}),
        json!({"mac": "02:00:00:00:00:01"}),
        json!({"mac": "02:00:00:00:00:02"}),
        json!({"mtu": 1400}),
        json!({"ifName": "net7"}),
        json!({"attach": "none"}),
        json!({"attach": "none", "mtu": 1400}),
        json!({"addresses": ["10.0.0.7/24"]}),
        json!({"addresses": ["10.0.0.7/24"], "routes": [{"dst": "10.1.0.0/16", "gw": "10.0.0.1"}]}),
        json!({"env": {"A": "b"}}),
        json!({"driver": "iavf"}),
        json!({"driver": "vfio-pci"}),
        json!({"driver": "vfio-pci", "vlan": 5}),
        json!({"driver": "vfio-pci", "mac": "02:00:00:00:00:01"}),
    ]
}

#[test]
fn the_same_values_are_answered_without_a_write() {
    for fields in all() {
        let world = World::new();
        let answer = world.prepare(&of(&fields)).unwrap();
        let (record, _) = (world.record(&of(&fields)), world.fake.take_log());
        assert_eq!(world.prepare(&of(&fields)).unwrap(), answer);
        assert_eq!(world.fake.take_log(), [""; 0], "{fields}");
        assert_eq!(world.record(&of(&fields)), record, "{fields}");
    }
}

/// What stands for a configuration: the record, and what the kernel has at the PF and as the
/// driver.
fn standing(world: &World, fields: &Value) -> (Record, Option<VfSettings>, Binding) {
    let vf = DeviceId::from_name(VF).unwrap();
    let observed = world.fake.observe(&vf).unwrap();
    let record = world.record(&of(fields)).unwrap();
    (record, observed.vf, observed.function.binding)
}

/// On a host where nothing was before.
fn fresh(fields: &Value) -> (Record, Option<VfSettings>, Binding) {
    let world = World::new();
    world.prepare(&of(fields)).unwrap();
    standing(&world, fields)
}

#[test]
fn each_of_them_differs_from_all_others() {
    let world = World::new();
    for first in all() {
        let device = fresh(&first).0.devices.remove(0);
        for second in all() {
            let wanted = wanted(&of(&second), world.engine.identity.pool(), &["iavf".into()]);
            let same = is_as_wanted(&device, &wanted.unwrap()[0], |_| true);
            // Who attaches where nothing is set was decided with the claim.
            let mut decided = first.clone();
            if second.get("attach").is_none() {
                decided.as_object_mut().unwrap().remove("attach");
            }
            assert_eq!(same, decided == second, "{first} -> {second}");
        }
    }
}

#[test]
fn other_values_take_the_place_of_those_of_an_unprepare_that_was_missed() {
    let all = all();
    for (first, second) in all.iter().zip(all.iter().cycle().skip(1)) {
        let world = World::new();
        world.prepare(&of(first)).unwrap();
        world.prepare(&of(second)).unwrap();
        assert_eq!(
            standing(&world, second),
            fresh(second),
            "{first} -> {second}"
        );
    }
}

#[test]
fn what_a_living_pod_has_is_not_changed_under_it() {
    let world = World::new();
    let (first, second) = (of(&json!({"vlan": 5})), of(&json!({"vlan": 6})));
    world.prepare(&first).unwrap();
    world.attach(&first, "net1");
    let attached = (world.fake.dump(), world.files());
    assert_eq!(
        world.prepare(&second).unwrap_err().to_string(),
        "0000:02:10.0: is still in pod web/pod, as an earlier allocation of claim web/claim-c set it; delete that pod"
    );
    assert_eq!((world.fake.dump(), world.files()), attached);
    world.fake.destroy_netns(Path::new(POD));
    world.prepare(&second).unwrap();
    let vf = DeviceId::from_name(VF).unwrap();
    let vlan = world.fake.observe(&vf).unwrap().vf.unwrap().vlan;
    assert_eq!(vlan.map(|tag| tag.id), Some(6));
}

/// Where no PF of this host has the VF, a MAC is nothing of the record of a device without a
/// netdev.
#[test]
fn in_a_guest_the_same_values_are_answered_too() {
    let mut recording = crate::host::Recording::igb();
    for observed in &mut recording.functions {
        observed.vf = None;
    }
    let world = World::with(Fake::new(&recording));
    let claim = of(&json!({"driver": "vfio-pci", "mac": "02:00:00:00:00:01"}));
    let answer = world.prepare(&claim).unwrap();
    let _ = world.fake.take_log();
    assert_eq!(world.prepare(&claim).unwrap(), answer);
    assert_eq!(world.fake.take_log(), [""; 0]);
}

/// The pod that the claim was prepared for is gone, its unprepare was missed, and another pod has
/// the same allocation.
#[test]
fn the_record_names_the_pods_that_the_claim_is_reserved_for_now() {
    let world = World::new();
    let first = of(&json!({}));
    let answer = world.prepare(&first).unwrap();
    let next = AllocatedClaim {
        reserved_for: vec!["next".into()],
        ..first
    };
    assert_eq!(world.prepare(&next).unwrap(), answer);
    assert_eq!(world.record(&next).unwrap().owner.reserved_for, ["next"]);
}
