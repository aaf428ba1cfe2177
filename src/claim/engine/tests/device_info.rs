//! Device information files for Multus.

use super::{crash, extras::pools, *};
use crate::files;

const CONFIG: &str = r#"{"resourceList": [
    {"resourceName": "dpdk", "selectors": [{"rootDevices": ["0000:01:00.0"], "needVhostNet": true}]}
]}"#;
const FILE: &str = "intel.com-dpdk-0000:02:10.0-device.json";

fn pooled() -> World {
    let fake = Fake::igb();
    let world = World {
        pools: pools(&fake, CONFIG),
        ..World::with(fake)
    };
    let attributes = |_: &DeviceId| [("pfPciAddress".to_owned(), "0000:01:00.0".into())].into();
    world.engine.remember(Box::new(attributes));
    world
}

impl World {
    fn info(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.engine.paths.device_info().join(name)).ok()
    }
}

#[test]
fn a_device_of_a_pool_has_a_file_while_it_is_prepared() {
    use std::os::unix::fs::PermissionsExt;
    let world = pooled();
    world.prepare(&vlan_and_mac()).unwrap();
    let path = world.engine.paths.device_info().join(FILE);
    let expected = r#"{"type":"pci","version":"1.1.0","pci":{"pci-address":"0000:02:10.0","vhost-net":"/dev/vhost-net","pf-pci-address":"0000:01:00.0"}}"#;
    assert_eq!(world.info(FILE).as_deref(), Some(expected));
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o444);
    world
        .engine
        .unprepare(&vlan_and_mac().claim.uid, soon())
        .unwrap();
    assert_eq!(world.info(FILE), None, "before the rest of the release");
    world.unprepare(&vlan_and_mac()).unwrap();
    assert_eq!(world.files(), [""; 0]);
}

#[test]
fn a_device_of_no_pool_has_none() {
    let world = World::new();
    world.prepare(&vlan_and_mac()).unwrap();
    assert!(!world.engine.paths.device_info().exists());
}

#[test]
fn what_is_there_already_is_replaced_and_what_others_write_stays() {
    let world = pooled();
    let other = "intel.com-other-0000:02:10.0-device.json";
    for name in [FILE, other] {
        let path = world.engine.paths.device_info().join(name);
        files::write_atomic(&path, b"{}", 0o444).unwrap();
    }
    world.prepare(&vlan_and_mac()).unwrap();
    assert_ne!(world.info(FILE).as_deref(), Some("{}"));
    world.unprepare(&vlan_and_mac()).unwrap();
    world.engine.sweep().unwrap();
    assert_eq!(world.info(FILE), None);
    assert_eq!(world.info(other).as_deref(), Some("{}"));
}

#[test]
fn files_of_claims_without_a_record_are_swept_and_others_written_again() {
    let mut world = pooled();
    world.prepare(&vlan_and_mac()).unwrap();
    world.prepare(&two()).unwrap();
    world.engine.store.remove(&two().claim.uid).unwrap();
    files::remove(&world.engine.paths.device_info().join(FILE)).unwrap();
    world.restart();
    assert!(world.info(FILE).is_some());
    assert_eq!(world.info("intel.com-dpdk-0000:02:10.2-device.json"), None);
}

#[test]
fn killed_anywhere_no_file_stays() {
    let before = pooled().fake.dump();
    let act = |world: &World| drop(world.prepare(&vlan_and_mac()));
    crash::everywhere(&crash::KILLS, pooled, act, |world, trip| {
        crash::after_restart(world, &vlan_and_mac(), &before, trip);
    });
    let prepared = || {
        let world = pooled();
        world.prepare(&vlan_and_mac()).unwrap();
        world
    };
    let act = |world: &World| drop(world.unprepare(&vlan_and_mac()));
    crash::everywhere(&crash::KILLS, prepared, act, |world, trip| {
        crash::after_restart(world, &vlan_and_mac(), &before, trip);
    });
}
