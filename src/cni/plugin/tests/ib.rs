//! `ib-sriov`, on a host with mlx5 in InfiniBand mode.

use super::*;
use crate::{
    device::{Guid, VfSetting},
    host::Netns,
};

const GUID: &str = "02:00:00:00:00:00:00:77";
const RDMA: &str = "mlx5_1";

fn node() -> Node {
    Node::on(Fake::infiniband())
}

fn network(more: Value) -> Value {
    let mut conf = own(more);
    conf["type"] = json!("ib-sriov");
    conf
}

fn with_guid(mut network: Value, guid: &str) -> Value {
    network["runtimeConfig"] = json!({"infinibandGUID": guid});
    network
}

fn guid(text: &str) -> Guid {
    text.parse().unwrap()
}

impl Node {
    fn netns_of(&self, pod: &Pod) -> Netns {
        self.fake.open_netns(Path::new(&pod.netns())).unwrap()
    }

    fn held_guids(&self) -> (Option<Guid>, Option<Guid>) {
        let stored = self.fake.stored(&id(VF)).unwrap();
        (stored.node_guid, stored.port_guid)
    }

    /// The VF was never given a GUID.
    fn without_guid(&self) {
        let seen = self.fake.observe(&id(VF)).unwrap();
        let vf = seen.function.vf_address().unwrap();
        for zero in [
            VfSetting::NodeGuid(Guid::ZERO),
            VfSetting::PortGuid(Guid::ZERO),
        ] {
            self.fake.set_vf(&vf, &zero).unwrap();
        }
        self.fake.reprobe(&id(VF)).unwrap();
    }
}

#[test]
fn the_guid_is_set_for_node_and_port_and_its_driver_reads_it() {
    let node = node();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = with_guid(
        network(json!({"link_state": "enable", "pkey": "0x8001", "ipam": {"type": "host-local"}})),
        GUID,
    );
    let result = node.add(&pod, &network).unwrap();
    let interface = &result["interfaces"][0];
    assert_eq!(
        (&interface["name"], &interface["pciID"]),
        (&json!("net1"), &json!(VF))
    );
    assert_eq!(interface.get("mac"), None, "twenty bytes are no MAC");
    assert_eq!(result["ips"][0]["address"], "10.1.0.7/24");
    assert_eq!(node.held_guids(), (Some(guid(GUID)), Some(guid(GUID))));
    assert_eq!(node.fake.guids(&id(VF)), Some((guid(GUID), guid(GUID))));
    let netdev = node.link(&pod, VF).unwrap();
    assert!(netdev.state.up && netdev.state.name.as_str() == "net1");
    let mut checked = network.clone();
    checked["prevResult"] = result;
    node.call("CHECK", &pod, &checked).unwrap();
    for _ in 0..2 {
        node.del(&pod, &network).unwrap();
        assert_eq!((node.fake.dump(), node.entries()), (before.clone(), 0));
    }
    assert_eq!(node.fake.exposed(), [] as [String; 0]);
}

#[test]
fn a_claims_device_keeps_the_guid_of_prepare() {
    let node = node();
    let before = node.fake.dump();
    let claim = claim("c", &[VF], "a", json!({}));
    node.prepare(&claim);
    let (prepared, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = with_guid(network(json!({})), GUID);
    node.add(&pod, &network).unwrap();
    assert_eq!(node.fake.guids(&id(VF)), Some((guid(GUID), guid(GUID))));
    node.del(&pod, &network).unwrap();
    assert_eq!(node.fake.dump(), prepared);
    node.unprepare(&claim);
    assert_eq!(node.fake.dump(), before);
}

#[test]
fn a_vf_without_a_guid_needs_one_and_has_none_again() {
    let node = node();
    node.without_guid();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let error = node.add(&pod, &network(json!({}))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0000:02:10.0: guid: the VF has none (all zero or all ones), and the network names none"
    );
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
    let network = with_guid(network(json!({})), GUID);
    node.add(&pod, &network).unwrap();
    node.del(&pod, &network).unwrap();
    assert_eq!(node.held_guids(), (Some(Guid::NONE), Some(Guid::NONE)));
    assert_eq!(node.fake.guids(&id(VF)), Some((Guid::NONE, Guid::NONE)));
}

#[test]
fn the_rdma_device_goes_into_the_pod_and_comes_back() {
    for dies in [false, true] {
        let node = node();
        let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
        let network = with_guid(network(json!({"rdmaIsolation": true})), GUID);
        let result = node.add(&pod, &network).unwrap();
        let netns = node.netns_of(&pod);
        assert_eq!(node.fake.rdma_names(&netns).unwrap(), [RDMA]);
        assert_eq!(node.link(&pod, VF).unwrap().state.name.as_str(), "net1");
        let mut checked = network.clone();
        checked["prevResult"] = result;
        node.call("CHECK", &pod, &checked).unwrap();
        if dies {
            pod.dies(&node);
        }
        node.del(&pod, &network).unwrap();
        assert_eq!(
            (node.fake.dump(), node.entries()),
            (before, 0),
            "dies {dies}"
        );
        assert_eq!(node.fake.exposed(), [] as [String; 0]);
    }
}

#[test]
fn check_misses_an_rdma_device() {
    let node = node();
    let pod = Pod::new(&node, "a");
    let mut network = network(json!({"rdmaIsolation": true}));
    let result = node.add(&pod, &network).unwrap();
    let host = crate::netdev::host_netns(&node.fake, &Paths::default()).unwrap();
    let netns = node.netns_of(&pod);
    node.fake.move_rdma(RDMA, &netns, &host).unwrap();
    let name = "net1".parse().unwrap();
    node.fake.move_link(&id(VF), &host, &netns, &name).unwrap();
    let up = crate::device::LinkSetting::Up(true);
    node.fake.set_link(&id(VF), &netns, &up).unwrap();
    network["prevResult"] = result;
    let error = node.call("CHECK", &pod, &network).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0000:02:10.0: its RDMA device mlx5_1 is not in the pod"
    );
}

#[test]
fn rdma_devices_that_all_namespaces_share_are_not_isolated() {
    let node = node();
    node.fake.set_exclusive_rdma(false);
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = with_guid(network(json!({"rdmaIsolation": true})), GUID);
    let error = node.add(&pod, &network).unwrap_err();
    assert_eq!(error.code, Code::INVALID_CONFIG);
    assert!(
        error
            .to_string()
            .contains("rdma system set netns exclusive"),
        "{error}"
    );
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}

#[test]
fn what_the_kernel_lacks_is_named_and_nothing_is_left() {
    let node = node();
    node.fake.refuse("set port_guid", 95);
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let network = with_guid(network(json!({})), GUID);
    let error = node.add(&pod, &network).unwrap_err().to_string();
    assert!(
        error.contains("set port_guid 02:00:00:00:00:00:00:77"),
        "{error}"
    );
    assert!(error.contains("driver mlx5_core"), "{error}");
    // It may have been set all the same, which cannot be undone either: DEL tries again.
    node.fake.allow("set port_guid");
    node.del(&pod, &network).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}

#[test]
fn an_ethernet_device_is_none_of_infiniband() {
    let node = Node::new();
    let (before, pod) = (node.fake.dump(), Pod::new(&node, "a"));
    let error = node
        .add(&pod, &with_guid(network(json!({})), GUID))
        .unwrap_err();
    assert_eq!(error.code, Code::INVALID_CONFIG);
    assert!(
        error.to_string().contains("is an Ethernet device"),
        "{error}"
    );
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
}

#[test]
fn a_vf_for_vfio_gets_its_guid_without_a_driver_that_reads_it() {
    let node = node();
    let pod = Pod::new(&node, "a");
    let network = with_guid(network(json!({"vfioPciMode": true})), GUID);
    let error = node.add(&pod, &network).unwrap_err();
    assert_eq!(
        error.to_string(),
        "vfioPciMode: 0000:02:10.0 has the driver mlx5_core; bind it to vfio-pci, or leave \
         vfioPciMode out"
    );
    node.bind_vfio();
    let before = node.fake.dump();
    let _ = node.fake.take_log();
    node.add(&pod, &network).unwrap();
    assert_eq!(node.held_guids(), (Some(guid(GUID)), Some(guid(GUID))));
    node.del(&pod, &network).unwrap();
    assert_eq!((node.fake.dump(), node.entries()), (before, 0));
    let log = node.fake.take_log();
    assert!(!log.iter().any(|write| write.contains("rebind")), "{log:?}");
}

#[test]
fn the_claims_containers_get_the_nodes_that_its_rdma_device_has_now() {
    let node = node();
    node.prepare(&claim("c", &[VF], "a", json!({"rdma": true})));
    let spec = || {
        let dir = &node.plugin.engine.paths().cdi;
        let file = std::fs::read_dir(dir).unwrap().next().unwrap().unwrap();
        std::fs::read_to_string(file.path()).unwrap()
    };
    assert!(spec().contains("/dev/infiniband/issm1"));
    // The driver that is bound anew makes other nodes than before.
    node.fake.set_node("/dev/infiniband/issm1", false);
    let pod = Pod::new(&node, "a");
    let network = with_guid(network(json!({"rdmaIsolation": true})), GUID);
    node.add(&pod, &network).unwrap();
    let now = spec();
    assert!(
        !now.contains("issm1") && now.contains("uverbs1") && now.contains("rdma_cm"),
        "{now}"
    );
}
