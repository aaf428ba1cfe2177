#[path = "tests/nesting.rs"]
mod nesting;

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::*;
use crate::ledger::{AttachmentOwner, ClaimRef, Demand, Phase, PortOwner, Step};

const UID: &str = "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e";

fn record(devices: u32) -> Record {
    let device = |number: u32| DeviceRecord {
        id: DeviceId::from_name(&format!(
            "0000-{:02x}-{:02x}-{}",
            number / 256,
            number / 8 % 32,
            number % 8
        ))
        .unwrap(),
        incarnation: 7,
        request: "nic".into(),
        slice_pool: "node".into(),
        share_id: None,
        admin_access: false,
        cdi: vec![],
        nodes: Vec::new(),
        extras: Default::default(),
        steps: vec![],
        netdev: None,
        attachment: None,
        definition: None,
        ipam: None,
        network: None,
        used: None,
        mirrored: false,
        published: Default::default(),
        unknown: Default::default(),
    };
    Record {
        version: VERSION,
        owner: ClaimOwner {
            claim: ClaimRef {
                uid: UID.parse().unwrap(),
                namespace: "web".into(),
                name: "nic".into(),
            }
            .into(),
            pod_claim_name: None,
            reserved_for: vec![],
        },
        phase: Phase::Preparing,
        releasing_since: None,
        devices: (0..devices).map(device).collect(),
        unknown: Default::default(),
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(&Paths::below(dir.path()), Disk::default());
    (dir, store)
}

fn only_file(store: &Store) -> PathBuf {
    let files: Vec<PathBuf> = fs::read_dir(&store.dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

#[test]
fn a_record_without_published_attributes_is_as_it_was_before_there_were_any() {
    let mut record = record(1);
    let old = serde_json::to_string(&record).unwrap();
    assert!(!old.contains("published"));
    assert_eq!(serde_json::from_str::<Record>(&old).unwrap(), record);
    record.devices[0]
        .published
        .insert("pool".into(), "intel.com/upf".into());
    let new = serde_json::to_string(&record).unwrap();
    assert_eq!(serde_json::from_str::<Record>(&new).unwrap(), record);
}

#[test]
fn the_owners_fields_are_those_of_the_record_in_their_old_place() {
    let text = serde_json::to_string(&record(1)).unwrap();
    let start = format!(
        r#"{{"version":1,"claim":{{"uid":"{UID}","namespace":"web","name":"nic"}},"podClaimName":null,"reservedFor":[],"phase":"Preparing","devices":[{{"#
    );
    assert!(text.starts_with(&start), "{text}");
    assert!(
        text.contains(r#""request":"nic","pool":"node","shareId":null"#),
        "{text}"
    );
}

#[test]
fn tags_in_records_do_not_follow_names_in_the_code() {
    let tag = |demand| serde_json::to_string(&demand).unwrap();
    let demands = [Demand::No, Demand::IfAvailable, Demand::Required];
    assert_eq!(demands.map(tag), [r#""no""#, r#""wish""#, r#""must""#]);
    let state = r#"{"name":"eth0","altnames":[],"mac":null,"mtu":1500,"up":false}"#;
    let step = format!(r#"{{"home":{state}}}"#);
    let read: Step = serde_json::from_str(&step).unwrap();
    assert!(matches!(read, Step::Netdev(_)));
    assert_eq!(serde_json::to_string(&read).unwrap(), step);
    let vfs = format!(
        r#"{{"vfs":[{{"vf":{{"pf":"0000:3b:00.0","index":0}},"settings":null,"binding":{{"driver":null,"driverOverride":null}},"home":{state}}}]}}"#
    );
    let read: Step = serde_json::from_str(&vfs).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), vfs);
}

#[test]
fn a_record_is_kept_replaced_and_forgotten() {
    let (_dir, store) = store();
    let mut record = record(2);
    assert_eq!(store.load(&record.owner.claim.uid).unwrap(), None);
    store.save(&record).unwrap();
    record.phase = Phase::Prepared;
    store.save(&record).unwrap();
    assert_eq!(
        store.load(&record.owner.claim.uid).unwrap().as_ref(),
        Some(&record)
    );
    let path = only_file(&store);
    assert_eq!(
        path.file_name().unwrap().to_str().unwrap(),
        format!("{UID}+0000-00-00-0+0000-00-00-1.json")
    );
    assert_eq!(
        fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    store.remove(&record.owner.claim.uid).unwrap();
    store.remove(&record.owner.claim.uid).unwrap();
    assert_eq!(store.all().unwrap(), []);
}

#[test]
fn other_devices_of_the_same_claim_replace_its_file() {
    let (_dir, store) = store();
    store.save(&record(2)).unwrap();
    store.save(&record(1)).unwrap();
    only_file(&store);
}

#[test]
fn the_file_name_stays_within_what_the_file_system_takes() {
    let (_dir, store) = store();
    store.save(&record(32)).unwrap();
    let titles = store.titles().unwrap();
    assert!(titles[0].more && titles[0].devices.len() > 10, "{titles:?}");
    assert_eq!(store.all().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_read_still_names_its_devices_and_is_kept() {
    let (_dir, store) = store();
    store.save(&record(1)).unwrap();
    let path = only_file(&store);
    for (content, why) in [
        ("{", "EOF while parsing"),
        (
            r#"{"version": 2, "all": "new"}"#,
            "format version 2 is newer than this program's 1",
        ),
        (
            &serde_json::to_string(&record(1))
                .unwrap()
                .replace("4f3e", "0000"),
            "its content is of claim",
        ),
    ] {
        crate::files::write_atomic(&path, content.as_bytes(), 0o600).unwrap();
        let [
            Entry::Unreadable {
                key: uid,
                devices,
                why: found,
            },
        ] = &store.all().unwrap()[..]
        else {
            panic!("{content}")
        };
        assert_eq!(
            (uid.as_str(), devices),
            (UID, &vec![record(1).devices[0].id])
        );
        assert!(found.contains(why), "{found}");
        assert!(matches!(
            store.load(uid),
            Err(StoreError::Unreadable { .. })
        ));
    }
}

#[test]
fn additions_of_a_later_minor_version_are_kept() {
    let (_dir, store) = store();
    store.save(&record(1)).unwrap();
    let path = only_file(&store);
    let mut later: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    later["later"] = json!([{ "deep": 1.5 }]);
    later["claim"]["later"] = json!(-1);
    later["devices"][0]["later"] = json!(u64::MAX);
    later["devices"][0]["extras"]["later"] = Value::Null;
    crate::files::write_atomic(&path, later.to_string().as_bytes(), 0o600).unwrap();

    let mut read = store.load(&UID.parse().unwrap()).unwrap().unwrap();
    assert_eq!(read, record(1), "what this version knows decides");
    read.phase = Phase::Prepared;
    later["phase"] = json!("Prepared");
    store.save(&read.clone()).unwrap();
    let saved: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(saved, later);
}

/// The one device's record with this step, as text.
fn with_step(record: &Record, step: Value) -> String {
    let mut value = serde_json::to_value(record).unwrap();
    value["devices"][0]["steps"] = json!([step]);
    value.to_string()
}

#[test]
fn a_record_with_a_step_or_phase_of_a_later_version_is_kept_and_holds_its_devices() {
    let (_dir, store) = store();
    for devices in [1, 32] {
        let record = record(devices);
        store.save(&record).unwrap();
        let path = only_file(&store);
        let text = serde_json::to_string(&record).unwrap();
        let phase = text.replace(r#""Preparing""#, r#""Parked""#);
        for later in [with_step(&record, json!({"park": {"at": 7}})), phase] {
            crate::files::write_atomic(&path, later.as_bytes(), 0o600).unwrap();
            let [entry @ Entry::Unreadable { why, .. }] = &store.all().unwrap()[..] else {
                panic!("{later}")
            };
            assert!(why.contains("unknown variant"), "{why}");
            assert_eq!(entry.held(), record.held().collect::<Vec<_>>());
            let last = record.held().last().unwrap();
            let holder = store.holder(&BTreeSet::from([last])).unwrap();
            assert_eq!(holder, Some((last, UID.parse().unwrap())));
            assert_eq!(fs::read_to_string(&path).unwrap(), later);
        }
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let (_dir, store) = store();
    crate::files::write_atomic(&store.dir.join(".x.tmp"), b"", 0o600).unwrap();
    crate::files::write_atomic(&store.dir.join("README"), b"", 0o600).unwrap();
    assert_eq!(store.all().unwrap(), []);
}

/// The same devices, of another owner.
fn owned_by<O: Owner>(owner: O) -> Record<O> {
    let Record {
        version,
        phase,
        devices,
        ..
    } = record(1);
    Record {
        version,
        owner,
        phase,
        releasing_since: None,
        devices,
        unknown: Default::default(),
    }
}

fn is_kept_apart<O: Owner>(owner: O, file: &str) {
    let dir = tempfile::tempdir().unwrap();
    let paths = Paths::below(dir.path());
    let (store, claims): (Store<O>, Store) = (
        Store::new(&paths, Disk::default()),
        Store::new(&paths, Disk::default()),
    );
    claims.save(&record(0)).unwrap();
    let record = owned_by(owner);
    store.save(&record).unwrap();
    let key = record.owner.key();
    assert!(paths.run.join(file).exists(), "{file}");
    assert_eq!(store.load(key).unwrap(), Some(record.clone()));
    only_file(&claims);

    let path = paths.run.join(file);
    let mut later: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    later["later"] = json!(1);
    crate::files::write_atomic(&path, later.to_string().as_bytes(), 0o600).unwrap();
    store.save(&store.load(key).unwrap().unwrap()).unwrap();
    let saved: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(saved, later);

    let device = record.devices[0].id;
    let holder = || store.holder(&BTreeSet::from([device])).unwrap();
    assert_eq!(holder(), Some((device, key.clone())));
    assert_eq!(store.holder(&BTreeSet::new()).unwrap(), None);
    store.remove(key).unwrap();
    assert_eq!(holder(), None);
    only_file(&claims);
}

#[test]
fn records_of_other_owners_lie_in_directories_of_their_own() {
    let attachment = "5c0ffee.net1".parse().unwrap();
    is_kept_apart(
        AttachmentOwner {
            attachment,
            call: None,
        },
        "attachments/5c0ffee.net1+0000-00-00-0.json",
    );
    let port = "0000:3b:00.0".parse().unwrap();
    is_kept_apart(PortOwner { port }, "ports/0000:3b:00.0+0000-00-00-0.json");
}

#[test]
fn a_holder_that_does_not_fit_in_the_file_name_is_found_in_the_file() {
    let (_dir, store) = store();
    let record = record(32);
    store.save(&record).unwrap();
    let last = record.devices[31].id;
    let holder = store.holder(&BTreeSet::from([last])).unwrap();
    assert_eq!(holder, Some((last, record.owner.claim.uid.clone())));
}
