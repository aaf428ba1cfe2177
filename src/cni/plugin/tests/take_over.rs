//! What the Go plugin has attached: the kernel as its ADD leaves it, and its files byte for byte.

use super::*;
use crate::device::{IfName, LinkSetting, VfSetting, VlanTag};

/// As Go's encoding/json writes it, for a VF of this node.
const CACHE: &str = r#"{"cniVersion":"0.3.1","name":"blue","type":"sriov","ipam":{"type":"host-local"},"dns":{},"OrigVfState":{"HostIFName":"enp1s0f0v0","SpoofChk":true,"Trust":false,"AdminMAC":"00:00:00:00:00:00","EffectiveMAC":"02:00:00:00:01:00","Vlan":0,"VlanQoS":0,"VlanProto":33024,"MinTxRate":0,"MaxTxRate":0,"LinkState":0,"MTU":1500},"Master":"enp1s0f0","MAC":"02:00:00:00:00:77","MTU":1500,"vlan":7,"vlanQoS":0,"vlanProto":"802.1q","deviceID":"0000:02:10.0","VFID":0,"min_tx_rate":null,"max_tx_rate":null,"spoofchk":"","trust":"on","link_state":"","runtimeConfig":{},"logLevel":"info","logFile":""}"#;

/// What the Go plugin's ADD does, in its order.
fn go_adds(node: &Node, pod: &Pod, cache: &str) {
    let vf = node
        .fake
        .observe(&id(VF))
        .unwrap()
        .function
        .vf_address()
        .unwrap();
    let mac: crate::device::Mac = "02:00:00:00:00:77".parse().unwrap();
    let tag = VlanTag {
        id: 7,
        ..VlanTag::default()
    };
    for setting in [
        VfSetting::Vlan(tag),
        VfSetting::Mac(mac),
        VfSetting::Trust(true),
    ] {
        node.fake.set_vf(&vf, &setting).unwrap();
    }
    let [host, netns] = ["/proc/1/ns/net", &*pod.netns()]
        .map(|path| node.fake.open_netns(Path::new(path)).unwrap());
    if node.fake.link(&id(VF), &host).unwrap().is_some() {
        let name: IfName = "net1".parse().unwrap();
        node.fake.move_link(&id(VF), &host, &netns, &name).unwrap();
        for setting in [LinkSetting::Mac(mac), LinkSetting::Up(true)] {
            node.fake.set_link(&id(VF), &netns, &setting).unwrap();
        }
    }
    write(node, &format!("{}-net1", pod.container), cache);
    write(node, &format!("pci/{VF}"), &pod.netns());
}

fn write(node: &Node, name: &str, text: &str) {
    let path = node.plugin.engine.paths().go_cache.join(name);
    crate::files::write_atomic(&path, text.as_bytes(), 0o600).unwrap();
}

fn files(node: &Node) -> Vec<String> {
    let dir = &node.plugin.engine.paths().go_cache;
    let names = [dir.clone(), dir.join("pci")]
        .into_iter()
        .flat_map(|dir| std::fs::read_dir(dir).unwrap());
    let files = names
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

#[test]
fn its_attachment_is_released_as_if_it_were_ours() {
    for namespace_lives in [true, false] {
        let node = Node::new();
        let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
        go_adds(&node, &pod, CACHE);
        if !namespace_lives {
            pod.dies(&node);
        }
        for _ in 0..2 {
            node.del(&pod, &conf(json!({}))).unwrap();
            assert_eq!(
                node.fake.dump(),
                before,
                "namespace lives: {namespace_lives}"
            );
            assert_eq!((files(&node), node.entries()), (vec![], 0));
        }
        assert_eq!(node.ipam_calls(), ["DEL host-local box-a net1"]);
    }
}

#[test]
fn what_it_has_in_a_living_pod_is_not_given_to_another() {
    let node = Node::new();
    let (pod, other) = (Pod::new(&node, "a"), Pod::new(&node, "b"));
    go_adds(&node, &pod, CACHE);
    let held = node.fake.dump();
    let error = node.add(&other, &own(json!({}))).unwrap_err().to_string();
    assert_eq!(
        error,
        "0000:02:10.0: the SR-IOV CNI plugin has attached it to the pod at /var/run/netns/box-a"
    );
    assert_eq!((node.fake.dump(), node.entries()), (held, 0));
    // A late DEL of somebody who had it before.
    write(&node, "box-b-net1", CACHE);
    let held = node.fake.dump();
    node.del(&other, &conf(json!({}))).unwrap();
    assert_eq!(node.fake.dump(), held);
}

#[test]
fn a_dpdk_vf_and_a_file_that_was_cut_short() {
    let node = Node::new();
    node.bind_vfio();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let cache = CACHE
        .replace("enp1s0f0v0", "")
        .replace("02:00:00:00:01:00", "");
    go_adds(&node, &pod, &cache);
    node.del(&pod, &conf(json!({}))).unwrap();
    assert_eq!((node.fake.dump(), files(&node)), (before, vec![]));

    let node = Node::new();
    let pod = Pod::new(&node, "a");
    go_adds(&node, &pod, &CACHE[..200]);
    node.del(&pod, &conf(json!({}))).unwrap();
    assert_eq!(
        files(&node),
        [VF],
        "as for the Go plugin, until its namespace is gone"
    );
    pod.dies(&node);
    let other = Pod::new(&node, "b");
    node.add(&other, &own(json!({}))).unwrap();
    assert_eq!(files(&node), [] as [String; 0]);
}
