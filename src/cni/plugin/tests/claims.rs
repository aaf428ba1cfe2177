//! Devices of claims.

use super::*;

fn two() -> AllocatedClaim {
    claim("c", &[VF, OTHER_VF], "a", json!({"trust": "on"}))
}

#[test]
fn without_a_hint_the_pods_device_is_found_and_its_claim_keeps_it() {
    let node = Node::new();
    let before = node.fake.dump();
    let (pod, one) = (
        Pod::new(&node, "a"),
        claim("c", &[VF], "a", json!({"trust": "on"})),
    );
    node.prepare(&one);
    let prepared = node.fake.dump();
    let network = conf(json!({"vlan": 7}));
    node.add(&pod, &network).unwrap();
    assert!(node.link(&pod, VF).is_some());
    assert_eq!(node.fake.stored(&id(VF)).unwrap().vlan.unwrap().id, 7);
    node.del(&pod, &network).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (prepared, 0));
    node.unprepare(&one);
    assert_eq!(node.fake.dump(), before);
}

#[test]
fn the_start_gate_opens_at_the_end_of_add_and_closes_at_del() {
    let node = Node::new();
    let (pod, one) = (Pod::new(&node, "a"), claim("c", &[VF], "a", json!({})));
    node.prepare(&one);
    let gate = node.plugin.engine.paths().attached().join("c/nic0.json");
    assert!(!gate.exists());
    let network = conf(json!({"ipam": {"type": "static"}}));
    node.add(&pod, &network).unwrap();
    let document: Value = serde_json::from_slice(&std::fs::read(&gate).unwrap()[..])
        .or_else(|_| {
            let text = std::fs::read_to_string(&gate).unwrap();
            let mut all = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
            all.next().unwrap()
        })
        .unwrap();
    let data = &document["requests"][0]["devices"][0]["networkData"];
    assert_eq!(
        (&data["interfaceName"], &data["ips"]),
        (&json!("net1"), &json!(["10.1.0.7/24"]))
    );
    node.del(&pod, &network).unwrap();
    assert!(!gate.exists());
}

#[test]
fn another_pods_device_is_not_given_whatever_the_hint() {
    let node = Node::new();
    let (pod, other) = (Pod::new(&node, "a"), Pod::new(&node, "b"));
    node.prepare(&claim("c", &[VF], "a", json!({})));
    let held = node.fake.dump();
    let error = node.add(&other, &own(json!({}))).unwrap_err().to_string();
    assert!(error.contains("claim web/claim-c"), "{error}");
    assert_eq!((node.fake.dump(), node.entries()), (held, 0));
    node.add(&pod, &own(json!({}))).unwrap();
}

#[test]
fn hints_that_repeat_one_device_give_each_interface_its_own() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    node.prepare(&two());
    for name in ["net1", "net2"] {
        node.add(&pod.interface(name), &own(json!({}))).unwrap();
    }
    let names = [VF, OTHER_VF].map(|vf| node.link(&pod, vf).unwrap().state.name.to_string());
    assert_eq!(names, ["net1", "net2"]);
}

#[test]
fn released_before_del_only_the_ipam_plugin_is_left_to_hear_of_it() {
    let node = Node::new();
    let before = node.fake.dump();
    let (pod, one, network) = node.leased();
    node.unprepare(&one);
    assert_eq!(node.fake.dump(), before);
    // The VF is another pod's by now.
    let next = Pod::new(&node, "b");
    node.prepare(&claim("d", &[VF], "b", json!({})));
    node.ipam_calls();
    node.add(&next, &conf(json!({"vlan": 8}))).unwrap();
    assert_eq!(
        node.ipam_calls(),
        ["DEL host-local box-a net1"],
        "swept by the next call"
    );
    let held = node.fake.dump();
    node.del(&pod, &network).unwrap();
    assert_eq!(node.fake.dump(), held);
    assert_eq!(node.ipam_calls(), [] as [String; 0]);
}

#[test]
fn a_new_sandbox_of_the_pod_takes_the_device_from_the_old_one() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    node.prepare(&claim("c", &[VF], "a", json!({})));
    let network = conf(json!({"vlan": 7, "ipam": {"type": "host-local"}}));
    node.add(&pod, &network).unwrap();
    let anew = Pod {
        container: "box-again".into(),
        ..pod.clone()
    };
    let _ = node.fake.add_netns(Path::new(&anew.netns()));
    for dead in [false, true] {
        if dead {
            pod.dies(&node);
        }
        node.add(&anew, &network).unwrap();
        assert!(node.link(&anew, VF).is_some());
        let held = node.fake.dump();
        node.del(&pod, &network).unwrap();
        assert_eq!(node.fake.dump(), held, "the late DEL of the old sandbox");
        node.del(&anew, &network).unwrap();
        node.add(&pod, &network).ok();
    }
    assert!(
        node.ipam_calls()
            .contains(&"DEL host-local box-a net1".to_owned())
    );
}

#[test]
fn what_the_class_has_set_otherwise_is_refused() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    node.prepare(&claim("c", &[VF], "a", json!({"vlan": 5})));
    let held = node.fake.dump();
    let error = node.add(&pod, &conf(json!({"vlan": 7}))).unwrap_err();
    assert_eq!(error.code, Code::INVALID_CONFIG);
    assert!(
        error.msg.contains("vlan 7") && error.msg.contains("vlan 5"),
        "{error}"
    );
    assert_eq!((node.fake.dump(), node.entries()), (held, 0));
}

#[test]
fn a_dpdk_devices_values_stay_while_a_process_has_it_open() {
    let node = Node::new();
    let before = node.fake.dump();
    let pod = Pod::new(&node, "a");
    let one = claim("c", &[VF], "a", json!({"driver": "vfio-pci"}));
    let mut one = one;
    one.configs[0]
        .parameters
        .as_object_mut()
        .unwrap()
        .remove("attach");
    node.prepare(&one);
    let network = conf(json!({"vlan": 7}));
    node.add(&pod, &network).unwrap();
    let record = node
        .plugin
        .engine
        .store()
        .load(&one.claim.uid)
        .unwrap()
        .unwrap();
    let group = record.devices[0]
        .nodes
        .iter()
        .find(|node| !node.ends_with("vfio/vfio"));
    let group = group.unwrap().clone();
    node.fake.set_open(&group, true);
    node.del(&pod, &network).unwrap();
    assert_eq!(node.fake.stored(&id(VF)).unwrap().vlan.unwrap().id, 7);
    node.fake.set_open(&group, false);
    node.unprepare(&one);
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}
