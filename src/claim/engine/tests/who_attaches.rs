//! Who attaches, by the networks of the claim's pods.

use super::{extras::pools, *};
use crate::{api::AttachMode, claim::ClaimNetworks};

const CONFIG: &str = r#"{"resourceList": [
    {"resourceName": "sriov", "selectors": [{"pciAddresses": ["0000:02:10.0"]}]}
]}"#;

fn pooled() -> World {
    let fake = Fake::igb();
    World {
        pools: pools(&fake, CONFIG),
        ..World::with(fake)
    }
}

/// A claim for a device in the pool and one in none.
fn of(class: Value, resources: &[&str]) -> AllocatedClaim {
    let types = |name: &&str| ((*name).to_owned(), ["sriov".to_owned()].into());
    AllocatedClaim {
        networks: ClaimNetworks {
            resources: resources.iter().map(types).collect(),
            nodes_only: false,
        },
        ..claim("c", &["0000-02-10-0", "0000-02-10-2"], class)
    }
}

fn attach(world: &World, claim: &AllocatedClaim) -> Vec<AttachMode> {
    let devices = world.record(claim).unwrap().devices.into_iter();
    devices
        .map(|device| device.netdev.unwrap().attach)
        .collect()
}

#[track_caller]
fn prepared_as(claim: &AllocatedClaim, expected: [AttachMode; 2]) {
    let world = pooled();
    world.prepare(claim).unwrap();
    assert_eq!(attach(&world, claim), expected);
    let needs_hook = world.engine.attaches_by(&claim.claim.uid, AttachMode::Pod);
    assert_eq!(needs_hook, expected.contains(&AttachMode::Pod));
}

#[test]
fn a_network_of_the_pool_attaches_what_is_in_it() {
    use AttachMode::{Cni, None, Pod};
    prepared_as(&of(json!({}), &[]), [Pod, Pod]);
    prepared_as(&of(json!({}), &["intel.com/sriov"]), [Cni, Pod]);
    prepared_as(&of(json!({}), &["intel.com/other"]), [Pod, Pod]);
    prepared_as(&of(json!({}), &["claim-c"]), [Cni, Cni]);
    prepared_as(
        &of(json!({"attach": "pod"}), &["intel.com/sriov"]),
        [Pod, Pod],
    );
    prepared_as(&of(json!({"attach": "cni"}), &[]), [Cni, Cni]);
    let mut on_host = of(json!({}), &["intel.com/sriov"]);
    on_host.networks.nodes_only = true;
    prepared_as(&on_host, [None, None]);
}

#[test]
fn what_was_decided_stands() {
    let world = pooled();
    let claim = of(json!({}), &["intel.com/sriov"]);
    let answer = world.prepare(&claim).unwrap();
    let before = world.record(&claim);
    let changed = of(json!({}), &[]);
    assert_eq!(world.prepare(&changed).unwrap(), answer);
    assert_eq!(world.record(&claim), before);
    world.unprepare(&claim).unwrap();
    world.prepare(&changed).unwrap();
    assert_eq!(attach(&world, &changed), [AttachMode::Pod; 2]);
}
