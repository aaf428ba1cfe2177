//! State on disk that commit bc885c8 wrote (`e2e/fixtures/state-v1`): today's code reads it, keeps
//! what stands, and restores the host from it. An agent is upgraded, and downgraded, while claims
//! are held.

mod fixture;

use std::fs::{self, File};

use super::*;
use crate::ledger::{ClaimOwner, LockError, Store};
use fixture::{Fixture, Node};

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_record_keeps_its_name_keys_and_tags() {
    for fixture in fixture::all() {
        let node = fixture.node();
        let paths = Paths::below(&node.world.dir.path().join("again"));
        let store = Store::<ClaimOwner>::new(&paths, Default::default());
        let record = node.world.record(fixture.claim()).unwrap();
        store.save(&record).unwrap();
        let files = below(&node.world.engine.paths.records());
        assert_eq!(files.len(), 1, "{}", fixture.name);
        let file = Path::new(&files[0]);
        let again = paths.records().join(file.file_name().unwrap());
        assert_eq!(json(&again), json(file), "{}", fixture.name);
    }
}

/// Adds a field to every object of a record that is a struct: not to maps of texts, to enums with a
/// tag, or to the kernel's values.
fn add_later(value: &mut Value, added: &mut usize) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| add_later(one, added)),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                match (key.as_str(), field) {
                    ("env" | "info" | "published" | "routes" | "vlan", _) => {}
                    ("steps", steps) => add_to_steps(steps, added),
                    (_, field) => add_later(field, added),
                }
            }
            fields.insert("later".into(), json!({ "n": *added }));
            *added += 1;
        }
        _ => {}
    }
}

fn add_to_steps(steps: &mut Value, added: &mut usize) {
    for step in steps.as_array_mut().unwrap() {
        let Some((tag, inner)) = step.as_object_mut().and_then(|step| step.iter_mut().next())
        else {
            continue;
        };
        let mut values = Vec::new();
        if ["vf", "link"].contains(&tag.as_str()) {
            values = ["from", "to"].map(|key| (key, inner[key].take())).into();
        }
        add_later(inner, added);
        values
            .into_iter()
            .for_each(|(key, value)| inner[key] = value);
    }
}

#[test]
fn what_a_later_version_adds_to_a_record_survives() {
    for fixture in fixture::all() {
        let (node, mut added) = (fixture.node(), 0);
        let files = below(&node.world.engine.paths.records());
        let file = Path::new(&files[0]);
        let mut later = json(file);
        add_later(&mut later, &mut added);
        assert!(added > 3, "{}: {added}", fixture.name);
        crate::files::write_atomic(file, later.to_string().as_bytes(), 0o600).unwrap();
        let record = node.world.record(fixture.claim()).unwrap();
        node.world.engine.store.save(&record).unwrap();
        assert_eq!(json(file), later, "{}", fixture.name);
    }
}

#[test]
fn a_claim_with_additions_of_a_later_version_stands_and_is_restored() {
    for fixture in fixture::standing() {
        let node = fixture.node();
        let files = below(&node.world.engine.paths.records());
        let file = Path::new(&files[0]);
        let mut later = json(file);
        add_later(&mut later, &mut 0);
        crate::files::write_atomic(file, later.to_string().as_bytes(), 0o600).unwrap();
        let _ = node.world.fake.take_log();
        let answer = node.world.prepare(fixture.claim()).unwrap();
        assert_eq!(Some(&answer), fixture.answer(), "{}", fixture.name);
        assert_eq!(node.world.fake.take_log(), [""; 0], "{}", fixture.name);
        assert_eq!(json(file), later, "{}", fixture.name);
        node.world.unprepare(fixture.claim()).unwrap();
        fixture.is_restored(&node);
    }
}

/// A tag that no fixture has is one whose change nobody would see.
#[test]
fn the_records_have_every_tag_that_is_written() {
    let records = fixture::all()
        .iter()
        .map(Fixture::record_text)
        .collect::<String>();
    let phases = ["Preparing", "Prepared", "Unpreparing"];
    let steps = ["vfs", "home", "driver", "vf", "reload", "link"];
    let values = [
        "vlan",
        "rate",
        "spoofChk",
        "trust",
        "linkState",
        "mac",
        "mtu",
    ];
    let demands = ["no", "wish", "must"];
    let attributes = ["string", "int", "bool", "version"];
    let others = [
        "pod", "none", "802.1q", "802.1ad", "auto", "enable", "disable",
    ];
    for tag in [&phases[..], &steps, &values, &demands, &attributes, &others].concat() {
        assert!(
            records.contains(&format!("\"{tag}\"")),
            "no record has {tag}"
        );
    }
}

#[test]
fn what_containers_see_is_written_anew_byte_by_byte() {
    for fixture in fixture::standing() {
        let node = fixture.node();
        let paths = &node.world.engine.paths;
        for dir in [paths.cdi.clone(), paths.attached()] {
            drop(fs::remove_dir_all(dir));
        }
        let failed = node.world.engine.recover(soon()).unwrap();
        assert!(failed.is_empty(), "{}: {failed:?}", fixture.name);
        assert_eq!(node.texts(), fixture.texts(), "{}", fixture.name);
    }
}

#[test]
fn a_standing_claim_is_left_alone_and_answered_as_before() {
    for fixture in fixture::standing() {
        let mut node = fixture.node();
        let held = node.world.fake.dump();
        let _ = node.world.fake.take_log();
        assert!(node.world.restart().is_empty(), "{}", fixture.name);
        let answer = node.world.prepare(fixture.claim()).unwrap();
        assert_eq!(Some(&answer), fixture.answer(), "{}", fixture.name);
        assert_eq!(node.world.fake.take_log(), [""; 0], "{}", fixture.name);
        assert_eq!(node.world.fake.dump(), held, "{}", fixture.name);
        assert_eq!(node.texts(), fixture.texts(), "{}", fixture.name);
    }
}

#[test]
fn unprepare_restores_the_host() {
    for fixture in fixture::all() {
        let node = fixture.node();
        node.world.unprepare(fixture.claim()).unwrap();
        fixture.is_restored(&node);
    }
}

#[test]
fn recovery_restores_the_host_of_a_claim_that_was_in_progress() {
    let in_progress: Vec<Fixture> = fixture::all()
        .into_iter()
        .filter(|fixture| !fixture.record_text().contains(r#""phase": "Prepared""#))
        .collect();
    assert_eq!(in_progress.len(), 6);
    for fixture in in_progress {
        let mut node = fixture.node();
        assert!(node.world.restart().is_empty(), "{}", fixture.name);
        fixture.is_restored(&node);
    }
}

#[test]
fn recovery_detaches_from_a_pod_that_is_gone_or_was_never_finished() {
    let attached = |fixture: &Fixture| !fixture.record_text().contains(r#""attachment": null"#);
    for fixture in fixture::all().into_iter().filter(attached) {
        let mut node = fixture.node();
        node.world.fake.destroy_netns(Path::new(POD));
        assert!(node.world.restart().is_empty(), "{}", fixture.name);
        let record = node.world.record(fixture.claim());
        let mut devices = record.iter().flat_map(|record| &record.devices);
        assert!(devices.all(|device| device.attachment.is_none()));
        assert_eq!(below(&node.world.engine.paths.attached()), [""; 0]);
        node.world.unprepare(fixture.claim()).unwrap();
        fixture.is_restored(&node);
    }
}

/// What is written today an earlier version can read: it is the same.
#[test]
fn the_same_claim_leads_to_the_same_state() {
    let attached = |fixture: &Fixture| fixture.record_text().contains(r#""sandbox""#);
    for fixture in fixture::standing()
        .into_iter()
        .filter(|fixture| !attached(fixture) && !fixture.has_unclear_mac())
    {
        let node = fixture.free_node();
        let published = node.published.clone();
        node.world
            .engine
            .remember(Box::new(move |_| published.clone()));
        let answer = node.world.prepare(fixture.claim()).unwrap();
        assert_eq!(Some(&answer), fixture.answer(), "{}", fixture.name);
        assert_eq!(node.texts(), fixture.texts(), "{}", fixture.name);
        // That version left a fresh netdev as its driver makes it.
        if !fixture.record_text().contains("\"reload\"") {
            fixture.is_held(&node);
        }
    }
}

/// The files that the earlier version locks are those that today's code waits for.
#[test]
fn the_earlier_versions_locks_exclude() {
    let mut kinds = BTreeSet::new();
    for fixture in fixture::all() {
        let node = fixture.node();
        let paths = &node.world.engine.paths;
        let files = [below(&paths.locks()), below(&paths.vf_locks)].concat();
        for file in files {
            let locked = File::open(&file).unwrap();
            locked.lock().unwrap();
            let (kind, refused) = take(&node, &file);
            let work = fs::read_to_string(&file).unwrap();
            let text = match work.as_str() {
                "sriov-dra" => "is locked by another program",
                work => work,
            };
            let error = refused.expect_err(&file).to_string();
            assert!(
                error.starts_with("busy: ") && error.contains(text),
                "{file}: {error}"
            );
            kinds.insert(kind);
        }
    }
    assert_eq!(kinds, BTreeSet::from(["claim", "device", "pf"]));
}

/// Today's lock that this file's name stands for.
fn take(node: &Node, file: &str) -> (&'static str, Result<(), LockError>) {
    let (locks, now) = (node.world.engine.locks(), Deadline::after(Duration::ZERO));
    let name = Path::new(file).file_stem().unwrap().to_str().unwrap();
    match name.split_once('-') {
        Some(("claim", uid)) => (
            "claim",
            locks.claim(&uid.parse().unwrap(), "", now).map(drop),
        ),
        Some(("pf", pf)) => ("pf", locks.pf(&pf.parse().unwrap(), "", now).map(drop)),
        _ => (
            "device",
            locks
                .device(&DeviceId::Pci(name.parse().unwrap()), "", now)
                .map(drop),
        ),
    }
}
