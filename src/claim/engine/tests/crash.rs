//! Killed, or refused, at every write of prepare and of unprepare, the kernel's and the files'.

use super::*;
use crate::{
    device::{Binding, Mac, VfAddress, VfSetting},
    host::fake::Fault,
};

pub(super) const KILLS: [fn(u32) -> Fault; 3] = [Fault::Before, Fault::During, Fault::After];
const REFUSALS: [fn(u32) -> Fault; 2] = [Fault::Fail, Fault::FailFrom];

fn claims() -> [AllocatedClaim; 3] {
    [vlan_and_mac(), vfio(), two()]
}

/// What happens to a prepared claim before it is released.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pod {
    Never,
    Gone,
    Leaked,
    Running,
}

impl Pod {
    fn live(self, world: &World, claim: &AllocatedClaim) {
        if self == Self::Never {
            return;
        }
        world.attach(claim, "net1");
        match self {
            Self::Gone => world.fake.destroy_netns(Path::new(POD)),
            Self::Leaked => world.fake.leak_netns(Path::new(POD)),
            Self::Never | Self::Running => {}
        }
    }
}

/// How many writes an undisturbed act has.
fn count(world: &World, act: impl FnOnce(&World)) -> u32 {
    world.fake.arm(Fault::Before(u32::MAX));
    act(world);
    let writes = world.fake.writes();
    assert!(writes > 3, "{writes} writes are too few to be all");
    world.fake.restart();
    writes
}

/// Runs `act` with every trip at every write; `then` is what must hold.
pub(super) fn everywhere(
    trips: &[fn(u32) -> Fault],
    set_up: impl Fn() -> World,
    act: impl Fn(&World),
    then: impl Fn(&mut World, Fault),
) {
    for at in 1..=count(&set_up(), &act) {
        for trip in trips {
            let mut world = set_up();
            world.fake.arm(trip(at));
            act(&world);
            then(&mut world, trip(at));
        }
    }
}

/// The claim is released (if it is still held), and nothing at all is left of it; then it can be
/// prepared again.
fn as_before(world: &World, claim: &AllocatedClaim, before: &str, trip: Fault) {
    world
        .unprepare(claim)
        .unwrap_or_else(|error| panic!("{trip:?}: {error}"));
    assert_eq!(world.fake.dump(), before, "{trip:?}");
    assert_eq!(world.files(), [""; 0], "{trip:?}");
    world
        .prepare(claim)
        .unwrap_or_else(|error| panic!("{trip:?}: {error}"));
    world.unprepare(claim).unwrap();
    assert_eq!(world.fake.dump(), before, "{trip:?}, prepared again");
}

/// After a restart nothing is half done.
pub(super) fn after_restart(world: &mut World, claim: &AllocatedClaim, before: &str, trip: Fault) {
    let failed = world.restart();
    assert!(failed.is_empty(), "{trip:?}: {failed:?}");
    match world.record(claim) {
        None => assert_eq!(
            (world.fake.dump().as_str(), world.files().len()),
            (before, 0),
            "{trip:?}"
        ),
        Some(record) => assert_eq!(record.phase, crate::ledger::Phase::Prepared, "{trip:?}"),
    }
    as_before(world, claim, before, trip);
}

#[test]
fn killed_in_prepare() {
    for claim in claims() {
        let before = World::new().fake.dump();
        let act = |world: &World| drop(world.prepare(&claim));
        everywhere(&KILLS, World::new, act, |world, trip| {
            after_restart(world, &claim, &before, trip)
        });
    }
}

#[test]
fn killed_in_unprepare() {
    for claim in claims() {
        let before = World::new().fake.dump();
        let set_up = || {
            let world = World::new();
            world.prepare(&claim).unwrap();
            world
        };
        let act = |world: &World| drop(world.unprepare(&claim));
        everywhere(&KILLS, set_up, act, |world, trip| {
            after_restart(world, &claim, &before, trip)
        });
    }
}

#[test]
fn killed_in_unprepare_after_a_pod_had_it() {
    for pod in [Pod::Never, Pod::Gone, Pod::Leaked, Pod::Running] {
        let (claim, before) = (vlan_and_mac(), World::new().fake.dump());
        let set_up = || {
            let world = World::new();
            world.prepare(&claim).unwrap();
            pod.live(&world, &claim);
            world
        };
        let act = |world: &World| drop(world.unprepare(&claim));
        everywhere(&KILLS, set_up, act, |world, trip| {
            after_restart(world, &claim, &before, trip)
        });
    }
}

#[test]
fn killed_again_while_recovering() {
    let (claim, before) = (vlan_and_mac(), World::new().fake.dump());
    let set_up = || {
        let mut world = World::new();
        world.fake.arm(Fault::After(4));
        world.prepare(&claim).unwrap_err();
        world.fake.restart();
        world.engine = engine(&world.fake, world.dir.path());
        world
    };
    let act = |world: &World| drop(world.engine.recover(soon()));
    everywhere(&KILLS, set_up, act, |world, trip| {
        after_restart(world, &claim, &before, trip)
    });
}

#[test]
fn refused_in_prepare() {
    for claim in claims() {
        let before = World::new().fake.dump();
        let act = |world: &World| drop(world.prepare(&claim));
        everywhere(&REFUSALS, World::new, act, |world, trip| {
            world.fake.restart();
            if let Fault::Fail(_) = trip {
                assert_eq!(
                    (world.record(&claim), world.fake.dump().as_str()),
                    (None, before.as_str())
                );
            }
            as_before(world, &claim, &before, trip);
            assert_eq!(world.engine.damaged().unwrap(), []);
        });
    }
}

#[test]
fn refused_in_unprepare() {
    for claim in claims() {
        let before = World::new().fake.dump();
        let set_up = || {
            let world = World::new();
            world.prepare(&claim).unwrap();
            world
        };
        let act = |world: &World| {
            let error = world.unprepare(&claim);
            let releasing = world.engine.releasing().unwrap();
            assert_eq!(
                error.is_err(),
                !releasing.is_empty(),
                "{error:?} {releasing:?}"
            );
        };
        everywhere(&REFUSALS, set_up, act, |world, trip| {
            world.fake.restart();
            as_before(world, &claim, &before, trip);
        });
    }
}

/// A PF with VFs, one of which has a past.
fn port() -> World {
    let world = World::new();
    let vf = VfAddress {
        pf: "0000:01:00.0".parse().unwrap(),
        index: 1,
    };
    for setting in [
        VfSetting::Mac(Mac([2, 0, 0, 0, 0, 0x77])),
        VfSetting::Trust(true),
    ] {
        world.fake.set_vf(&vf, &setting).unwrap();
    }
    let bound = Binding {
        driver: Some("vfio-pci".into()),
        driver_override: Some("vfio-pci".into()),
    };
    world
        .fake
        .set_driver(
            &DeviceId::from_name("0000-02-10-4").unwrap(),
            &bound,
            soon(),
        )
        .unwrap();
    world
        .fake
        .reprobe(&DeviceId::from_name("0000-02-10-2").unwrap())
        .unwrap();
    world
}

/// VFs that are made again are others than before; in all else they must be equal.
fn but_incarnations(dump: &str) -> String {
    let number = |line: &str| {
        line.split(' ')
            .nth(2)
            .filter(|_| line.contains(" incarnation "))
            .map(str::to_owned)
    };
    dump.lines()
        .map(|line| number(line).map_or(line.to_owned(), |n| line.replacen(&n, "_", 1)) + "\n")
        .collect()
}

#[test]
fn a_pf_comes_back_with_its_vfs_whatever_kills_its_claim() {
    for driver in ["", "vfio-pci"] {
        let claim = claim("pf", &["0000-01-00-0"], json!({"driver": driver}));
        let before = but_incarnations(&port().fake.dump());
        let set_up = || {
            let world = port();
            world.prepare(&claim).unwrap();
            if driver.is_empty() {
                world.attach(&claim, "net1");
            }
            world
        };
        let then = |world: &mut World, trip: Fault| {
            let failed = world.restart();
            assert!(failed.is_empty(), "{trip:?}: {failed:?}");
            world
                .unprepare(&claim)
                .unwrap_or_else(|error| panic!("{trip:?}: {error}"));
            assert_eq!(but_incarnations(&world.fake.dump()), before, "{trip:?}");
            assert_eq!(world.files(), [""; 0], "{trip:?}");
        };
        everywhere(&KILLS, port, |world| drop(world.prepare(&claim)), then);
        everywhere(&KILLS, set_up, |world| drop(world.unprepare(&claim)), then);
    }
}
