//! Killed, or refused, at every write of prepare and of unprepare, the kernel's and the files', on
//! every make of devices.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    personalities::{Personality, all_of, for_each_personality, is_for_pods, live, print, shown},
    *,
};
use crate::{
    device::{Binding, Mac, VfAddress, VfSetting},
    host::fake::{Fault, Quirks},
};

pub(super) const KILLS: [fn(u32) -> Fault; 3] = [Fault::Before, Fault::During, Fault::After];
const REFUSALS: [fn(u32) -> Fault; 2] = [Fault::Fail, Fault::FailFrom];

/// What happens to a prepared claim before it is released.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Pod {
    Never,
    Gone,
    Leaked,
    Running,
}

const PODS: [Pod; 4] = [Pod::Never, Pod::Gone, Pod::Leaked, Pod::Running];

impl Pod {
    fn live(self, world: &World, claim: &AllocatedClaim) {
        if self == Self::Never || !is_for_pods(world, claim) {
            return;
        }
        live(world, claim, POD);
        match self {
            Self::Gone => world.fake.destroy_netns(Path::new(POD)),
            Self::Leaked => world.fake.leak_netns(Path::new(POD)),
            Self::Never | Self::Running => {}
        }
    }
}

/// A world with the claim prepared, and a pod that has it or had it.
fn prepared(make: &Personality, claim: &AllocatedClaim, pod: Pod) -> World {
    let world = make.world();
    world.prepare(claim).unwrap();
    pod.live(&world, claim);
    world
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

/// Runs `act` with every trip at every write; `then` is what must hold. Returns how often.
pub(super) fn everywhere(
    trips: &[fn(u32) -> Fault],
    set_up: impl Fn() -> World + Sync,
    act: impl Fn(&World) + Sync,
    then: impl Fn(&mut World, Fault) + Sync,
) -> usize {
    let writes = 1..=count(&set_up(), &act);
    let cases: Vec<Fault> = writes
        .flat_map(|at| trips.iter().map(move |trip| trip(at)))
        .collect();
    all_of(&cases, |fault| {
        let mut world = set_up();
        world.fake.arm(*fault);
        act(&world);
        then(&mut world, *fault);
    });
    cases.len()
}

/// The claim is released (if it is still held), and nothing at all is left of it; then it can be
/// prepared again.
fn as_before(world: &World, claim: &AllocatedClaim, before: &str, trip: Fault) {
    let name = &claim.claim;
    let released = || {
        let failed = |error| panic!("{name}, {trip:?}: {error}");
        world.unprepare(claim).unwrap_or_else(failed);
        assert_eq!(shown(world), before, "{name}, {trip:?}");
        assert_eq!(world.files(), [""; 0], "{name}, {trip:?}");
    };
    released();
    world
        .prepare(claim)
        .unwrap_or_else(|error| panic!("{name}, {trip:?}: {error}"));
    released();
    assert_eq!(world.fake.exposed(), [""; 0], "{name}, {trip:?}");
}

/// After a restart nothing is half done.
pub(super) fn after_restart(world: &mut World, claim: &AllocatedClaim, before: &str, trip: Fault) {
    let failed = world.restart();
    assert!(failed.is_empty(), "{trip:?}: {failed:?}");
    match world.record(claim) {
        None => assert_eq!(
            (shown(world).as_str(), world.files().len()),
            (before, 0),
            "{trip:?}"
        ),
        Some(record) => assert_eq!(record.phase, crate::ledger::Phase::Prepared, "{trip:?}"),
    }
    as_before(world, claim, before, trip);
}

fn killed(make: Personality) {
    let (cases, before) = (AtomicUsize::new(0), shown(&make.world()));
    for claim in (make.claims)() {
        let then = |world: &mut World, trip: Fault| after_restart(world, &claim, &before, trip);
        let prepare = |world: &World| drop(world.prepare(&claim));
        let here = everywhere(&KILLS, || make.world(), prepare, then);
        cases.fetch_add(here, Ordering::SeqCst);
        for pod in pods(&make, &claim) {
            let unprepare = |world: &World| drop(world.unprepare(&claim));
            let here = everywhere(&KILLS, || prepared(&make, &claim, pod), unprepare, then);
            cases.fetch_add(here, Ordering::SeqCst);
        }
    }
    let cases = cases.into_inner();
    print(&format!("{}: killed in {cases} cases", make.name));
}

/// What becomes of the claim's pod: of the first claim everything, of the others one thing.
fn pods(make: &Personality, claim: &AllocatedClaim) -> Vec<Pod> {
    let world = make.world();
    world.prepare(claim).unwrap();
    let is_first = (make.claims)()[0].claim == claim.claim;
    match (is_for_pods(&world, claim), is_first) {
        (false, _) => vec![Pod::Never],
        (true, true) => PODS.to_vec(),
        (true, false) => vec![Pod::Running],
    }
}

mod killed_at_every_write {
    super::for_each_personality!(super::killed);
}

fn refused(make: Personality) {
    let (mut cases, before) = (0, shown(&make.world()));
    for claim in (make.claims)() {
        let prepare = |world: &World| drop(world.prepare(&claim));
        cases += everywhere(
            &REFUSALS,
            || make.world(),
            prepare,
            |world, trip| {
                world.fake.restart();
                if let Fault::Fail(_) = trip {
                    let now = (world.record(&claim), shown(world));
                    assert_eq!(now, (None, before.clone()), "{} {trip:?}", claim.claim);
                }
                as_before(world, &claim, &before, trip);
                assert_eq!(world.engine.damaged().unwrap(), []);
            },
        );
        let unprepare = |world: &World| {
            let error = world.unprepare(&claim);
            let releasing = world.engine.releasing().unwrap();
            let unanswered = !releasing.is_empty();
            assert_eq!(error.is_err(), unanswered, "{error:?} {releasing:?}");
        };
        for pod in pods(&make, &claim) {
            let set_up = || prepared(&make, &claim, pod);
            cases += everywhere(&REFUSALS, set_up, unprepare, |world, trip| {
                world.fake.restart();
                as_before(world, &claim, &before, trip);
            });
        }
    }
    print(&format!("{}: refused in {cases} cases", make.name));
}

mod refused_at_every_write {
    super::for_each_personality!(super::refused);
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

/// A PF with VFs, one of which has a past.
fn port(quirks: &Quirks) -> World {
    let world = World {
        time: Duration::from_secs(60),
        ..World::new()
    };
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
    let third = DeviceId::from_name("0000-02-10-4").unwrap();
    world.fake.set_driver(&third, &bound, soon()).unwrap();
    let second = DeviceId::from_name("0000-02-10-2").unwrap();
    world.fake.reprobe(&second).unwrap();
    world.fake.set_quirks(quirks.clone());
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

fn a_pf_comes_back(quirks: &Quirks, driver: &str) {
    let port = || port(quirks);
    let claim = claim("pf", &["0000-01-00-0"], json!({"driver": driver}));
    let before = but_incarnations(&shown(&port()));
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
        assert_eq!(but_incarnations(&shown(world)), before, "{trip:?}");
        assert_eq!(world.files(), [""; 0], "{trip:?}");
    };
    let mut cases = everywhere(&KILLS, port, |world| drop(world.prepare(&claim)), then);
    cases += everywhere(&KILLS, set_up, |world| drop(world.unprepare(&claim)), then);
    cases += everywhere(
        &REFUSALS,
        set_up,
        |world| drop(world.unprepare(&claim)),
        then,
    );
    let name = quirks.name;
    print(&format!(
        "{name:?}: a PF with driver {driver:?} in {cases} cases"
    ));
}

#[test]
fn a_pf_comes_back_with_its_vfs_whatever_kills_its_claim() {
    for driver in ["", "vfio-pci"] {
        a_pf_comes_back(&Quirks::default(), driver);
    }
}

#[test]
fn a_pf_of_any_make_comes_back_with_its_vfs_whatever_kills_its_claim() {
    for quirks in [Quirks::ice(), Quirks::mlx5(), Quirks::qede()] {
        a_pf_comes_back(&quirks, "");
    }
}
