//! Slices of the recorded hosts: every kind of function, every attribute.

use super::*;
use crate::{host::recording::large, inventory::fixtures};

/// A pool for each type of devices.
const POOLS: &str = r#"{"resourceList": [
    {"resourceName": "net", "selectors": {}},
    {"resourceName": "sf", "deviceType": "auxNetDevice", "selectors": {"auxTypes": ["sf"]}},
    {"resourceName": "fec", "deviceType": "accelerator", "selectors": {}}]}"#;

fn case(host: Inventory, features: Features) -> Case {
    let (config, _) = Config::read(POOLS, "intel.com").unwrap();
    let candidates: Vec<_> = host
        .offered()
        .map(|function| Candidate::of(function, &host.functions, None))
        .collect();
    let pools = Some(config.assign(&candidates));
    Case {
        host,
        pools,
        ..Case::of(vec![], features)
    }
}

fn cases(features: Features) -> Vec<(String, Case)> {
    fixtures::inventories()
        .into_iter()
        .map(|(name, host)| (name, case(host, features)))
        .collect()
}

/// What is said where there is nothing to say.
fn is_neutral(value: &Attribute) -> bool {
    match value {
        Attribute::String(text) => text.is_empty(),
        Attribute::Int(number) => *number == -1,
        Attribute::Bool(value) => !value,
        Attribute::Version(_) => false,
    }
}

fn listing(desired: &Desired) -> String {
    let mut text = String::new();
    for slice in &desired.slices {
        if let Slice::SharedCounters(sets) = slice {
            sets.iter().for_each(|set| {
                text.push_str(&format!("counters {} {:?}\n", set.name, set.counters))
            });
        }
        for device in slice.devices() {
            let all = device
                .attributes
                .iter()
                .filter(|(_, value)| !is_neutral(value));
            let all: Vec<String> = all
                .map(|(name, value)| format!("  {name}={value}"))
                .collect();
            let takes: Vec<String> = device
                .consumes
                .iter()
                .map(|one| format!("{} {:?}", one.set, one.counters))
                .collect();
            text.push_str(&format!(
                "{} {}\n{}\n",
                device.name,
                takes.join(" "),
                all.join("\n")
            ));
        }
        text.push_str("--\n");
    }
    text
}

#[test]
fn each_recorded_host_as_it_is_published() {
    for (name, case) in cases(ALL) {
        let desired = case.desired();
        assert_eq!(desired.warnings, Vec::<String>::new(), "{name}");
        insta::assert_snapshot!(name, listing(&desired));
    }
}

#[test]
fn the_server_takes_every_slice_of_every_recorded_host() {
    for features in [ALL, PLAIN] {
        for (name, case) in cases(features) {
            assert_eq!(refused(&case.desired()), Vec::<String>::new(), "{name}");
        }
    }
}

#[test]
fn the_recorded_hosts_have_every_kind_of_function() {
    let all: Vec<Function> = fixtures::inventories()
        .into_iter()
        .flat_map(|(_, host)| host.functions)
        .collect();
    let kind = |function: &Function| match &function.kind {
        FunctionKind::Pf { total_vfs: 0, .. } => "pf that can have none",
        FunctionKind::Pf { num_vfs: 0, .. } => "pf without VFs",
        FunctionKind::Pf { .. } => "pf with VFs",
        FunctionKind::Vf { address: Some(_) } => "vf",
        FunctionKind::Vf { address: None } => "vf without PF",
        FunctionKind::Sf { .. } => "sf",
        FunctionKind::Accelerator {
            address: Some(_), ..
        } => "accelerator, vf",
        FunctionKind::Accelerator { num_vfs: 0, .. } => "accelerator without VFs",
        FunctionKind::Accelerator { .. } => "accelerator with VFs",
    };
    let kinds: BTreeSet<&str> = all.iter().map(kind).collect();
    assert_eq!(kinds.len(), 9, "{kinds:?}");
    let vfs = all
        .iter()
        .filter(|function| matches!(function.kind, FunctionKind::Vf { .. }));
    let drivers: BTreeSet<Option<&str>> = vfs.map(|vf| vf.binding.driver.as_deref()).collect();
    assert!(
        drivers.contains(&None)
            && drivers.contains(&Some("vfio-pci"))
            && drivers.contains(&Some("mlx5_core"))
    );
}

/// The attributes of the API's page, in its order.
const ATTRIBUTES: [&str; 29] = [
    "type",
    "vendor",
    "deviceID",
    "pfDeviceID",
    "driver",
    "pciAddress",
    "pfPciAddress",
    "pfName",
    "index",
    "acpiIndex",
    "pKey",
    "linkType",
    "linkSpeed",
    "eswitchMode",
    "rdma",
    "vdpaCapable",
    "vdpaType",
    "ddpProfile",
    "auxDevice",
    "isolated",
    "totalVFs",
    "numVFs",
    "pool",
    "k8s.cni.cncf.io/deviceID",
    "k8s.cni.cncf.io/resourceName",
    "resource.kubernetes.io/pciBusID",
    "resource.kubernetes.io/pcieRoot",
    "resource.kubernetes.io/numaNode",
    "dra.net/numaNode",
];

#[test]
fn the_recorded_hosts_have_every_attribute_with_a_value_that_says_something() {
    let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
    for (_, case) in cases(ALL) {
        for (name, value) in case
            .devices()
            .into_values()
            .flat_map(|device| device.attributes)
        {
            if !is_neutral(&value) && value != Attribute::Int(0) || name.ends_with("numaNode") {
                seen.entry(name).or_default().insert(value.to_string());
            }
        }
    }
    let names: BTreeSet<&str> = seen.keys().map(String::as_str).collect();
    // SFs alone have an auxiliary device, and they are not published yet.
    let of_sfs = |name: &&str| *name != "auxDevice";
    assert_eq!(names, ATTRIBUTES.into_iter().filter(of_sfs).collect());
    let values = |name: &str| seen[name].iter().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(values("type"), ["accelerator", "pf", "vf"]);
    assert_eq!(values("linkType"), ["ethernet", "infiniband"]);
    assert_eq!(values("eswitchMode"), ["legacy", "switchdev"]);
    assert_eq!(values("vdpaType"), ["vhost", "virtio"]);
    assert_eq!(values("pKey"), ["32767", "32769", "65535"]);
    assert_eq!(values("pool"), ["intel.com/fec", "intel.com/net"]);
}

#[test]
fn sfs_are_not_offered_and_neither_is_their_pf() {
    let (pf, sf, vf) = ("0000-3b-00-0", "0000-3b-00-0-sf88", "0000-3b-00-2");
    let devices = case(fixtures::host("connectx6dx"), ALL).devices();
    assert!(!devices.contains_key(sf), "every claim for one is refused");
    assert!(!devices.contains_key(pf) && devices.contains_key(vf));
    let mut host = fixtures::host("connectx6dx");
    host.functions
        .retain(|function| function.auxiliary().is_none());
    for function in &mut host.functions {
        function.eswitch = function
            .eswitch
            .and(Some(crate::device::EswitchMode::Legacy));
    }
    let devices = case(host, ALL).devices();
    let takes = |name: &str| {
        devices[name].consumes[0]
            .counters
            .clone()
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(takes(vf), [("vfs".to_owned(), 1)]);
    assert_eq!(takes(pf), [("vfs".to_owned(), 8)]);
}

#[test]
fn what_a_claim_takes_from_a_device_is_still_said_of_it() {
    for (name, mut case) in cases(ALL) {
        case.publish();
        let before = case.desired();
        for function in &mut case.host.functions {
            let resting = function.binding.driver.replace("vfio-pci".into());
            function.capabilities = crate::device::Capabilities::default();
            (function.netdev, function.carrier) = (None, None);
            case.claimed
                .insert(function.id, resting.or(Some(String::new())));
        }
        assert_eq!(listing(&case.desired()), listing(&before), "{name}");
    }
}

#[test]
fn a_change_of_one_device_is_a_change_of_one_slice_on_every_recorded_host() {
    for (name, mut case) in cases(ALL) {
        let before = case.desired();
        let offered: Vec<DeviceId> = case.host.offered().map(|function| function.id).collect();
        for id in offered {
            case.taints = [(
                id,
                vec![Taint::no_schedule("sriov-dra.io", Reason::UndoFailed)],
            )]
            .into();
            assert_eq!(touched(&before, &case.desired()), 1, "{name} {id}");
        }
    }
}

#[test]
fn two_thousand_vfs_are_thirty_five_slices_and_a_flap_of_one_port_touches_three() {
    let recording = large::host(8);
    let host = Inventory::of_recording(&recording).unwrap();
    assert_eq!(host.functions.len(), 16 + 2048);
    let mut case = case(host, ALL);
    let before = case.desired();
    assert_eq!(refused(&before), Vec::<String>::new());
    assert_eq!(before.slices.len(), 2 + 32 + 1, "counters, VFs, PFs");
    let down = [case.host.functions[0].id.pci()].into();
    case.taints = link_down("sriov-dra.io", &case.host.functions, &down);
    assert_eq!(
        touched(&before, &case.desired()),
        3,
        "two slices of VFs and that of the PFs"
    );
}
