//! Netdevs that are where others have moved them, or cannot be fetched.

use super::*;
use crate::{
    device::LinkSetting,
    host::{Kernel, Netns},
    ledger::Phase,
};

fn id(name: &str) -> DeviceId {
    DeviceId::from_name(name).unwrap()
}

fn host(world: &World) -> Netns {
    crate::netdev::host_netns(&world.fake, &world.engine.paths).unwrap()
}

/// `attach: none`: a plugin of others moves the netdev, and its DEL never comes.
#[test]
fn a_tenant_is_cut_off_that_others_have_attached() {
    for upper in [false, true] {
        let world = World::new();
        let claim = claim("n", &["0000-02-10-0"], json!({"vlan": 5, "attach": "none"}));
        let before = world.fake.dump();
        world.prepare(&claim).unwrap();
        let (vf, pod) = (id("0000-02-10-0"), world.fake.add_netns(Path::new(POD)));
        let name = "net1".parse().unwrap();
        world
            .fake
            .move_link(&vf, &host(&world), &pod, &name)
            .unwrap();
        let up = LinkSetting::Up(true);
        world.fake.set_link(&vf, &pod, &up).unwrap();
        if upper {
            world.fake.add_upper(&vf, "net1.100").unwrap();
        }
        world.unprepare(&claim).unwrap();
        assert_eq!(world.fake.exposed(), [""; 0], "{upper}");
        assert_eq!(world.fake.dump(), before, "{upper}");
    }
}

/// What stays on the host is left as it is until its values are restored.
#[test]
fn a_netdev_that_stays_on_the_host_is_not_set_down_to_be_cut_off() {
    let world = World::new();
    let claim = claim("n", &["0000-02-10-0"], json!({"vlan": 5, "attach": "none"}));
    world.prepare(&claim).unwrap();
    let _ = world.fake.take_log();
    world.engine.unprepare(&claim.claim.uid, soon()).unwrap();
    assert_eq!(world.fake.take_log(), [""; 0]);
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
