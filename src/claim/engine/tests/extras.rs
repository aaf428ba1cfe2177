//! What containers get beside the device, by pool, class and claim.

use super::*;
use crate::{
    host::Recording,
    ledger::Extras,
    pool::{Assigned, Candidate, Config},
};

const VF: &str = "0000-02-10-0";

/// A pool for all VFs that wants all that a pool can want, and a host with an RDMA device on two of
/// them.
const CONFIG: &str = r#"{"resourceList": [
    {"resourceName": "dpdk", "additionalInfo": {"*": {"token": "<&>", "more-of": "it"}, "0000:02:10.2": {"token": "own"}},
     "selectors": [
        {"rootDevices": ["0000:01:00.0"], "isRdma": true, "needVhostNet": true},
        {"rootDevices": ["0000:01:00.0"], "needVhostNet": true}
     ]}
]}"#;

fn id(name: &str) -> DeviceId {
    DeviceId::from_name(name).unwrap()
}

fn fake() -> Fake {
    let mut recording = Recording::igb();
    for (number, name) in [VF, "0000-02-10-2"].into_iter().enumerate() {
        let mut all = recording.functions.iter_mut();
        let observed = all
            .find(|observed| observed.function.id == id(name))
            .unwrap();
        observed.function.capabilities.rdma = true;
        observed.function.capabilities.rdma_devices = vec![format!("mlx5_{number}")];
    }
    Fake::new(&recording)
}

pub(super) fn pools(fake: &Fake, config: &str) -> PoolDefaults {
    let functions = fake.functions().unwrap();
    let candidates: Vec<_> = functions
        .iter()
        .map(|function| Candidate::of(function, &functions, None))
        .collect();
    let (config, _) = Config::read(config, "intel.com").unwrap();
    let assigned = config.assign(&candidates).devices.into_iter();
    PoolDefaults::Known(
        assigned
            .map(|(id, assigned): (DeviceId, Assigned)| (id, Ok(assigned)))
            .collect(),
    )
}

/// A node with the pool.
fn pooled() -> World {
    let fake = fake();
    let pools = pools(&fake, CONFIG);
    World {
        pools,
        ..World::with(fake)
    }
}

/// Nodes and variables of a claim's devices, as the runtime reads them, a device a line.
fn seen(world: &World, claim: &AllocatedClaim) -> String {
    let name = format!("claim_{}.json", claim.claim.uid);
    let file = world.files().into_iter().find(|file| file.ends_with(&name));
    let spec: Value = serde_json::from_slice(&std::fs::read(file.unwrap()).unwrap()).unwrap();
    let texts = |list: &Value, key: &str| {
        let items = list.as_array().cloned().unwrap_or_default();
        let text = |item: &Value| item.get(key).unwrap_or(item).as_str().unwrap().to_owned();
        items.iter().map(text).collect::<Vec<_>>()
    };
    let device = |device: &Value| {
        let edits = &device["containerEdits"];
        [
            texts(&edits["deviceNodes"], "path"),
            texts(&edits["env"], ""),
        ]
        .concat()
        .join("\n")
    };
    spec["devices"]
        .as_array()
        .unwrap()
        .iter()
        .map(device)
        .collect::<Vec<_>>()
        .join("\n--\n")
}

fn prepared(world: &World, claim: &AllocatedClaim) -> String {
    world.prepare(claim).unwrap();
    seen(world, claim)
}

/// The message of a refusal, and that it changed nothing.
fn refused(world: &World, claim: &AllocatedClaim) -> String {
    let (dump, files) = (world.fake.dump(), world.files());
    let error = world.prepare(claim).unwrap_err().to_string();
    assert_eq!((world.fake.dump(), world.files()), (dump, files), "{error}");
    error
}

#[test]
fn a_pool_gives_what_the_device_plugin_gives() {
    let world = pooled();
    insta::assert_snapshot!(prepared(&world, &claim("c", &[VF], json!({}))), @r#"
    /dev/infiniband/issm0
    /dev/infiniband/umad0
    /dev/infiniband/uverbs0
    /dev/infiniband/rdma_cm
    /dev/vhost-net
    /dev/net/tun
    SRIOV_DRA_NIC0=0000:02:10.0
    PCIDEVICE_INTEL_COM_DPDK=0000:02:10.0
    PCIDEVICE_INTEL_COM_DPDK_INFO={"0000:02:10.0":{"extra":{"more-of":"it","token":"\u003c\u0026\u003e"},"generic":{"deviceID":"0000:02:10.0"},"rdma":{"issm":"/dev/infiniband/issm0","rdma_cm":"/dev/infiniband/rdma_cm","rdma_dev":"mlx5_0","umad":"/dev/infiniband/umad0","uverbs":"/dev/infiniband/uverbs0"},"vhost":{"net-mount":"/dev/vhost-net","tun-mount":"/dev/net/tun"}}}
    "#);
    insta::assert_snapshot!(prepared(&world, &claim("d", &["0000-02-10-4"], json!({"driver": "vfio-pci"}))), @r#"
    /dev/vfio/32
    /dev/vfio/vfio
    /dev/vhost-net
    /dev/net/tun
    SRIOV_DRA_NIC0=0000:02:10.4
    PCIDEVICE_INTEL_COM_DPDK=0000:02:10.4
    PCIDEVICE_INTEL_COM_DPDK_INFO={"0000:02:10.4":{"extra":{"more-of":"it","token":"\u003c\u0026\u003e"},"generic":{"deviceID":"0000:02:10.4"},"vfio":{"dev-mount":"/dev/vfio/32","mount":"/dev/vfio/vfio"},"vhost":{"net-mount":"/dev/vhost-net","tun-mount":"/dev/net/tun"}}}
    "#);
    insta::assert_snapshot!(prepared(&world, &claim("e", &["0000-02-10-1"], json!({}))), @"SRIOV_DRA_NIC0=0000:02:10.1");
}

#[test]
fn devices_of_one_pool_are_listed_together_by_request() {
    let mut joined = claim(
        "c",
        &[
            "0000-02-10-2",
            "0000-02-10-4",
            "0000-02-10-6",
            "0000-02-10-1",
        ],
        json!({}),
    );
    for (device, request) in joined
        .devices
        .iter_mut()
        .zip(["data", "data", "mgmt", "data"])
    {
        device.request = request.to_owned();
    }
    let world = pooled();
    let all = prepared(&world, &joined);
    let lists: Vec<&str> = all
        .lines()
        .filter(|line| !line.contains("_INFO=") && line.contains("=0000:"))
        .collect();
    insta::assert_snapshot!(lists.join("\n"), @r#"
    SRIOV_DRA_DATA=0000:02:10.2,0000:02:10.4,0000:02:10.1
    PCIDEVICE_INTEL_COM_DPDK=0000:02:10.2,0000:02:10.4
    SRIOV_DRA_DATA=0000:02:10.2,0000:02:10.4,0000:02:10.1
    PCIDEVICE_INTEL_COM_DPDK=0000:02:10.2,0000:02:10.4
    SRIOV_DRA_MGMT=0000:02:10.6
    PCIDEVICE_INTEL_COM_DPDK=0000:02:10.6
    SRIOV_DRA_DATA=0000:02:10.2,0000:02:10.4,0000:02:10.1
    "#);
    let infos: Vec<&str> = all.lines().filter(|line| line.contains("_INFO=")).collect();
    assert_eq!(
        (infos.len(), infos[0]),
        (3, infos[1]),
        "whichever is the last of a request, the value is the same"
    );
    insta::assert_snapshot!(infos[0], @r#"PCIDEVICE_INTEL_COM_DPDK_INFO={"0000:02:10.2":{"extra":{"more-of":"it","token":"own"},"generic":{"deviceID":"0000:02:10.2"},"rdma":{"issm":"/dev/infiniband/issm1","rdma_cm":"/dev/infiniband/rdma_cm","rdma_dev":"mlx5_1","umad":"/dev/infiniband/umad1","uverbs":"/dev/infiniband/uverbs1"},"vhost":{"net-mount":"/dev/vhost-net","tun-mount":"/dev/net/tun"}},"0000:02:10.4":{"extra":{"more-of":"it","token":"\u003c\u0026\u003e"},"generic":{"deviceID":"0000:02:10.4"},"vhost":{"net-mount":"/dev/vhost-net","tun-mount":"/dev/net/tun"}}}"#);
}

#[test]
fn class_and_claim_go_before_the_pool() {
    let world = pooled();
    let mut claim = claim(
        "c",
        &[VF],
        json!({"vhostNet": false, "env": {"token": "class", "ZONE": "a"}}),
    );
    claim.configs.push(config(
        ConfigSource::Claim,
        json!({"rdma": false, "env": {"token": "claim"}}),
    ));
    insta::assert_snapshot!(prepared(&world, &claim), @r#"
    SRIOV_DRA_NIC0=0000:02:10.0
    PCIDEVICE_INTEL_COM_DPDK=0000:02:10.0
    PCIDEVICE_INTEL_COM_DPDK_INFO={"0000:02:10.0":{"extra":{"ZONE":"a","more-of":"it","token":"claim"},"generic":{"deviceID":"0000:02:10.0"}}}
    ZONE=a
    token=claim
    "#);
}

#[test]
fn without_a_pool_class_and_claim_get_what_they_ask() {
    let world = World::with(fake());
    let asked = json!({"rdma": true, "vhostNet": true, "env": {"ZONE": "a=b"}});
    insta::assert_snapshot!(prepared(&world, &claim("c", &[VF], asked)), @r#"
    /dev/infiniband/issm0
    /dev/infiniband/umad0
    /dev/infiniband/uverbs0
    /dev/infiniband/rdma_cm
    /dev/vhost-net
    /dev/net/tun
    SRIOV_DRA_NIC0=0000:02:10.0
    ZONE=a=b
    "#);
    insta::assert_snapshot!(prepared(&world, &claim("d", &["0000-02-10-2"], json!({}))), @"SRIOV_DRA_NIC0=0000:02:10.2");
}

#[test]
fn what_is_asked_and_not_there_is_refused() {
    let world = World::with(fake());
    world.fake.set_node("/dev/net/tun", false);
    world.fake.set_node("/dev/infiniband/uverbs1", false);
    let asked = |device, class| refused(&world, &claim("c", &[device], class));
    let texts = [
        asked(VF, json!({"vhostNet": true})),
        asked(VF, json!({"rdma": true, "driver": "vfio-pci"})),
        asked("0000-02-10-4", json!({"rdma": true})),
        asked("0000-02-10-2", json!({"rdma": true})),
    ];
    insta::assert_snapshot!(texts.join("\n"), @r#"
    0000:02:10.0: vhostNet: this node has no /dev/net/tun: load the kernel module tun
    0000:02:10.0: rdma: there is none with vfio-pci; leave rdma out, or set driver: default
    0000:02:10.4: rdma: the driver igbvf has made no RDMA device of it; leave rdma out, or select devices whose attribute rdma is true
    0000:02:10.2: rdma: the host sees no /dev/infiniband/uverbs of it: load the kernel module ib_uverbs, and see that no other network namespace has its RDMA device (rdma link)
    "#);
    world.fake.set_node("/dev/net/tun", true);
    world.fake.set_node("/dev/vhost-net", false);
    insta::assert_snapshot!(asked(VF, json!({"vhostNet": true})), @"0000:02:10.0: vhostNet: this node has no /dev/vhost-net: load the kernel module vhost_net");
}

#[test]
fn a_pools_default_that_is_not_available_is_left_out() {
    for (node, device) in [
        ("/dev/net/tun", VF),
        ("/dev/vhost-net", VF),
        ("/dev/infiniband/uverbs0", VF),
    ] {
        let world = pooled();
        world.fake.set_node(node, false);
        let seen = prepared(&world, &claim("c", &[device], json!({})));
        let (vhost, rdma) = (
            seen.contains("/dev/net/tun") || seen.contains("vhost"),
            seen.contains("rdma_cm"),
        );
        assert_eq!(
            (vhost, rdma),
            (node.contains("infiniband"), !node.contains("infiniband")),
            "{node}: {seen}"
        );
    }
    let world = pooled();
    let seen = prepared(&world, &claim("c", &[VF], json!({"driver": "vfio-pci"})));
    assert!(
        seen.contains("/dev/vfio/")
            && seen.contains("/dev/vhost-net")
            && !seen.contains("infiniband"),
        "{seen}"
    );
}

#[test]
fn a_prepared_claim_answers_from_its_record_whatever_becomes_of_the_pool() {
    let mut world = pooled();
    let claim = claim("c", &[VF], json!({"env": {"ZONE": "a"}}));
    let (before, answer) = (prepared(&world, &claim), world.prepare(&claim).unwrap());
    let other = CONFIG
        .replace("dpdk", "other")
        .replace("\"needVhostNet\": true", "\"needVhostNet\": false");
    for later in [
        pools(&world.fake, &other),
        PoolDefaults::Unknown,
        PoolDefaults::Known(BTreeMap::from([(id(VF), Err("bad".into()))])),
    ] {
        world.pools = later;
        assert!(world.restart().is_empty());
        assert_eq!(
            (world.prepare(&claim).unwrap(), seen(&world, &claim)),
            (answer.clone(), before.clone())
        );
    }
    world.unprepare(&claim).unwrap();
    world.pools = pools(&world.fake, &other);
    assert!(
        prepared(&world, &claim).contains("PCIDEVICE_INTEL_COM_OTHER="),
        "prepared anew, it asks anew"
    );
}

#[test]
fn what_comes_with_a_pool_is_not_left_out_because_nobody_knows_it() {
    let mut world = pooled();
    let claim = claim("c", &[VF], json!({}));
    world.pools = PoolDefaults::Unknown;
    insta::assert_snapshot!(refused(&world, &claim), @"0000:02:10.0: the agent has just started and does not know its pool yet");
    world.pools = PoolDefaults::Known(BTreeMap::from([(
        id(VF),
        Err("config.json: line 1".into()),
    )]));
    insta::assert_snapshot!(refused(&world, &claim), @"0000:02:10.0: config.json: line 1");
}

#[test]
fn only_observing_brings_nothing() {
    let world = pooled();
    let mut observer = claim("watch", &[VF], json!({"rdma": true}));
    observer.devices[0].admin_access = true;
    insta::assert_snapshot!(prepared(&world, &observer), @"SRIOV_DRA_NIC0=0000:02:10.0");
}

#[test]
fn a_record_of_an_earlier_agent_has_no_extras() {
    let world = pooled();
    let claim = claim("c", &[VF], json!({}));
    world.prepare(&claim).unwrap();
    let mut old = serde_json::to_value(world.record(&claim).unwrap()).unwrap();
    old["devices"][0]
        .as_object_mut()
        .unwrap()
        .remove("extras")
        .unwrap();
    let read: Record = serde_json::from_value(old).unwrap();
    assert_eq!(read.devices[0].extras, Extras::default());
}

#[test]
fn killed_at_any_write_a_claim_has_all_of_it_or_nothing() {
    let claim = claim("c", &[VF], json!({"vlan": 5, "env": {"ZONE": "a"}}));
    let whole = prepared(&pooled(), &claim);
    let then = |world: &mut World, trip| {
        assert!(world.restart().is_empty(), "{trip:?}");
        match world.record(&claim) {
            Some(_) => assert_eq!(seen(world, &claim), whole, "{trip:?}"),
            None => assert_eq!(world.files(), [""; 0], "{trip:?}"),
        }
        assert_eq!(prepared(world, &claim), whole, "{trip:?}");
    };
    crash::everywhere(
        &crash::KILLS,
        pooled,
        |world| drop(world.prepare(&claim)),
        then,
    );
}
