//! Devices that the caller names and no claim has.

use super::*;

#[test]
fn a_vf_goes_into_the_pod_as_the_network_says_and_comes_back_as_it_was() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = own(
        json!({"vlan": 7, "mac": "02:00:00:00:00:77", "trust": "on", "ipam": {"type": "host-local"}}),
    );
    let result = node.add(&pod, &network).unwrap();
    assert_eq!(
        result,
        json!({
            "cniVersion": "1.1.0",
            "interfaces": [{"name": "net1", "mac": "02:00:00:00:00:77", "mtu": 1500, "pciID": VF,
                "sandbox": "/var/run/netns/box-a"}],
            "ips": [{"address": "10.1.0.7/24", "gateway": "10.1.0.1", "interface": 0}],
            "routes": [{"dst": "0.0.0.0/0"}],
        })
    );
    let netdev = node.link(&pod, VF).unwrap();
    assert_eq!(netdev.state.name.as_str(), "net1");
    assert!(netdev.state.up);
    let stored = node.fake.stored(&id(VF)).unwrap();
    assert_eq!((stored.vlan.unwrap().id, stored.trust), (7, Some(true)));
    node.call("CHECK", &pod, &with_result(&network, &result))
        .unwrap();
    for _ in 0..2 {
        node.del(&pod, &network).unwrap();
        assert_eq!((node.fake.dump(), node.entries()), (before.clone(), 0));
    }
    assert_eq!(
        node.ipam_calls(),
        [
            "ADD host-local box-a net1",
            "CHECK host-local box-a net1",
            "DEL host-local box-a net1"
        ]
    );
}

fn with_result(network: &Value, result: &Value) -> Value {
    let mut network = network.clone();
    network["prevResult"] = result.clone();
    network
}

#[test]
fn a_second_add_answers_as_the_first_and_writes_nothing() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    let network = own(json!({"vlan": 7, "ipam": {"type": "host-local"}}));
    let first = node.add(&pod, &network).unwrap();
    let _ = node.fake.take_log();
    assert_eq!(node.add(&pod, &network).unwrap(), first);
    assert_eq!(node.fake.take_log(), [] as [String; 0]);
    assert_eq!(node.ipam_calls(), ["ADD host-local box-a net1"]);
}

#[test]
fn what_another_has_is_refused_and_left_alone() {
    let node = Node::new();
    let (one, two) = (Pod::new(&node, "a"), Pod::new(&node, "b"));
    let network = own(json!({"vlan": 7}));
    node.add(&one, &network).unwrap();
    let held = node.fake.dump();
    let error = node.add(&two, &network).unwrap_err().to_string();
    assert!(error.contains("pod web/a as net1"), "{error}");
    // A late DEL of somebody who never had it, and one of the same pod for another interface.
    node.del(&two, &network).unwrap();
    node.del(&one.interface("net2"), &network).unwrap();
    assert_eq!(node.fake.dump(), held);
    one.dies(&node);
    node.add(&two, &network).unwrap();
    let held = node.fake.dump();
    node.del(&one, &network).unwrap();
    assert_eq!(node.fake.dump(), held, "the late DEL of its former owner");
}

#[test]
fn an_interface_of_the_pod_is_never_touched() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    node.add(&pod, &own(json!({}))).unwrap();
    let held = node.fake.dump();
    let mut other = own(json!({"vlan": 9}));
    other["deviceID"] = json!(OTHER_VF);
    let same_name = Pod {
        container: "box-c".into(),
        ..pod.clone()
    };
    // The same namespace under another container's id, as chained calls may have it.
    let netns = node.fake.open_netns(Path::new(&pod.netns())).unwrap();
    let error = node.add_at(&same_name, &other, &pod.netns()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "CNI_IFNAME: an interface net1 is in the pod already"
    );
    assert_eq!(node.fake.dump(), held);
    assert!(node.fake.link(&id(OTHER_VF), &netns).unwrap().is_none());
}

impl Node {
    fn add_at(&self, pod: &Pod, conf: &Value, netns: &str) -> Result<Value, CniError> {
        let all = [
            ("CNI_COMMAND", "ADD"),
            ("CNI_CONTAINERID", &*pod.container),
            ("CNI_IFNAME", &*pod.if_name),
            ("CNI_NETNS", netns),
        ];
        let variables = |name: &str| {
            let found = all.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let request = crate::cni::request(&variables, conf.to_string().as_bytes()).unwrap();
        let printed = self.plugin.run(&request)?;
        Ok(serde_json::from_str(&printed).unwrap())
    }
}

#[test]
fn without_a_namespace_everything_is_given_back() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = own(json!({"vlan": 7, "ipam": {"type": "host-local"}}));
    node.add(&pod, &network).unwrap();
    pod.dies(&node);
    node.del(&pod, &network).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
    assert_eq!(node.ipam_calls().len(), 2);
}

#[test]
fn an_ipam_plugin_that_fails_undoes_the_add_and_one_that_fails_to_release_is_called_again() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = own(json!({"vlan": 7, "ipam": {"type": "host-local"}}));
    let full = || CniError::new(Code(100), "no addresses are left");
    node.ipam.errors.lock().unwrap().push_back(full());
    assert_eq!(node.add(&pod, &network).unwrap_err(), full());
    assert_eq!((node.fake.dump(), node.entries()), (before.clone(), 0));
    node.ipam_calls();

    node.add(&pod, &network).unwrap();
    node.ipam.errors.lock().unwrap().push_back(full());
    assert_eq!(node.del(&pod, &network).unwrap_err(), full());
    assert_eq!(node.fake.dump(), before, "the VF does not wait for it");
    assert_eq!(node.entries(), 1);
    node.del(&pod, &network).unwrap();
    assert_eq!(node.entries(), 0);
    let calls = node.ipam_calls();
    assert_eq!(
        calls[1..],
        ["DEL host-local box-a net1", "DEL host-local box-a net1"]
    );
}

#[test]
fn a_failed_add_leaves_nothing_behind() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    node.fake.refuse("trust", 95);
    let network = own(json!({"vlan": 7, "trust": "on"}));
    let error = node.add(&pod, &network).unwrap_err().to_string();
    assert!(error.contains("trust"), "{error}");
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}

#[test]
fn a_dpdk_vf_gets_its_values_and_the_addresses_are_only_reported() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    node.bind_vfio();
    let before = node.fake.dump();
    let network = own(json!({"vlan": 7, "mac": "02:00:00:00:00:77", "ipam": {"type": "static"}}));
    let result = node.add(&pod, &network).unwrap();
    assert_eq!(result["interfaces"][0]["mac"], "02:00:00:00:00:77");
    assert_eq!(result["ips"][0]["address"], "10.1.0.7/24");
    assert_eq!(node.fake.stored(&id(VF)).unwrap().vlan.unwrap().id, 7);
    node.call("CHECK", &pod, &with_result(&network, &result))
        .unwrap();
    node.del(&pod, &network).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}

#[test]
fn one_rate_leaves_the_other() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    let vf = node
        .fake
        .observe(&id(VF))
        .unwrap()
        .function
        .vf_address()
        .unwrap();
    let rate = crate::device::VfSetting::Rate { min: 0, max: 500 };
    node.fake.set_vf(&vf, &rate).unwrap();
    node.add(&pod, &own(json!({"min_tx_rate": 100}))).unwrap();
    let stored = node.fake.stored(&id(VF)).unwrap();
    assert_eq!(
        (stored.min_tx_rate, stored.max_tx_rate),
        (Some(100), Some(500))
    );
}

#[test]
fn the_hosts_namespace_is_no_pods() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    let error = node
        .add_at(&pod, &own(json!({})), "/proc/1/ns/net")
        .unwrap_err();
    assert_eq!(error.code, Code::INVALID_NETNS);
    let error = node
        .add_at(&pod, &own(json!({})), "/var/run/netns/none")
        .unwrap_err();
    assert_eq!(error.code, Code::INVALID_NETNS);
    assert_eq!(node.entries(), 0);
}

#[test]
fn check_finds_what_has_changed() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    let network = own(json!({"vlan": 7}));
    let checked = |result: &Value| node.call("CHECK", &pod, &with_result(&network, result));
    assert_eq!(
        checked(&json!({"cniVersion": "1.1.0"})).unwrap_err().code,
        Code::UNKNOWN_CONTAINER
    );
    let result = node.add(&pod, &network).unwrap();
    checked(&result).unwrap();
    let vf = node
        .fake
        .observe(&id(VF))
        .unwrap()
        .function
        .vf_address()
        .unwrap();
    let untagged = crate::device::VfSetting::Vlan(Default::default());
    node.fake.set_vf(&vf, &untagged).unwrap();
    let error = checked(&result).unwrap_err().to_string();
    assert_eq!(
        error,
        "0000:02:10.0: is not vlan 7 qos 0 proto 802.1q any more"
    );
}

#[test]
fn gc_releases_dead_attachments_of_its_network_alone() {
    let node = Node::new();
    let (dead, living) = (Pod::new(&node, "a"), Pod::new(&node, "b"));
    node.add(&dead, &own(json!({}))).unwrap();
    let mut other = own(json!({}));
    other["deviceID"] = json!(OTHER_VF);
    node.add(&living, &other).unwrap();
    let gc = |name: &str, valid: Value| {
        let mut conf = conf(json!({"cni.dev/valid-attachments": valid}));
        conf["name"] = json!(name);
        node.call("GC", &dead, &conf).unwrap();
        node.entries()
    };
    assert_eq!(gc("blue", json!([])), 2, "both live");
    dead.dies(&node);
    assert_eq!(gc("green", json!([])), 2, "of another network");
    assert_eq!(
        gc("blue", json!([{"containerID": "box-a", "ifname": "net1"}])),
        2,
        "valid"
    );
    assert_eq!(gc("blue", json!([])), 1);
}

#[test]
fn status_asks_the_ipam_plugin() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    let network = conf(json!({"ipam": {"type": "host-local"}}));
    node.call("STATUS", &pod, &network).unwrap();
    assert_eq!(node.ipam_calls(), ["STATUS host-local  "]);
    let not_yet = CniError::new(Code::NOT_AVAILABLE, "no range");
    node.ipam.errors.lock().unwrap().push_back(not_yet.clone());
    assert_eq!(node.call("STATUS", &pod, &network).unwrap_err(), not_yet);
}

#[test]
fn an_entry_that_only_waits_for_its_ipam_plugin_is_not_written_again() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    node.add(&pod, &own(json!({"ipam": {"type": "host-local"}})))
        .unwrap();
    pod.dies(&node);
    let refuse = || {
        let later = CniError::new(Code::TRY_AGAIN_LATER, "not here");
        node.ipam.errors.lock().unwrap().push_back(later);
    };
    refuse();
    node.plugin.sweep(soon()).unwrap();
    node.fake.arm(crate::host::fake::Fault::Before(u32::MAX));
    refuse();
    node.plugin.sweep(soon()).unwrap();
    assert_eq!((node.fake.writes(), node.entries()), (0, 1));
    node.plugin.sweep(soon()).unwrap();
    assert_eq!(node.entries(), 0);
}

#[test]
fn a_driver_that_refuses_the_address_reads_it_when_it_starts() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    node.fake.refuse("set address 02:00:00:00:00:77", 99);
    let network = own(json!({"mac": "02:00:00:00:00:77"}));
    let result = node.add(&pod, &network).unwrap();
    assert_eq!(result["interfaces"][0]["mac"], "02:00:00:00:00:77");
    let netdev = node.link(&pod, VF).unwrap();
    assert_eq!(netdev.state.mac.unwrap().to_string(), "02:00:00:00:00:77");
    node.del(&pod, &network).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}
