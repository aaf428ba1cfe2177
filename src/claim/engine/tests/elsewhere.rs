//! Netdevs that are where others have moved them, or cannot be fetched.

use super::*;
use crate::{
    host::{Kernel, Netns},
    ledger::Phase,
};

fn id(name: &str) -> DeviceId {
    DeviceId::from_name(name).unwrap()
}

fn host(world: &World) -> Netns {
    crate::netdev::host_netns(&world.fake, &world.engine.paths).unwrap()
}

#[test]
fn at_start_a_netdev_that_cannot_be_returned_keeps_no_other_in_a_dead_attachment() {
    let mut world = World::new();
    world.prepare(&two()).unwrap();
    world.attach(&two(), "net1");
    let mut record = world.record(&two()).unwrap();
    for device in &mut record.devices {
        device.attachment.as_mut().unwrap().done = false;
    }
    world.engine.store.save(&record).unwrap();
    world.fake.refuse("link of 0000:02:10.2: move", 22);
    world.fake.refuse("rebind 0000:02:10.2", 22);
    let failed = world.restart();
    assert_eq!(failed.len(), 1, "{failed:?}");
    let other = id("0000-02-10-3");
    assert!(
        world.fake.link(&other, &host(&world)).unwrap().is_some(),
        "the other one is back"
    );
    let record = world.record(&two()).unwrap();
    let attached = record
        .devices
        .iter()
        .map(|device| device.attachment.is_some());
    assert_eq!(attached.collect::<Vec<_>>(), [true, false]);
    assert_eq!(record.phase, Phase::Prepared);
}
