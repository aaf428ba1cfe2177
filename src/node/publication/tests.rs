//! What a scan of the host and the records finds of claimed and driverless devices.

use serde_json::json;

use super::*;
use crate::{
    api::{Attribute, ConfigSource, OpaqueConfig},
    claim::{AllocatedClaim, AllocatedDevice, Identity},
    deadline::Deadline,
    host::fake::Fake,
    ledger::ClaimRef,
    paths::Paths,
    pool::Assignment,
    slice::{DeviceRef, Features},
};

const DRIVER: &str = "sriov-dra.io";

fn engine(fake: &Fake, dir: &std::path::Path) -> Engine {
    let identity = Identity {
        driver_name: DRIVER.into(),
        node_name: "node".into(),
        drivers: vec![],
    };
    Engine::new(Arc::new(fake.clone()), Paths::below(dir), identity)
}

const NO_DEFAULTS: claim::PoolDefaults = claim::PoolDefaults::Known(BTreeMap::new());

/// A claim of the VF for vfio-pci.
fn claim(device: &str) -> AllocatedClaim {
    let parameters = json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "DeviceConfig", "driver": "vfio-pci"});
    AllocatedClaim {
        extended: false,
        pod_name: None,
        definitions: Default::default(),
        networks: Default::default(),
        claim: ClaimRef {
            uid: "c1".parse().unwrap(),
            namespace: "web".into(),
            name: "net".into(),
        },
        pod_claim_name: None,
        reserved_for: vec![],
        devices: vec![AllocatedDevice {
            request: "nic".into(),
            class: Some("vf".into()),
            device: DeviceRef {
                driver: DRIVER.into(),
                slice_pool: "node".into(),
                device: device.to_owned(),
            },
            admin_access: false,
            share_id: None,
        }],
        configs: vec![OpaqueConfig {
            source: ConfigSource::Class,
            requests: vec![],
            parameters,
        }],
    }
}

#[test]
fn functions_that_no_claim_could_get_a_driver_for_are_tainted_unless_a_claim_has_them() {
    let (fake, dir) = (Fake::igb(), tempfile::tempdir().unwrap());
    let engine = engine(&fake, dir.path());
    engine
        .prepare(
            &claim("0000-02-10-0"),
            &NO_DEFAULTS,
            Deadline::after(Duration::from_secs(5)),
        )
        .unwrap();
    assert_eq!(scan(&engine, DRIVER).unwrap().taints, BTreeMap::new());
    ["igbvf", "vfio-pci"]
        .iter()
        .for_each(|driver| fake.unload(driver));
    let scan = scan(&engine, DRIVER).unwrap();
    let claimed = DeviceId::from_name("0000-02-10-0").unwrap();
    let free = scan
        .inventory
        .functions
        .iter()
        .filter(|function| function.is_part() && function.id != claimed);
    let expected = free
        .map(|vf| {
            (
                vf.id,
                vec![Taint::no_schedule(DRIVER, Reason::DriverMissing)],
            )
        })
        .collect();
    assert_eq!(scan.taints, expected);
}

#[test]
fn a_claimed_device_says_what_it_said_before_even_when_all_slices_are_gone_and_the_agent_is_new() {
    let (fake, dir) = (Fake::igb(), tempfile::tempdir().unwrap());
    let (name, features) = (
        "0000-02-10-0",
        Features {
            counters: true,
            taints: true,
        },
    );
    let slices = |scan: &Scan, published: &Published| {
        let input = PublishInput {
            driver: DRIVER,
            inventory: &scan.inventory,
            claimed: &scan.claimed,
            taints: &scan.taints,
            pools: Some(&Assignment::default()),
            policy_attributes: None,
            published: &with_recorded(published, &scan.recorded),
        };
        let desired = publish::slices(&input);
        let all = desired
            .slices
            .iter()
            .flat_map(Slice::devices)
            .map(|device| (device.name.clone(), device.clone()));
        Published {
            devices: all.collect(),
            features,
        }
    };
    let wiped = Published {
        devices: BTreeMap::new(),
        features,
    };
    let first = engine(&fake, dir.path());
    let mut before = slices(&scan(&first, DRIVER).unwrap(), &wiped);
    let device = before.devices.get_mut(name).unwrap();
    device.attributes.extend([
        ("rdma".to_owned(), Attribute::Bool(true)),
        ("pool".to_owned(), "a.b/c".into()),
    ]);
    let known = before.clone();
    first.remember(Box::new(move |id| {
        known.devices[&id.name()].attributes.clone()
    }));
    first
        .prepare(
            &claim(name),
            &NO_DEFAULTS,
            Deadline::after(Duration::from_secs(5)),
        )
        .unwrap();

    let scan = scan(&engine(&fake, dir.path()), DRIVER).unwrap();
    let vf = scan
        .inventory
        .functions
        .iter()
        .find(|function| function.id.name() == name)
        .unwrap();
    assert_eq!(vf.binding.driver.as_deref(), Some("vfio-pci"));
    assert_eq!(slices(&scan, &wiped).devices[name], before.devices[name]);
    let mut newer = before.clone();
    newer
        .devices
        .get_mut(name)
        .unwrap()
        .attributes
        .insert("pool".to_owned(), "d.e/f".into());
    assert_eq!(
        slices(&scan, &newer).devices[name],
        newer.devices[name],
        "slices know better than records"
    );
}

/// What is published of a scan on a server that keeps nothing.
fn on_an_old_server(scan: &Scan) -> BTreeMap<String, Device> {
    let features = Features {
        counters: false,
        taints: false,
    };
    let published = Published {
        devices: BTreeMap::new(),
        features,
    };
    let desired = publish::slices(&PublishInput {
        driver: DRIVER,
        inventory: &scan.inventory,
        claimed: &scan.claimed,
        taints: &scan.taints,
        pools: Some(&Assignment::default()),
        policy_attributes: None,
        published: &published,
    });
    let devices = desired.slices.iter().flat_map(Slice::devices);
    devices
        .map(|device| (device.name.clone(), device.clone()))
        .collect()
}

#[test]
fn without_taints_a_damaged_device_is_in_no_slice_until_it_is_healthy_and_a_claimed_one_is() {
    let (fake, dir) = (Fake::igb(), tempfile::tempdir().unwrap());
    let engine = engine(&fake, dir.path());
    let deadline = || Deadline::after(Duration::from_secs(5));
    let (held, damaged) = ("0000-02-10-0", "0000-02-10-2");
    engine
        .prepare(&claim(held), &NO_DEFAULTS, deadline())
        .unwrap();
    let all = on_an_old_server(&scan(&engine, DRIVER).unwrap());
    assert!(all.contains_key(held) && all.contains_key(damaged));
    let record = Paths::below(dir.path())
        .records()
        .join(format!("c2+{damaged}.json"));
    crate::files::write_atomic(&record, b"{", 0o600).unwrap();
    let mut expected = all.clone();
    expected.remove(damaged);
    let now = scan(&engine, DRIVER).unwrap();
    assert!(
        now.claimed
            .contains_key(&DeviceId::from_name(damaged).unwrap())
    );
    assert_eq!(on_an_old_server(&now), expected);
    crate::files::remove(&record).unwrap();
    assert_eq!(on_an_old_server(&scan(&engine, DRIVER).unwrap()), all);
}

#[test]
fn a_device_that_was_left_out_comes_back_with_what_was_last_known_of_it() {
    let device = |name: &str| Device {
        name: name.to_owned(),
        attributes: [("pool".to_owned(), "a.b/c".into())].into(),
        ..Device::default()
    };
    let (name, other) = ("0000-02-10-0", "0000-02-10-2");
    let all: BTreeMap<_, _> = [name, other]
        .map(|name| (name.to_owned(), device(name)))
        .into();
    let taint = Taint::no_schedule(DRIVER, Reason::UndoFailed);
    let tainted = BTreeMap::from([(DeviceId::from_name(name).unwrap(), vec![taint])]);
    let mut last = BTreeMap::new();
    remember(&mut last, &all, &tainted);
    let mut without = all.clone();
    without.remove(name);
    for taints in [&tainted, &BTreeMap::new()] {
        remember(&mut last, &without, taints);
        assert_eq!(last, BTreeMap::from([(name.to_owned(), device(name))]));
    }
    remember(&mut last, &all, &BTreeMap::new());
    assert_eq!(last, BTreeMap::new());
}

#[tokio::test]
async fn a_server_with_other_features_is_planned_for_at_once() {
    let features = |taints| Features {
        counters: true,
        taints,
    };
    let published = |taints| {
        Some(Published {
            devices: BTreeMap::new(),
            features: features(taints),
        })
    };
    let (sender, receiver) = watch::channel(published(false));
    let mut waiting = Box::pin(other_features(receiver, Some(features(false))));
    let now = futures::poll!(waiting.as_mut());
    assert!(now.is_pending());
    sender.send_replace(published(true));
    waiting.await.unwrap();
}

#[test]
fn what_a_pod_has_without_a_claim_is_tainted_until_it_is_back() {
    use crate::{host::Kernel, ledger::AttachmentOwner};
    let (fake, dir) = (Fake::igb(), tempfile::tempdir().unwrap());
    let engine = engine(&fake, dir.path());
    let [attached, foreign] =
        ["0000-02-10-0", "0000-02-10-2"].map(|name| DeviceId::from_name(name).unwrap());
    let owner = AttachmentOwner {
        attachment: "box-net1".parse().unwrap(),
        call: None,
    };
    let deadline = Deadline::after(Duration::from_secs(5));
    let mut record = engine.take(owner, attached, deadline).unwrap();
    let host = fake
        .open_netns(std::path::Path::new("/proc/1/ns/net"))
        .unwrap();
    let pod = fake.add_netns(std::path::Path::new("/var/run/netns/pod"));
    let name = "net1".parse().unwrap();
    fake.move_link(&foreign, &host, &pod, &name).unwrap();
    let in_use = || vec![Taint::no_schedule(DRIVER, Reason::InUse)];
    let both = BTreeMap::from([(attached, in_use()), (foreign, in_use())]);
    assert_eq!(scan(&engine, DRIVER).unwrap().taints, both);
    engine.give_back(&mut record, deadline).unwrap();
    engine
        .attachments()
        .remove(&record.owner.attachment)
        .unwrap();
    fake.move_link(&foreign, &pod, &host, &"enp1s0f0v1".parse().unwrap())
        .unwrap();
    assert_eq!(scan(&engine, DRIVER).unwrap().taints, BTreeMap::new());
}

/// Its record comes after that of the claim that has the device.
#[test]
fn a_claim_that_only_observes_a_device_does_not_hide_what_it_is_at_rest() {
    let (fake, dir) = (Fake::igb(), tempfile::tempdir().unwrap());
    let engine = engine(&fake, dir.path());
    let deadline = || Deadline::after(Duration::from_secs(5));
    let holds = claim("0000-02-10-0");
    engine.prepare(&holds, &NO_DEFAULTS, deadline()).unwrap();
    let mut observes = claim("0000-02-10-0");
    observes.claim.uid = "c2".parse().unwrap();
    observes.claim.name = "observer".into();
    observes.devices[0].admin_access = true;
    observes.configs.clear();
    engine.prepare(&observes, &NO_DEFAULTS, deadline()).unwrap();
    let device = DeviceId::from_name("0000-02-10-0").unwrap();
    let claimed = scan(&engine, DRIVER).unwrap().claimed;
    assert_eq!(claimed[&device].as_deref(), Some("igbvf"));
    engine
        .unprepare(&holds.claim.uid, deadline())
        .and_then(|()| engine.finish(&holds.claim.uid, deadline()))
        .unwrap();
    assert_eq!(scan(&engine, DRIVER).unwrap().claimed, BTreeMap::new());
}
