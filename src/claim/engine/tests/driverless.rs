//! A function without driver is out of use exactly when no configuration could get it one.

use super::*;
use crate::device::Binding;

const VF: &str = "0000-02-10-0";

/// A host on which the VF has no driver, and these are not loaded.
fn host(unloaded: &[&str]) -> World {
    let world = World::new();
    let none = Binding {
        driver: None,
        driver_override: None,
    };
    world
        .fake
        .set_driver(&DeviceId::from_name(VF).unwrap(), &none, soon())
        .unwrap();
    unloaded.iter().for_each(|driver| world.fake.unload(driver));
    world
}

fn is_driverless(world: &World) -> bool {
    let functions = world.fake.functions().unwrap();
    world
        .engine
        .driverless(&functions)
        .contains(&DeviceId::from_name(VF).unwrap())
}

#[test]
fn what_prepare_could_serve_is_in_use() {
    let drivers = ["vfio-pci", "iavf", "igbvf"];
    for set in 0..8_usize {
        let unloaded: Vec<&str> = (0..3)
            .filter(|bit| set & (1 << bit) != 0)
            .map(|bit| drivers[bit])
            .collect();
        let served = ["vfio-pci", "iavf", "default"].iter().any(|driver| {
            let world = host(&unloaded);
            world
                .prepare(&claim("c", &[VF], json!({"driver": driver})))
                .is_ok()
        });
        assert_eq!(
            is_driverless(&host(&unloaded)),
            !served,
            "without {unloaded:?}"
        );
    }
}

#[test]
fn a_function_with_a_driver_needs_none() {
    let world = World::new();
    ["vfio-pci", "iavf"]
        .iter()
        .for_each(|driver| world.fake.unload(driver));
    assert_eq!(
        world.engine.driverless(&world.fake.functions().unwrap()),
        []
    );
    world.fake.unload("igbvf");
    let vfs = world
        .fake
        .functions()
        .unwrap()
        .iter()
        .filter(|function| function.is_part())
        .count();
    assert_eq!(
        world
            .engine
            .driverless(&world.fake.functions().unwrap())
            .len(),
        vfs
    );
}
