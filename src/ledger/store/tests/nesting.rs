//! A field of a later version in every object of a record that has all that a record can have.

use super::*;

/// One of everything, as it is on disk.
fn full() -> Value {
    let netdev = json!({"name": "eth0", "altnames": ["enp1s0"], "alias": "a", "mac": "02:00:00:00:00:01", "mtu": 1500, "up": true});
    let binding = json!({"driver": "igbvf", "driverOverride": null});
    let vf = json!({"pf": "0000:3b:00.0", "index": 1});
    let vlan = json!({"id": 100, "qos": 3, "proto": "802.1q"});
    let settings = json!({"mac": null, "vlan": vlan, "minTxRate": 0, "maxTxRate": 10, "spoofChk": true, "trust": false, "linkState": "auto"});
    let route = json!({"dst": "10.1.0.0/16", "gw": "10.0.0.1"});
    let steps = json!([
        {"vfs": [{"vf": vf, "settings": settings, "binding": binding, "home": netdev}]},
        {"home": netdev},
        {"driver": {"from": binding, "to": binding}},
        {"vf": {"vf": vf, "from": {"vlan": vlan}, "to": {"vlan": vlan}}},
        {"vf": {"vf": vf, "from": null, "to": {"rate": {"min": 0, "max": 10}}}},
        "reload",
        {"link": {"from": {"mtu": 1500}, "to": {"route": route}}},
    ]);
    let mut record = serde_json::to_value(record(1)).unwrap();
    let device = &mut record["devices"][0];
    device["steps"] = steps;
    device["netdev"] = json!({"attach": "pod", "ifName": "net1", "mac": null, "mtu": 1500, "addresses": ["10.0.0.7/24"], "routes": [route]});
    device["attachment"] = json!({"sandbox": "s", "podUid": "u", "pod": "web/a", "netnsPath": "/run/netns/a", "netns": 7, "ifName": "net1", "mac": null, "done": true});
    device["extras"] = json!({"pool": {"prefix": "intel.com", "name": "a"}, "env": {"A": "b"}, "info": {"C": "d"}, "vhostNet": "no", "rdma": "must", "rdmaDevice": "mlx5_0"});
    device["published"] = json!({"pool": {"string": "intel.com/a"}});
    record
}

/// The JSON pointers of all objects.
fn objects(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            all.push(at.to_owned());
            for (name, value) in fields {
                objects(value, &format!("{at}/{name}"), all);
            }
        }
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                objects(value, &format!("{at}/{index}"), all);
            }
        }
        _ => {}
    }
}

/// Whether a field of a later version there survives that this version writes the record again;
/// otherwise the record is unread, and stays as it is.
fn survives(full: &Value, at: &str, field: &Value) -> bool {
    let (_dir, store) = store();
    store.save(&record(1)).unwrap();
    let path = only_file(&store);
    let mut later = full.clone();
    later.pointer_mut(at).unwrap()["later"] = field.clone();
    crate::files::write_atomic(&path, later.to_string().as_bytes(), 0o600).unwrap();
    let read = match store.load(&UID.parse().unwrap()) {
        Ok(read) => read.unwrap(),
        Err(error) => {
            assert!(
                matches!(error, StoreError::Unreadable { .. }),
                "{at}: {error}"
            );
            let [entry] = &store.all().unwrap()[..] else {
                panic!("{at}")
            };
            assert_eq!(entry.held(), [record(1).devices[0].id], "{at}");
            assert_eq!(fs::read_to_string(&path).unwrap(), later.to_string());
            return false;
        }
    };
    store.save(&read).unwrap();
    let saved: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(saved, later, "{at}");
    true
}

#[test]
fn a_full_record_is_read_and_written_as_it_is() {
    let full = full();
    let read: Record = serde_json::from_value(full.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), full);
}

#[test]
fn a_field_of_a_later_version_survives_in_every_object_or_the_record_is_kept_unread() {
    let full = full();
    let mut all = Vec::new();
    objects(&full, "", &mut all);
    let unread: Vec<String> = all
        .iter()
        .filter(|at| !survives(&full, at, &json!({"deep": [1]})))
        .cloned()
        .collect();
    // Maps, values of the kernel's, and the tags of enums: whose keys are no fields.
    let expected = [
        "/devices/0/extras/env",
        "/devices/0/extras/info",
        "/devices/0/netdev/routes/0",
        "/devices/0/published",
        "/devices/0/published/pool",
        "/devices/0/steps/0",
        "/devices/0/steps/0/vfs/0/settings/vlan",
        "/devices/0/steps/1",
        "/devices/0/steps/2",
        "/devices/0/steps/3",
        "/devices/0/steps/3/vf/from",
        "/devices/0/steps/3/vf/from/vlan",
        "/devices/0/steps/3/vf/to",
        "/devices/0/steps/3/vf/to/vlan",
        "/devices/0/steps/4",
        "/devices/0/steps/4/vf/to",
        "/devices/0/steps/4/vf/to/rate",
        "/devices/0/steps/6",
        "/devices/0/steps/6/link/from",
        "/devices/0/steps/6/link/to",
        "/devices/0/steps/6/link/to/route",
    ];
    assert_eq!(unread, expected);
    assert!(all.len() > expected.len() + 15, "{all:?}");
}

#[test]
fn an_entry_of_a_later_version_survives_in_every_map() {
    let text = json!("x");
    for map in ["/devices/0/extras/env", "/devices/0/extras/info"] {
        assert!(survives(&full(), map, &text), "{map}");
    }
    let attribute = json!({"string": "x"});
    assert!(survives(&full(), "/devices/0/published", &attribute));
}
