//! What the Go plugin does wrong, and does not happen here; and what it does otherwise on purpose.

use super::*;
use crate::{
    device::{LinkSetting, Mac, VfSetting},
    host::fake::Quirks,
};

const ADMIN: Mac = Mac([2, 0, 0, 0, 0, 9]);

impl Node {
    fn set_vf(&self, device: &str, setting: VfSetting) {
        let seen = self.fake.observe(&id(device)).unwrap();
        let vf = seen.function.vf_address().unwrap();
        self.fake.set_vf(&vf, &setting).unwrap();
    }

    /// DEL as a runtime calls it that does not know the namespace any more.
    fn del_without_netns(&self, pod: &Pod, conf: &Value) -> Result<(), CniError> {
        let all = [
            ("CNI_COMMAND", "DEL"),
            ("CNI_CONTAINERID", &*pod.container),
            ("CNI_IFNAME", &*pod.if_name),
            ("CNI_PATH", "/opt/cni/bin"),
        ];
        let variables = |name: &str| {
            let found = all.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        let request = crate::cni::request(&variables, conf.to_string().as_bytes()).unwrap();
        self.plugin.run(&request).map(drop)
    }
}

/// It forgets everything, and resets nothing.
#[test]
fn a_del_without_a_namespace_path_gives_everything_back() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = own(json!({"vlan": 7, "ipam": {"type": "host-local"}}));
    node.add(&pod, &network).unwrap();
    node.del_without_netns(&pod, &network).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
    assert_eq!(node.ipam_calls().len(), 2);
}

/// It sets the interface of that name down, and tries to rename it.
#[test]
fn a_del_of_a_dpdk_vf_leaves_an_interface_of_that_name_alone() {
    let node = Node::new();
    node.bind_vfio();
    let pod = Pod::new(&node, "a");
    node.add(&pod, &own(json!({"vlan": 7}))).unwrap();
    let [host, netns] = ["/proc/1/ns/net", &*pod.netns()]
        .map(|path| node.fake.open_netns(Path::new(path)).unwrap());
    let (other, name) = (id(OTHER_VF), "net1".parse().unwrap());
    node.fake.move_link(&other, &host, &netns, &name).unwrap();
    node.fake
        .set_link(&other, &netns, &LinkSetting::Up(true))
        .unwrap();
    node.del(&pod, &own(json!({}))).unwrap();
    let theirs = node.link(&pod, OTHER_VF).unwrap().state;
    assert!(theirs.up && theirs.name.as_str() == "net1");
    assert_eq!(node.fake.stored(&id(VF)).unwrap().vlan.unwrap().id, 0);
}

/// It saves the MAC that it finds, and sets it in every DEL.
#[test]
fn an_administrators_mac_stays_whether_the_network_has_one_or_not() {
    for mac in [None, Some("02:00:00:00:00:77")] {
        let node = Node::new();
        node.set_vf(VF, VfSetting::Mac(ADMIN));
        node.fake.reprobe(&id(VF)).unwrap();
        let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
        let network = match mac {
            Some(mac) => own(json!({"mac": mac})),
            None => own(json!({})),
        };
        let result = node.add(&pod, &network).unwrap();
        let asked = mac.unwrap_or("02:00:00:00:00:09");
        assert_eq!(result["interfaces"][0]["mac"], asked);
        node.del(&pod, &network).unwrap();
        assert_eq!(node.fake.dump(), before, "{mac:?}");
    }
}

/// It restores name, MAC and MTU alone.
#[test]
fn nothing_that_a_pod_left_on_its_interface_stays() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = own(json!({}));
    node.add(&pod, &network).unwrap();
    node.fake.add_residue(&id(VF), "promisc").unwrap();
    let netns = node.fake.open_netns(Path::new(&pod.netns())).unwrap();
    let tuned = LinkSetting::Mtu(9000);
    node.fake.set_link(&id(VF), &netns, &tuned).unwrap();
    node.del(&pod, &network).unwrap();
    assert_eq!(node.fake.dump(), before);
}

/// The kernel refuses a name that is an alternative one of the same link, and the Go plugin loses
/// alternative names.
#[test]
fn an_interface_may_be_called_as_one_of_its_alternative_names() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let pod = pod.interface("port0-vf0");
    node.add(&pod, &own(json!({}))).unwrap();
    let name = node.link(&pod, VF).unwrap().state.name;
    assert_eq!(name.as_str(), "port0-vf0");
    node.del(&pod, &own(json!({}))).unwrap();
    assert_eq!(node.fake.dump(), before);
}

/// It sends every value that is asked for, and cards without VLANs refuse 0.
#[test]
fn a_value_that_the_pf_holds_already_is_not_sent() {
    let node = Node::new();
    node.fake.refuse("set vlan", 95);
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = own(json!({"vlan": 0, "spoofchk": "on", "trust": "off", "max_tx_rate": 0}));
    node.add(&pod, &network).unwrap();
    node.del(&pod, &network).unwrap();
    assert_eq!(node.fake.dump(), before);
}

/// It says that the device is allocated.
#[test]
fn what_is_wrong_is_said_before_a_device_is_looked_at() {
    let node = Node::new();
    let (one, two) = (Pod::new(&node, "a"), Pod::new(&node, "b"));
    node.add(&one, &own(json!({}))).unwrap();
    let error = node.add(&two, &own(json!({"vlan": 5000}))).unwrap_err();
    assert!(
        error.to_string().starts_with("vlan: 5000 is out of range"),
        "{error}"
    );
}

#[test]
fn a_device_that_is_not_there_is_named() {
    let node = Node::new();
    let pod = Pod::new(&node, "a");
    let mut network = own(json!({}));
    network["deviceID"] = json!("0000:99:00.0");
    let error = node.add(&pod, &network).unwrap_err().to_string();
    assert!(error.contains("0000:99:00.0"), "{error}");
    assert_eq!(node.entries(), 0);
}

#[test]
fn a_vf_whose_driver_does_neither_is_refused() {
    let node = Node::new();
    let unbound = crate::device::Binding::default();
    node.fake.set_driver(&id(VF), &unbound, soon()).unwrap();
    let pod = Pod::new(&node, "a");
    let error = node.add(&pod, &own(json!({}))).unwrap_err().to_string();
    assert!(error.contains("driver: none is bound"), "{error}");
    assert_eq!(node.entries(), 0);
}

/// The tenant can never send with a value of the PF that is not its own: the values are set before
/// the interface goes into the pod, and taken back when it has left. The Go plugin resets them
/// first.
#[test]
fn values_change_while_nobody_can_send() {
    for quirks in Quirks::all() {
        let node = Node::new();
        node.fake.set_quirks(quirks.clone());
        let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
        let trust = if quirks.trusted_mac { "off" } else { "on" };
        let mut network = own(json!({"vlan": 7, "trust": trust, "spoofchk": "off"}));
        if !quirks.no_mac_setter && !quirks.no_zero_mac {
            network["mac"] = json!("02:00:00:00:00:77");
        }
        let result = node.add(&pod, &network);
        let result = result.unwrap_or_else(|error| panic!("{}: {error}", quirks.name));
        let netns = node.fake.open_netns(Path::new(&pod.netns())).unwrap();
        let there = node.fake.link(&id(VF), &netns).unwrap().unwrap().state.mac;
        let there = there.map(|mac| mac.to_string());
        assert_eq!(result["interfaces"][0]["mac"].as_str(), there.as_deref());
        node.del(&pod, &network).unwrap();
        assert_eq!(
            masked(&node.fake.dump()),
            masked(&before),
            "{}",
            quirks.name
        );
        assert_eq!(node.fake.exposed(), [] as [String; 0], "{}", quirks.name);
    }
}

/// A netdev that is made anew chooses a MAC at random where its driver takes none.
fn masked(dump: &str) -> Vec<String> {
    let without_mac = |line: &str| {
        let parts = line.split_once("mac: Some(");
        parts.map_or(line.to_owned(), |(head, tail)| {
            let (_, rest) = tail.split_once(')').unwrap();
            format!("{head}{rest}")
        })
    };
    dump.lines().map(without_mac).collect()
}

/// It gives the name of a representor for the PF's, and then says nothing of the mode.
#[test]
fn in_switchdev_mode_the_pfs_refusal_is_named_and_undone() {
    let node = Node::new();
    node.fake.set_quirks(Quirks::switchdev());
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let error = node
        .add(&pod, &own(json!({"vlan": 7})))
        .unwrap_err()
        .to_string();
    assert!(error.contains("set vlan 7"), "{error}");
    assert_eq!((node.fake.dump(), node.entries()), (before.clone(), 0));
    node.add(&pod, &own(json!({}))).unwrap();
    node.del(&pod, &own(json!({}))).unwrap();
    assert_eq!(node.fake.dump(), before);
}

/// DANM's stdin and variables. It has the device of its pool in the network, also when a claim has
/// that device for the pod.
#[test]
fn danm_gets_the_device_that_it_names() {
    let network = json!({
        "cniVersion": "0.3.1", "name": "external", "type": "sriov", "dns": {}, "vlan": 500,
        "ipam": {"type": "fakeipam", "ips": [{"ipcidr": "10.100.20.50/24", "version": 4}]},
        "deviceID": VF,
    });
    for claimed in [false, true] {
        let node = Node::new();
        let pod = Pod::new(&node, "a").interface("ext1");
        let one = claim("c", &[OTHER_VF, VF], "a", json!({}));
        if claimed {
            node.prepare(&one);
        }
        let result = node.add(&pod, &network).unwrap();
        assert_eq!(result["interfaces"][0]["name"], "ext1");
        assert_eq!(result["ips"][0]["version"], "4");
        assert!(node.link(&pod, VF).is_some() && node.link(&pod, OTHER_VF).is_none());
        assert_eq!(node.fake.stored(&id(VF)).unwrap().vlan.unwrap().id, 500);
        node.del(&pod, &network).unwrap();
        assert_eq!(node.entries(), 0);
    }
}
