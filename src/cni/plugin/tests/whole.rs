//! PFs and SFs as devices of ADD.

use super::*;
use crate::{
    device::{FunctionKind, LinkSetting},
    host::Recording,
};

const PF: &str = "0000:01:00.1";
const SF: &str = "mlx5_core.sf.4";

/// The second port has one sub-function and no VFs.
fn node() -> Node {
    let mut host = Recording::igb();
    let mut sf = host
        .functions
        .iter()
        .find(|observed| observed.function.id == id("0000:02:10.1"))
        .unwrap()
        .clone();
    host.functions.retain(|observed| {
        observed.function.pf() != Some(PF.parse().unwrap()) || observed.function.id == id(PF)
    });
    sf.function.id = sub_function();
    sf.function.kind = FunctionKind::Sf {
        auxiliary: SF.to_owned(),
    };
    sf.function.binding.driver = Some("mlx5_core.sf".to_owned());
    sf.function.iommu_group = None;
    sf.vf = None;
    host.functions.push(sf);
    Node::on(Fake::new(&host))
}

fn sub_function() -> DeviceId {
    DeviceId::Sf {
        parent: PF.parse().unwrap(),
        number: 88,
    }
}

fn network(device: &str, more: Value) -> Value {
    let mut network = conf(more);
    network["deviceID"] = json!(device);
    network
}

#[test]
fn a_pf_without_vfs_goes_into_the_pod_as_a_whole() {
    let node = node();
    // Either it or its sub-function.
    node.fake.unplug(&sub_function());
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = network(
        PF,
        json!({"mac": "02:00:00:00:00:77", "ipam": {"type": "static"}}),
    );
    let result = node.add(&pod, &network).unwrap();
    let interface = &result["interfaces"][0];
    assert_eq!(
        (&interface["pciID"], &interface["mac"]),
        (&json!(PF), &json!("02:00:00:00:00:77"))
    );
    assert_eq!(node.link(&pod, PF).unwrap().state.name.as_str(), "net1");
    let mut checked = network.clone();
    checked["prevResult"] = result;
    node.call("CHECK", &pod, &checked).unwrap();
    node.del(&pod, &network).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}

#[test]
fn a_pf_with_vfs_is_refused() {
    let node = node();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let error = node
        .add(&pod, &network("0000:01:00.0", json!({})))
        .unwrap_err();
    assert!(error.to_string().contains("is a PF with VFs"), "{error}");
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}

/// By its auxiliary device, as the device plugin names it, or as its CDI device is named.
#[test]
fn an_sf_goes_into_the_pod_by_either_name() {
    for name in [SF, "0000-01-00-1-sf88"] {
        let node = node();
        let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
        let network = network(name, json!({"mac": "02:00:00:00:00:77"}));
        let result = node.add(&pod, &network).unwrap();
        let interface = &result["interfaces"][0];
        assert_eq!(interface.get("pciID"), None, "it is no PCI function");
        assert_eq!(interface["mac"], "02:00:00:00:00:77");
        let netns = node.fake.open_netns(Path::new(&pod.netns())).unwrap();
        let there = node.fake.link(&sub_function(), &netns).unwrap().unwrap();
        assert_eq!(there.state.name.as_str(), "net1");
        let error = node.add(&pod.interface("net2"), &network).unwrap_err();
        assert!(error.to_string().contains("as net1"), "{error}");
        node.del(&pod, &network).unwrap();
        assert_eq!((node.fake.dump(), node.entries()), (before, 0), "{name}");
    }
}

#[test]
fn an_auxiliary_device_that_is_not_there_is_named() {
    let node = node();
    let pod = Pod::new(&node, "a");
    let error = node
        .add(&pod, &network("mlx5_core.sf.9", json!({})))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "deviceID: mlx5_core.sf.9 is no sub-function of this host"
    );
}

#[test]
fn what_only_a_pf_sets_on_a_vf_is_refused_by_its_key() {
    let node = node();
    node.fake.unplug(&sub_function());
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    for (key, value) in [
        ("vlan", json!(7)),
        ("trust", json!("on")),
        ("spoofchk", json!("off")),
        ("link_state", json!("enable")),
        ("max_tx_rate", json!(100)),
    ] {
        let mut network = network(PF, json!({}));
        network[key] = value;
        let error = node.add(&pod, &network).unwrap_err();
        assert_eq!(error.code, Code::INVALID_CONFIG, "{key}");
        let text = error.to_string();
        assert!(
            text.contains(key) && text.contains("this is a PF"),
            "{text}"
        );
        assert_eq!(
            (node.fake.dump(), node.entries()),
            (before.clone(), 0),
            "{key}"
        );
    }
}

#[test]
fn what_a_pod_has_set_on_a_pf_is_gone() {
    let node = node();
    node.fake.unplug(&sub_function());
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    node.add(&pod, &network(PF, json!({}))).unwrap();
    let netns = node.fake.open_netns(Path::new(&pod.netns())).unwrap();
    let mtu = LinkSetting::Mtu(9000);
    node.fake.set_link(&id(PF), &netns, &mtu).unwrap();
    node.fake.add_residue(&id(PF), "xdp").unwrap();
    pod.dies(&node);
    node.plugin.sweep(soon()).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}
