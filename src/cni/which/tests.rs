//! Each case: the pod's networks, its devices, and what an interface gets.

use super::*;
use crate::cni::networks::VERSION;

const POOL: &str = "intel.com/sriov";
const OTHER: &str = "intel.com/fast";

/// `[default:]nad[@interface][=resource][!type]`; the configuration has the NAD's name.
fn network(text: &str) -> Network {
    let (text, kind) = text.split_once('!').unwrap_or((text, "sriov"));
    let (text, resource) = text.split_once('=').unwrap_or((text, ""));
    let (text, interface) = text.split_once('@').unwrap_or((text, ""));
    let (is_default, name) = match text.strip_prefix("default:") {
        Some(name) => (true, name),
        None => (false, text),
    };
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Network {
        nad: nad(name),
        interface: given(interface),
        is_default,
        resource_name: given(resource),
        conf_name: Some(name.to_owned()),
        conf_type: given(kind),
        limits_bandwidth: false,
        gateways: vec![],
        error: None,
    }
}

fn nad(name: &str) -> NadRef {
    NadRef {
        namespace: "shop".to_owned(),
        name: name.to_owned(),
    }
}

fn pod(networks: &[&str]) -> PodNetworks {
    PodNetworks {
        version: VERSION,
        uid: "u".parse().unwrap(),
        namespace: "shop".to_owned(),
        name: "web".to_owned(),
        claims: Default::default(),
        networks: networks.iter().map(|text| network(text)).collect(),
        error: None,
    }
}

/// A VF of the function number, in a claim and a pool.
fn device(number: u32, claim: &str, pool: &str) -> PodDevice {
    let device_id = format!("0000:3b:02.{number}");
    PodDevice {
        claim: ClaimRef {
            uid: "c".parse().unwrap(),
            namespace: "shop".to_owned(),
            name: claim.to_owned(),
        },
        request: "net".to_owned(),
        id: device_id.parse::<crate::device::Bdf>().unwrap().into(),
        device_id,
        pool: (!pool.is_empty()).then(|| pool.to_owned()),
        named_nad: None,
        named_interface: None,
        attached_as: None,
    }
}

fn three() -> Vec<PodDevice> {
    // In the order of the allocation, which is not theirs.
    [3, 1, 2].map(|number| device(number, "vfs", POOL)).to_vec()
}

/// What attaches for a pod, one interface after the other, as Multus does.
struct Pod {
    networks: Option<PodNetworks>,
    devices: Vec<PodDevice>,
}

impl Pod {
    fn new(networks: &[&str], devices: Vec<PodDevice>) -> Self {
        Self {
            networks: Some(pod(networks)),
            devices,
        }
    }

    fn asks(&self, conf: &str, ifname: &str, hint: &str) -> Result<String, WhichError> {
        self.asks_of(conf, ifname, hint, None)
    }

    fn asks_of(
        &self,
        conf: &str,
        ifname: &str,
        hint: &str,
        holder: Option<&str>,
    ) -> Result<String, WhichError> {
        let request = Request {
            conf_name: conf,
            conf_type: "sriov",
            ifname,
            hint: (!hint.is_empty()).then_some(Hint {
                device_id: hint,
                holder,
            }),
            pool: None,
        };
        let choice = which(self.networks.as_ref(), &request, &self.devices)?;
        Ok(match choice.device {
            Chosen::Claimed(device) => device.device_id.clone(),
            Chosen::Unclaimed(device) => format!("unclaimed {device}"),
        })
    }

    /// Attaches, and checks which device it was.
    #[track_caller]
    fn gets(&mut self, conf: &str, ifname: &str, hint: &str, expected: u32) {
        let got = self.asks(conf, ifname, hint).unwrap();
        assert_eq!(got, vf(expected), "{conf} as {ifname}, deviceID {hint:?}");
        let device = self
            .devices
            .iter_mut()
            .find(|device| device.device_id == got);
        device.unwrap().attached_as = Some(ifname.to_owned());
        // The same again, in a new sandbox.
        assert_eq!(self.asks(conf, ifname, hint), Ok(got));
    }

    #[track_caller]
    fn fails(&self, conf: &str, ifname: &str, hint: &str) -> String {
        self.asks(conf, ifname, hint).unwrap_err().to_string()
    }
}

fn vf(number: u32) -> String {
    format!("0000:3b:02.{number}")
}

#[test]
fn networks_of_a_pool_get_its_devices_in_their_order() {
    let mut pod = Pod::new(
        &[
            "a=intel.com/sriov",
            "b=intel.com/sriov",
            "c=intel.com/sriov",
        ],
        three(),
    );
    pod.gets("a", "net1", "", 1);
    pod.gets("b", "net2", "", 2);
    pod.gets("c", "net3", "", 3);
}

#[test]
fn the_order_does_not_depend_on_who_comes_first() {
    let networks = [
        "a=intel.com/sriov",
        "b=intel.com/sriov",
        "a=intel.com/sriov",
    ];
    for (conf, ifname, expected) in [("a", "net3", 3), ("b", "net2", 2), ("a", "net1", 1)] {
        Pod::new(&networks, three()).gets(conf, ifname, "", expected);
    }
}

#[test]
fn devices_are_sorted_as_strings() {
    let mut devices = three();
    devices[0].device_id = "10000:00:02.0".to_owned();
    let pod = Pod::new(&["a=intel.com/sriov"; 3], devices);
    assert_eq!(pod.asks("a", "net3", "").unwrap(), "10000:00:02.0");
    let mut devices = three();
    devices[0].device_id = "0001:00:02.0".to_owned();
    devices[1].device_id = "00001:00:02.0".to_owned();
    let pod = Pod::new(&["a=intel.com/sriov"; 3], devices);
    assert_eq!(pod.asks("a", "net1", "").unwrap(), "00001:00:02.0");
}

#[test]
fn devices_of_all_claims_of_the_pod_count() {
    let devices = vec![
        device(5, "one", POOL),
        device(4, "other", POOL),
        device(1, "gpu", OTHER),
    ];
    let mut pod = Pod::new(
        &["a=intel.com/sriov", "f=intel.com/fast", "b=intel.com/sriov"],
        devices,
    );
    pod.gets("a", "net1", "", 4);
    pod.gets("f", "net2", "", 1);
    pod.gets("b", "net3", "", 5);
}

/// A named claim of several devices, in several containers: the kubelet lists each again.
#[test]
fn repetitions_of_the_kubelets_list_give_no_device_twice() {
    let list = |numbers: [u32; 3]| numbers.map(vf);
    for hints in [
        list([1, 1, 2]),
        list([1, 1, 1]),
        list([1, 2, 2]),
        list([1, 2, 3]),
    ] {
        let mut pod = Pod::new(&["a=vfs", "b=vfs", "c=vfs"], three());
        pod.gets("a", "net1", &hints[0], 1);
        pod.gets("b", "net2", &hints[1], 2);
        pod.gets("c", "net3", &hints[2], 3);
    }
}

#[test]
fn the_default_network_and_the_first_one_have_the_same_hint() {
    let networks = [
        "a=intel.com/sriov",
        "default:d=intel.com/sriov",
        "b=intel.com/sriov",
    ];
    let mut pod = Pod::new(&networks, three());
    pod.gets("d", "eth0", &vf(1), 1);
    pod.gets("a", "net1", &vf(1), 2);
    pod.gets("b", "net2", &vf(2), 3);
    // Also when it is the same network.
    let mut pod = Pod::new(&["default:a=intel.com/sriov", "a=intel.com/sriov"], three());
    pod.gets("a", "eth0", &vf(1), 1);
    pod.gets("a", "net1", &vf(1), 2);
}

#[test]
fn a_hint_that_is_free_is_followed() {
    let two = [1, 2].map(|number| device(number, "vfs", POOL)).to_vec();
    let mut pod = Pod::new(&["a=intel.com/sriov", "b=intel.com/sriov"], two);
    pod.gets("a", "net1", &vf(2), 2);
    pod.gets("b", "net2", "", 1);
}

#[test]
fn a_hint_of_another_pool_or_pods_device_is_not() {
    let mut devices = three();
    devices.push(device(0, "gpu", OTHER));
    let mut pod = Pod::new(&["a=intel.com/sriov", "f=intel.com/fast"], devices);
    let foreign = pod.asks_of("a", "net1", "0000:3b:02.7", Some("claim shop/x"));
    assert_eq!(foreign, Ok(vf(1)));
    pod.gets("a", "net1", &vf(0), 1);
    pod.gets("f", "net2", &vf(0), 0);
    let none = Pod::new(&["a=intel.com/sriov"], Vec::new());
    let error = none
        .asks_of("a", "net1", &vf(7), Some("claim shop/x"))
        .unwrap_err();
    assert!(error.may_be_stale());
    assert_eq!(
        error.to_string(),
        "interface net1 of network shop/a: no device of intel.com/sriov is left for it: the pod's claims have none \
         that a CNI plugin attaches; deviceID 0000:3b:02.7 belongs to claim shop/x"
    );
}

#[test]
fn the_hint_decides_for_devices_without_a_claim() {
    let unclaimed = Ok(format!("unclaimed {}", vf(7)));
    // No agent, or a device of the device plugin.
    let none = Pod {
        networks: None,
        devices: Vec::new(),
    };
    assert_eq!(none.asks("a", "net1", &vf(7)), unclaimed);
    assert_eq!(
        Pod::new(&["a=intel.com/sriov"], Vec::new()).asks("a", "net1", &vf(7)),
        unclaimed
    );
    // A fixed device in the NetworkAttachmentDefinition, beside a claim's.
    let mut pod = Pod::new(
        &["fixed", "a=intel.com/sriov"],
        vec![device(1, "vfs", POOL)],
    );
    assert_eq!(pod.asks("fixed", "net1", &vf(7)), unclaimed);
    pod.gets("a", "net2", "", 1);
    // Not for a network whose pool the pod has devices of.
    assert_eq!(pod.asks("a", "net2", &vf(7)), Ok(vf(1)));
}

#[test]
fn the_claims_config_names_the_interface() {
    let mut devices = three();
    devices[0].named_interface = Some("net1".to_owned());
    let networks = [
        "a=intel.com/sriov",
        "b@blue=intel.com/sriov",
        "b=intel.com/sriov",
    ];
    let mut pod = Pod::new(&networks, devices);
    pod.gets("a", "net1", &vf(1), 3);
    pod.gets("b", "net3", &vf(3), 2);
}

#[test]
fn the_claims_config_names_the_network() {
    let mut devices = three();
    devices[1].named_nad = Some(nad("b"));
    let mut pod = Pod::new(
        &[
            "a=intel.com/sriov",
            "b=intel.com/sriov",
            "c=intel.com/sriov",
        ],
        devices,
    );
    // Free, but named for another network.
    pod.gets("a", "net1", &vf(1), 2);
    pod.gets("b", "net2", &vf(3), 1);
    pod.gets("c", "net3", "", 3);
}

#[test]
fn a_name_that_no_interface_has_names_nothing() {
    let mut devices = vec![device(1, "vfs", POOL)];
    devices[0].named_interface = Some("blue".to_owned());
    Pod::new(&["a=intel.com/sriov"], devices).gets("a", "net1", "", 1);
}

#[test]
fn a_name_against_the_pool_is_an_error() {
    let mut devices = vec![device(1, "vfs", POOL), device(2, "fast", OTHER)];
    devices[1].named_interface = Some("net1".to_owned());
    let pod = Pod::new(&["a=intel.com/sriov"], devices);
    assert_eq!(
        pod.fails("a", "net1", ""),
        "interface net1 of network shop/a: claim shop/fast names this interface for 0000:3b:02.2 of pool intel.com/fast, \
         but the network takes devices of intel.com/sriov; correct ifName in the claim or the annotation of the pod"
    );
}

#[test]
fn two_devices_named_alike_are_ambiguous() {
    let mut devices = vec![device(1, "one", POOL), device(2, "two", POOL)];
    for device in &mut devices {
        device.named_interface = Some("net1".to_owned());
    }
    let error = Pod::new(&["a=intel.com/sriov"], devices)
        .asks("a", "net1", "")
        .unwrap_err();
    assert!(matches!(error, WhichError::Ambiguous(_)), "{error}");
}

#[test]
fn an_interface_that_is_requested_finds_its_network() {
    let networks = [
        "a@blue=intel.com/sriov",
        "a=intel.com/sriov",
        "a@red=intel.com/sriov",
    ];
    for (ifname, expected) in [("red", 3), ("net2", 2), ("blue", 1)] {
        Pod::new(&networks, three()).gets("a", ifname, "", expected);
    }
    let twice = Pod::new(
        &["a@blue=intel.com/sriov", "a@blue=intel.com/sriov"],
        three(),
    );
    assert_eq!(
        twice.fails("a", "blue", ""),
        "interface blue: is requested for several networks: shop/a, shop/a"
    );
}

#[test]
fn networks_of_the_cluster_may_come_before_the_pods() {
    // One of Multus' defaultNetworks: the pod's begin with net2.
    let mut pod = Pod::new(&["a=intel.com/sriov", "a=intel.com/sriov"], three());
    pod.gets("a", "net2", &vf(1), 1);
    pod.gets("a", "net3", &vf(2), 2);
    let mut pod = Pod::new(&["a=intel.com/sriov", "b=intel.com/sriov"], three());
    pod.gets("a", "net2", "", 1);
    pod.gets("b", "net3", "", 2);
    // It takes none of the devices that the pod's own networks have.
    let mut pod = Pod::new(&["a=intel.com/sriov"], three());
    pod.gets("cluster-wide", "eth0", &vf(1), 2);
    pod.gets("a", "net1", &vf(1), 1);
}

#[test]
fn stdin_has_to_have_name_and_type_of_the_network() {
    let pod = Pod::new(
        &["a=intel.com/sriov!host-device", "b=intel.com/sriov"],
        three(),
    );
    let error = pod.asks("a", "net1", "").unwrap_err();
    assert!(error.may_be_stale());
    assert_eq!(
        error.to_string(),
        "interface net1: pod shop/web has no network with name \"a\" and type \"sriov\": it has shop/a (\"a\", \
         \"host-device\"), shop/b (\"b\", \"sriov\")"
    );
    // The other plugin's network has its share of the pool.
    assert_eq!(pod.asks("b", "net2", ""), Ok(vf(2)));
    // The configuration is a file of the node: any type.
    let pod = Pod::new(&["a=intel.com/sriov!"], three());
    assert_eq!(pod.asks("a", "net1", ""), Ok(vf(1)));
}

#[test]
fn what_the_agent_could_not_read_is_in_the_error() {
    let mut networks = pod(&[]);
    networks.error = Some("annotation x: entry 1: no".to_owned());
    let unread = Pod {
        networks: Some(networks),
        devices: three(),
    };
    assert!(
        unread
            .fails("a", "net1", "")
            .ends_with(": annotation x: entry 1: no")
    );
    let mut missing = Pod::new(&["a"], three());
    let network = &mut missing.networks.as_mut().unwrap().networks[0];
    (network.conf_name, network.error) = (None, Some("not found".to_owned()));
    assert!(
        missing
            .fails("a", "net1", "")
            .ends_with("it has shop/a (not found)")
    );
}

#[test]
fn more_networks_than_devices_is_an_error() {
    let mut pod = Pod::new(
        &["a=intel.com/sriov", "b=intel.com/sriov"],
        vec![device(1, "vfs", POOL)],
    );
    pod.gets("a", "net1", "", 1);
    assert_eq!(
        pod.fails("b", "net2", &vf(1)),
        "interface net2 of network shop/b: no device of intel.com/sriov is left for it: the pod's claims have \
         0000:3b:02.1 of intel.com/sriov (claim shop/vfs, attached as net1)"
    );
}

#[test]
fn a_network_without_a_pool_gets_what_is_left_of_one() {
    let mut pod = Pod::new(&["free", "a=intel.com/sriov"], three());
    pod.gets("free", "net1", "", 2);
    let mut devices = three();
    devices.push(device(5, "fast", OTHER));
    let pod = Pod::new(&["free", "a=intel.com/sriov"], devices);
    let error = pod.asks("free", "net1", "").unwrap_err();
    assert!(matches!(error, WhichError::Ambiguous(_)));
    assert!(error.to_string().starts_with(
        "interface net1: could be 0000:3b:02.2 of intel.com/sriov (claim shop/vfs), "
    ));
}

#[test]
fn danm_has_no_annotation() {
    let mut pod = Pod::new(&[], three());
    pod.gets("management", "eth1", &vf(2), 2);
    pod.gets("management", "eth2", &vf(2), 1);
    pod.gets("management", "eth3", "", 3);
    let mut devices = three();
    devices.push(device(5, "fast", OTHER));
    let pod = Pod::new(&[], devices);
    assert!(
        pod.fails("management", "eth1", "")
            .starts_with("interface eth1: could be ")
    );
    let request = Request {
        conf_name: "management",
        conf_type: "sriov",
        ifname: "eth1",
        hint: None,
        pool: Some(OTHER),
    };
    let choice = which(pod.networks.as_ref(), &request, &pod.devices).unwrap();
    assert_eq!(choice.device, Chosen::Claimed(&pod.devices[3]));
    assert_eq!(choice.network, None);
}

#[test]
fn a_network_that_limits_a_vf_by_bandwidth_is_refused_with_the_setting_that_does() {
    let mut caller = Pod::new(&["a=intel.com/sriov", "b=intel.com/sriov"], three());
    caller.networks.as_mut().unwrap().networks[1].limits_bandwidth = true;
    assert!(caller.asks("a", "net1", "").is_ok());
    let error = caller.asks("b", "net2", "").unwrap_err();
    assert!(error.to_string().contains("max_tx_rate"), "{error}");
    // The network may have been changed since.
    assert!(error.may_be_stale());
}
