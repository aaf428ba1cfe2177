//! Which pool gets which device.

use proptest::prelude::*;

use super::*;
use crate::device::{Bdf, Binding, DeviceId, Function, FunctionKind, PciIds, VfAddress};

fn vf_at(index: u32) -> Candidate {
    let id = format!("0000:3b:02.{index}").parse::<Bdf>().unwrap().into();
    Candidate {
        id,
        index: Some(index),
        ..vf()
    }
}

/// `DEVICE POOL SELECTOR`, one a line.
fn lines(assignment: &Assignment) -> String {
    let line = |(id, assigned): (&DeviceId, &Assigned)| {
        format!("{id} {} {}", assigned.pool, assigned.place)
    };
    assignment
        .devices
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

fn warning_lines(assignment: &Assignment) -> Vec<String> {
    assignment
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn the_first_match_wins_over_all_pools_and_objects() {
    let config = config(
        r#"{"resourceList": [
            {"resourceName": "first", "selectors": [{"pfNames": ["ens1f0#6"]}, {"pfNames": ["ens1f0#0-1"]}]},
            {"resourceName": "second", "selectors": [{"pfNames": ["ens1f0#1-2"]}, {"vendors": ["8086"]}]},
            {"resourceName": "third", "selectors": {}}]}"#,
    );
    let assignment = config.assign(&[vf_at(3), vf_at(0), vf_at(2), vf_at(1), pf(0), sf()]);
    insta::assert_snapshot!(lines(&assignment), @r#"
    0000:3b:00.0 intel.com/second resourceList[1].selectors[1]
    0000:3b:02.0 intel.com/first resourceList[0].selectors[1]
    0000:3b:02.1 intel.com/first resourceList[0].selectors[1]
    0000:3b:02.2 intel.com/second resourceList[1].selectors[0]
    0000:3b:02.3 intel.com/second resourceList[1].selectors[1]
    "#);
    insta::assert_snapshot!(warning_lines(&assignment).join("\n"), @r#"
    resourceList[0].selectors[0].pfNames: names the PF 0000:3b:00.0, which has no VFs, and never selects a PF itself: that is for pciAddresses
    resourceList[0].selectors[1].pfNames: names the PF 0000:3b:00.0, which has no VFs, and never selects a PF itself: that is for pciAddresses
    resourceList[1].selectors[0].pfNames: names the PF 0000:3b:00.0, which has no VFs, and never selects a PF itself: that is for pciAddresses
    resourceList[1].selectors[0]: 0000:3b:02.1 is already in pool intel.com/first
    resourceList[1].selectors[1]: 0000:3b:02.0, 0000:3b:02.1 are already in pool intel.com/first
    resourceList[1].selectors[1]: 0000:3b:02.2 is already in pool intel.com/second
    resourceList[2].selectors: 0000:3b:02.0, 0000:3b:02.1 are already in pool intel.com/first
    resourceList[2].selectors: 0000:3b:00.0, 0000:3b:02.2, 0000:3b:02.3 are already in pool intel.com/second
    "#);
}

#[test]
fn what_a_device_brings_comes_from_the_object_that_matched_first() {
    let narrow_first = r#"[{"vendors": ["8086"], "devices": ["154c"]}, {"vendors": ["8086"], "needVhostNet": true}]"#;
    let wide_first =
        r#"[{"vendors": ["8086"], "needVhostNet": true, "isRdma": true}, {"devices": ["154c"]}]"#;
    let decorators = |selectors: &str| {
        config(&one_pool("netDevice", selectors))
            .assign(&[vf()])
            .devices[&vf().id]
            .decorators
    };
    assert_eq!(decorators(narrow_first), Decorators::default());
    assert_eq!(
        decorators(wide_first),
        Decorators {
            rdma: true,
            vdpa_type: None,
            vhost_net: true
        }
    );
}

#[test]
fn vdpa_is_provided_only_where_it_was_requested() {
    let vdpa = Candidate {
        vdpa_type: Some(VdpaType::Virtio),
        ..vf()
    };
    let brought = |selectors: &str| {
        config(&one_pool("netDevice", selectors))
            .assign(std::slice::from_ref(&vdpa))
            .devices[&vdpa.id]
            .decorators
            .vdpa_type
    };
    assert_eq!(brought(r#"{"vdpaType": "virtio"}"#), Some(VdpaType::Virtio));
    assert_eq!(brought("{}"), None);
}

#[test]
fn topology_and_information_come_from_the_pool() {
    let config = config(
        r#"{"resourceList": [{"resourceName": "sfs", "deviceType": "auxNetDevice", "selectors": {"auxTypes": ["sf"]},
            "excludeTopology": true, "additionalInfo": {"*": {"a": "1"}, "0000:3b:00.0": {"b": "2"}}},
            {"resourceName": "vfs", "selectors": {}, "additionalInfo": {}},
            {"resourceName": "accelerators", "deviceType": "accelerator", "selectors": {}}]}"#,
    );
    let fpga = Candidate {
        id: "0000:d8:00.0".parse::<Bdf>().unwrap().into(),
        kind: CandidateKind::Accelerator,
        ..vf()
    };
    let devices = config.assign(&[sf(), vf(), fpga.clone()]).devices;
    assert!(devices[&sf().id].exclude_topology && !devices[&vf().id].exclude_topology);
    let info = |id| {
        devices[id]
            .additional_info
            .as_ref()
            .map(std::collections::BTreeMap::len)
    };
    assert_eq!(
        (info(&sf().id), info(&vf().id), info(&fpga.id)),
        (Some(2), Some(0), None)
    );
}

/// The PF at that address and its sub-functions are two kinds of devices.
#[test]
fn a_pf_and_its_sub_function_do_not_exclude_each_other() {
    let config = config(
        r#"{"resourceList": [{"resourceName": "a", "selectors": {}},
            {"resourceName": "b", "deviceType": "auxNetDevice", "selectors": {"auxTypes": ["sf"]}}]}"#,
    );
    assert_eq!(config.assign(&[pf(0), sf()]).devices.len(), 2);
}

#[test]
fn a_pf_with_vfs_and_a_device_without_driver_are_in_no_pool() {
    let config = config(&one_pool("netDevice", "{}"));
    let driverless = Candidate {
        driver: None,
        ..vf()
    };
    assert_eq!(config.assign(&[pf(1), driverless]), Assignment::default());
}

#[test]
fn a_pf_that_is_named_in_vain_is_reported() {
    let config = config(&one_pool(
        "netDevice",
        r#"[{"pfNames": ["ens1f0"]}, {"rootDevices": ["0000:3b:00.0"]}, {"pfNames": ["x"]}]"#,
    ));
    let assignment = config.assign(&[pf(0)]);
    assert!(assignment.devices.is_empty());
    insta::assert_snapshot!(warning_lines(&assignment).join("\n"), @r#"
    resourceList[0].selectors[0].pfNames: names the PF 0000:3b:00.0, which has no VFs, and never selects a PF itself: that is for pciAddresses
    resourceList[0].selectors[1].rootDevices: names the PF 0000:3b:00.0, which has no VFs, and never selects a PF itself: that is for pciAddresses
    "#);
    assert_eq!(config.assign(&[pf(1)]).warnings, []);
}

#[test]
fn many_late_devices_are_one_line() {
    let config = config(&one_pool("netDevice", "[{}, {}]"));
    let many: Vec<Candidate> = (0..6).map(vf_at).collect();
    insta::assert_snapshot!(warning_lines(&config.assign(&many)).join("\n"), @"resourceList[0].selectors[1]: 0000:3b:02.0, 0000:3b:02.1, 0000:3b:02.2 and 3 more are already in pool intel.com/p");
}

fn function(bdf: &str, kind: FunctionKind, driver: Option<&str>) -> Function {
    Function {
        id: bdf.parse::<Bdf>().unwrap().into(),
        incarnation: 1,
        kind,
        ids: PciIds {
            vendor: 0x8086,
            device: 0x10ca,
        },
        binding: Binding {
            driver: driver.map(str::to_owned),
            driver_override: None,
        },
        netdev: None,
        link_type: None,
        link_speed: None,
        carrier: None,
        eswitch: None,
        numa_node: None,
        pcie_root: None,
        iommu_group: None,
        acpi_index: None,
        capabilities: Default::default(),
        yields: Default::default(),
    }
}

#[test]
fn a_functions_pf_knows_what_the_function_does_not() {
    let mut pf = function(
        "0000:01:00.0",
        FunctionKind::Pf {
            total_vfs: 7,
            num_vfs: 1,
        },
        Some("igb"),
    );
    pf.netdev = Some("ens1".parse().unwrap());
    pf.link_type = Some(LinkType::Ethernet);
    let address = VfAddress {
        pf: "0000:01:00.0".parse().unwrap(),
        index: 2,
    };
    let vf = function(
        "0000:01:10.4",
        FunctionKind::Vf {
            address: Some(address),
        },
        Some("vfio-pci"),
    );
    let alone = function("0000:02:10.4", FunctionKind::Vf { address: None }, None);
    let all = [pf.clone(), vf.clone(), alone.clone()];
    let held = Candidate::of(&vf, &all, Some("igbvf"));
    assert_eq!(
        (held.driver.as_deref(), held.index, held.link_type),
        (Some("igbvf"), Some(2), Some(LinkType::Ethernet))
    );
    assert_eq!(
        (held.pf_name.as_deref(), held.pf_address),
        (Some("ens1"), Some(address.pf))
    );
    assert_eq!(
        Candidate::of(&vf, &all, None).driver.as_deref(),
        Some("vfio-pci")
    );
    let alone = Candidate::of(&alone, &all, None);
    assert_eq!(
        (alone.kind, alone.driver, alone.pf_name, alone.pf_address),
        (CandidateKind::Vf, None, None, None)
    );
    let pf = Candidate::of(&pf, &all, None);
    assert_eq!(
        (pf.kind, pf.pf_name.as_deref(), pf.index),
        (CandidateKind::Pf { num_vfs: 1 }, Some("ens1"), None)
    );
}

/// A selector object of few values, so that pools overlap.
fn selectors() -> impl Strategy<Value = String> {
    let lists = prop::collection::vec(
        prop_oneof![
            Just(r#""vendors": ["8086"]"#.to_owned()),
            Just(r#""drivers": ["iavf", "ice"]"#.to_owned()),
            Just(r#""isRdma": true"#.to_owned()),
            Just(r#""needVhostNet": true"#.to_owned()),
            (0..8, 0..8).prop_map(|(first, last)| format!(
                r#""pfNames": ["ens1f0#{first}-{last}", "ens1f1"]"#
            )),
        ],
        0..3,
    );
    prop::collection::vec(
        lists.prop_map(|parts| format!("{{{}}}", parts.join(","))),
        1..4,
    )
    .prop_map(|objects| format!("[{}]", objects.join(",")))
}

fn document() -> impl Strategy<Value = String> {
    prop::collection::vec(selectors(), 1..5).prop_map(|pools| {
        let pool = |(index, selectors)| {
            format!(r#"{{"resourceName": "p{index}", "selectors": {selectors}}}"#)
        };
        format!(
            r#"{{"resourceList": [{}]}}"#,
            pools
                .iter()
                .enumerate()
                .map(pool)
                .collect::<Vec<_>>()
                .join(",")
        )
    })
}

fn devices() -> impl Strategy<Value = Vec<Candidate>> {
    let one = |index: u32, (second, rdma, driver): (bool, bool, usize)| Candidate {
        pf_name: Some(if second { "ens1f1" } else { "ens1f0" }.to_owned()),
        driver: [Some("iavf"), Some("vfio-pci"), None][driver].map(str::to_owned),
        rdma,
        ..vf_at(index)
    };
    prop::collection::vec((any::<bool>(), any::<bool>(), 0..3_usize), 0..8).prop_map(move |all| {
        (0..)
            .zip(all)
            .map(|(index, features)| one(index, features))
            .collect()
    })
}

proptest! {
    #[test]
    fn no_device_is_in_two_pools_and_each_is_in_the_first_that_takes_it(text in document(), devices in devices()) {
        let config = config(&text);
        let assignment = config.assign(&devices);
        for device in &devices {
            let first = config.pools.iter().find_map(|pool| Some((&pool.name, &pool.first_match(device)?.place)));
            let given = assignment.devices.get(&device.id).map(|assigned| (&assigned.pool, &assigned.place));
            prop_assert_eq!(given, first);
        }
        prop_assert!(assignment.devices.keys().all(|id| devices.iter().any(|device| device.id == *id)));
    }

    #[test]
    fn the_order_of_devices_does_not_matter(text in document(), (devices, shuffled) in devices().prop_flat_map(|devices| {
        (Just(devices.clone()), Just(devices).prop_shuffle())
    })) {
        let config = config(&text);
        prop_assert_eq!(config.assign(&devices), config.assign(&shuffled));
    }

    #[test]
    fn no_text_upsets_the_reader(text in "[\\[\\]{}\":,a-zA-Z0-9#\\\\ é\n-]{0,200}", value in "(?s).{0,80}") {
        let _ = Config::read(&text, "intel.com");
        let quoted = serde_json::to_string(&value).unwrap();
        for place in ["resourceName", "deviceType", "selectors", "additionalInfo", "vendors"] {
            let text = format!(r#"{{"resourceList": [{{{quoted}: 1, "resourceName": "p", "selectors": {{"pfNames": [{quoted}]}}, "{place}": {quoted}}}]}}"#);
            let lines = match Config::read(&text, "intel.com") {
                Ok((_, warnings)) => warnings.iter().map(ToString::to_string).collect(),
                Err(error) => vec![error.to_string()],
            };
            prop_assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:?}");
        }
    }
}
