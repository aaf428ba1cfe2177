use std::os::unix::fs::PermissionsExt;

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
        published: Default::default(),
    };
    Record {
        version: VERSION,
        owner: ClaimOwner {
            claim: ClaimRef {
                uid: UID.parse().unwrap(),
                namespace: "web".into(),
                name: "nic".into(),
            },
            pod_claim_name: None,
            reserved_for: vec![],
        },
        phase: Phase::Preparing,
        devices: (0..devices).map(device).collect(),
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
fn additions_of_a_later_minor_version_are_ignored() {
    let mut value = serde_json::to_value(record(1)).unwrap();
    value["later"] = true.into();
    assert_eq!(parse(value.to_string().as_bytes()), Ok(record(1)));
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
        devices,
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
        AttachmentOwner { attachment },
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
    assert_eq!(holder, Some((last, record.owner.claim.uid)));
}
