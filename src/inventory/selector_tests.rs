//! Every selector of pools on recorded hosts, with a device that it takes and one that it refuses.

use std::collections::BTreeSet;

use super::{DeviceFilter, PfNames, fixtures};
use crate::pool::{Candidate, Config, DeviceType, Selector};

/// Type of devices, selector object, host, what is taken, what is refused and why.
const TABLE: [(&str, &str, &str, &str, &str, &str); 31] = [
    (
        "netDevice",
        r#"{"vendors": ["8086"]}"#,
        "openstack-guest",
        "0000-00-05-0",
        "0000-00-06-0",
        "vendors is 15b3, wanted 8086",
    ),
    (
        "netDevice",
        r#"{"devices": ["1889"]}"#,
        "e810-ddp",
        "0000-18-01-0",
        "0000-18-00-1",
        "devices is 1592, wanted 1889",
    ),
    (
        "netDevice",
        r#"{"drivers": ["vfio-pci"]}"#,
        "connectx6dx",
        "0000-3b-01-2",
        "0000-3b-00-2",
        "drivers is mlx5_core, wanted vfio-pci",
    ),
    (
        "netDevice",
        r#"{"pciAddresses": ["0000:18:00.1"]}"#,
        "e810-ddp",
        "0000-18-00-1",
        "0000-18-01-1",
        "pciAddresses is 0000:18:01.1, wanted 0000:18:00.1",
    ),
    (
        "netDevice",
        r#"{"acpiIndexes": ["101"]}"#,
        "openstack-guest",
        "0000-00-05-0",
        "0000-00-06-0",
        "acpiIndexes is 102, wanted 101",
    ),
    (
        "netDevice",
        r#"{"acpiIndexes": [""]}"#,
        "openstack-guest",
        "0000-00-07-0",
        "0000-00-05-0",
        "acpiIndexes is 101, wanted \"\"",
    ),
    (
        "netDevice",
        r#"{"pfNames": ["ens1f0np0#0-2"]}"#,
        "connectx6dx",
        "0000-3b-00-4",
        "0000-3b-00-5",
        "pfNames is ens1f0np0#3, wanted ens1f0np0#0-2",
    ),
    (
        "netDevice",
        r#"{"pfNames": ["ENS1F1NP1"]}"#,
        "connectx6dx",
        "0000-3b-01-2",
        "0000-3b-00-2",
        "pfNames is ens1f0np0#0, wanted ENS1F1NP1",
    ),
    (
        "netDevice",
        r#"{"pfNames": ["eno101"]}"#,
        "e810-ddp",
        "",
        "0000-18-01-0",
        "pfNames is ens785f0#0, wanted eno101",
    ),
    (
        "netDevice",
        r#"{"rootDevices": ["0000:21:00.0#0-1"]}"#,
        "igb",
        "0000-21-10-2",
        "0000-21-10-4",
        "rootDevices is 0000:21:00.0#2, wanted 0000:21:00.0#0-1",
    ),
    (
        "netDevice",
        r#"{"linkTypes": ["infiniband"]}"#,
        "infiniband",
        "0000-af-00-3",
        "",
        "",
    ),
    (
        "netDevice",
        r#"{"linkTypes": ["infiniband"]}"#,
        "igb",
        "",
        "0000-21-10-0",
        "linkTypes is ether, wanted infiniband",
    ),
    (
        "netDevice",
        r#"{"linkTypes": ["ether"]}"#,
        "connectx6dx",
        "0000-3b-01-2",
        "",
        "",
    ),
    (
        "netDevice",
        r#"{"linkTypes": ["ether"]}"#,
        "infiniband",
        "",
        "0000-af-00-1",
        "linkTypes is infiniband, wanted ether",
    ),
    (
        "netDevice",
        r#"{"ddpProfiles": ["ICE COMMS Package"]}"#,
        "e810-ddp",
        "0000-18-01-2",
        "",
        "",
    ),
    (
        "netDevice",
        r#"{"ddpProfiles": ["ICE COMMS Package"]}"#,
        "igb",
        "",
        "0000-21-10-0",
        "ddpProfiles is none, wanted ICE COMMS Package",
    ),
    (
        "netDevice",
        r#"{"pKeys": ["0x8001"]}"#,
        "infiniband",
        "0000-af-00-1",
        "0000-af-00-2",
        "pKeys is 0x7fff, wanted 0x8001",
    ),
    (
        "netDevice",
        r#"{"isRdma": true}"#,
        "connectx6dx",
        "0000-3b-00-5",
        "0000-3b-01-2",
        "isRdma is false, wanted true",
    ),
    (
        "netDevice",
        r#"{"vdpaType": "vhost"}"#,
        "vdpa",
        "0000-5e-00-2",
        "0000-5e-00-3",
        "vdpaType is virtio, wanted vhost",
    ),
    (
        "netDevice",
        r#"{"vdpaType": "virtio"}"#,
        "vdpa",
        "0000-5e-00-3",
        "0000-5e-00-4",
        "vdpaType is none, wanted virtio",
    ),
    (
        "auxNetDevice",
        r#"{"auxTypes": ["sf"]}"#,
        "connectx6dx",
        "0000-3b-00-0-sf88",
        "0000-3b-00-2",
        "deviceType is vf, wanted auxNetDevice",
    ),
    (
        "auxNetDevice",
        r#"{"auxTypes": ["sf"], "vendors": ["15b3"], "devices": ["a2d6"]}"#,
        "bluefield2",
        "0000-03-00-0-sf1",
        "",
        "",
    ),
    (
        "auxNetDevice",
        r#"{"auxTypes": ["sf"], "devices": ["a2d6"]}"#,
        "connectx6dx",
        "",
        "0000-3b-00-0-sf88",
        "devices is 101d, wanted a2d6",
    ),
    (
        "auxNetDevice",
        r#"{"auxTypes": ["sf"], "drivers": ["mlx5_core"]}"#,
        "bluefield2",
        "0000-03-00-0-sf3",
        "",
        "",
    ),
    (
        "auxNetDevice",
        r#"{"auxTypes": ["sf"], "drivers": ["vfio-pci"]}"#,
        "bluefield2",
        "",
        "0000-03-00-0-sf3",
        "drivers is mlx5_core, wanted vfio-pci",
    ),
    (
        "auxNetDevice",
        r#"{"auxTypes": ["sf"], "pfNames": ["p0#1-2"]}"#,
        "bluefield2",
        "0000-03-00-0-sf2",
        "0000-03-00-0-sf3",
        "pfNames is p0#3, wanted p0#1-2",
    ),
    (
        "auxNetDevice",
        r#"{"auxTypes": ["sf"], "rootDevices": ["0000:3b:00.0#88"]}"#,
        "connectx6dx",
        "0000-3b-00-0-sf88",
        "0000-3b-00-0-sf89",
        "rootDevices is 0000:3b:00.0#89, wanted 0000:3b:00.0#88",
    ),
    (
        "auxNetDevice",
        r#"{"auxTypes": ["sf"], "linkTypes": ["ether"], "isRdma": true}"#,
        "connectx6dx",
        "0000-3b-00-0-sf89",
        "",
        "",
    ),
    (
        "accelerator",
        r#"{"vendors": ["8086"], "devices": ["0d5d"]}"#,
        "accelerators",
        "0000-8b-00-0",
        "0000-8c-00-0",
        "devices is 09c4, wanted 0d5d",
    ),
    (
        "accelerator",
        r#"{"pciAddresses": ["0000:8c:00.0"]}"#,
        "accelerators",
        "0000-8c-00-0",
        "0000-8b-00-1",
        "pciAddresses is 0000:8b:00.1, wanted 0000:8c:00.0",
    ),
    (
        "accelerator",
        r#"{"drivers": ["vfio-pci"]}"#,
        "accelerators",
        "0000-8b-00-1",
        "",
        "",
    ),
];

fn config(text: &str) -> Config {
    Config::read(text, "intel.com").unwrap().0
}

/// A configuration of one pool with these selectors.
fn one_pool(device_type: &str, selectors: &str) -> String {
    format!(
        r#"{{"resourceList": [{{"resourceName": "p", "deviceType": "{device_type}", "selectors": {selectors}}}]}}"#
    )
}

fn candidate(host: &str, name: &str) -> Candidate {
    let host = fixtures::host(host);
    Candidate::of(fixtures::function(&host, name), &host.functions, None)
}

#[test]
fn every_selector_takes_a_device_of_a_recorded_host_and_refuses_one() {
    for (device_type, selectors, host, takes, refuses, line) in TABLE {
        let pool = &config(&one_pool(device_type, selectors)).pools[0];
        let refusals = |name| {
            pool.refusals(&candidate(host, name))
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        if !takes.is_empty() {
            assert_eq!(
                refusals(takes),
                Vec::<String>::new(),
                "{selectors} takes {takes}"
            );
        }
        if !refuses.is_empty() {
            assert_eq!(refusals(refuses), [line], "{selectors} refuses {refuses}");
        }
    }
}

#[test]
fn no_selector_is_without_a_recorded_device() {
    for (name, device_type) in DeviceType::ALL {
        let rows = TABLE.iter().filter(|(row, ..)| *row == name);
        let all: String = rows.map(|(_, selectors, ..)| *selectors).collect();
        let missing = |selector: &&&str| !all.contains(&format!("\"{selector}\""));
        let missing: BTreeSet<_> = Selector::names(device_type)
            .iter()
            .filter(missing)
            .collect();
        let nothing: BTreeSet<&&str> = if name == "accelerator" {
            [].into()
        } else {
            [&"needVhostNet"].into()
        };
        assert_eq!(
            missing, nothing,
            "{name}: only needVhostNet selects nothing"
        );
    }
}

#[test]
fn pools_of_recorded_hosts_share_no_device() {
    let text = r#"{"resourceList": [
        {"resourceName": "rdma", "selectors": {"isRdma": true}},
        {"resourceName": "dpdk", "selectors": {"drivers": ["vfio-pci"]}},
        {"resourceName": "any", "selectors": {}},
        {"resourceName": "sf", "deviceType": "auxNetDevice", "selectors": {"auxTypes": ["sf"]}},
        {"resourceName": "fec", "deviceType": "accelerator", "selectors": {}}]}"#;
    let config = config(text);
    for (name, host) in fixtures::inventories() {
        let candidates: Vec<Candidate> = host
            .offered()
            .map(|function| Candidate::of(function, &host.functions, None))
            .collect();
        let assignment = config.assign(&candidates);
        for device in &candidates {
            let first = config
                .pools
                .iter()
                .find(|pool| pool.first_match(device).is_some());
            let given = assignment
                .devices
                .get(&device.id)
                .map(|assigned| &assigned.pool);
            assert_eq!(given, first.map(|pool| &pool.name), "{name} {}", device.id);
        }
    }
}

#[test]
fn a_pf_with_several_ports_is_known_by_the_name_of_each() {
    let host = fixtures::host("ports");
    let vfs = |name: &str| {
        let text = format!(
            r#"{{"resourceList": [{{"resourceName": "a", "selectors": {{"pfNames": ["{name}"]}}}}]}}"#
        );
        let candidates: Vec<Candidate> = host
            .offered()
            .map(|function| Candidate::of(function, &host.functions, None))
            .collect();
        let devices = config(&text).assign(&candidates).devices;
        devices
            .into_keys()
            .map(|id| id.to_string())
            .collect::<Vec<_>>()
    };
    for name in ["enp59s0", "enp59s0d1"] {
        assert_eq!(vfs(name), ["0000:3b:00.1", "0000:3b:00.2"], "{name}");
        let mut host = host.clone();
        let filter = DeviceFilter {
            exclude: vec![name.parse().unwrap()],
            ..DeviceFilter::default()
        };
        host.withhold(&filter, &PfNames::new());
        let left = host.offered().filter(|function| {
            let address = function.id.pci().to_string();
            address.starts_with("0000:3b:")
        });
        assert_eq!(left.count(), 0, "{name}");
    }
    assert_eq!(vfs("enp129s0np0s1"), ["0000:81:08.0"], "a split port");
}
