//! Every selector with a device that it takes and one that it refuses.

use super::*;
use crate::device::PciIds;

/// The only selector object of a pool.
fn selector(device_type: &str, text: &str) -> Selector {
    config(&one_pool(device_type, text)).pools[0].selectors[0].clone()
}

/// It takes the first and refuses the second, with this line.
fn decides(device_type: &str, text: &str, takes: &Candidate, refuses: &Candidate, line: &str) {
    let selector = selector(device_type, text);
    assert_eq!(selector.refusal(takes), None, "{text}");
    assert_eq!(
        selector
            .refusal(refuses)
            .map(|refusal| refusal.to_string())
            .as_deref(),
        Some(line),
        "{text}"
    );
}

fn mellanox() -> Candidate {
    Candidate {
        ids: PciIds {
            vendor: 0x15b3,
            device: 0x101e,
        },
        driver: Some("mlx5_core".to_owned()),
        ..vf()
    }
}

#[test]
fn vendors() {
    decides(
        "netDevice",
        r#"{"vendors": ["1af4", "8086"]}"#,
        &vf(),
        &mellanox(),
        "vendors is 15b3, wanted 1af4 or 8086",
    );
    let fpga = Candidate {
        kind: CandidateKind::Accelerator,
        ..vf()
    };
    decides(
        "accelerator",
        r#"{"vendors": ["8086"]}"#,
        &fpga,
        &mellanox(),
        "vendors is 15b3, wanted 8086",
    );
}

#[test]
fn devices_are_the_functions_own_in_four_digits() {
    decides(
        "netDevice",
        r#"{"devices": ["154c"]}"#,
        &vf(),
        &mellanox(),
        "devices is 101e, wanted 154c",
    );
    let low = Candidate {
        ids: PciIds {
            vendor: 0x8086,
            device: 0x00a1,
        },
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"devices": ["00a1"]}"#,
        &low,
        &vf(),
        "devices is 154c, wanted 00a1",
    );
}

#[test]
fn drivers() {
    let vfio = Candidate {
        driver: Some("vfio-pci".to_owned()),
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"drivers": ["vfio-pci", "ixgbevf"]}"#,
        &vfio,
        &vf(),
        "drivers is iavf, wanted vfio-pci or ixgbevf",
    );
    let upper = Candidate {
        driver: Some("IAVF".to_owned()),
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"drivers": ["iavf"]}"#,
        &vf(),
        &upper,
        "drivers is IAVF, wanted iavf",
    );
}

#[test]
fn pci_addresses() {
    let line = "pciAddresses is 0000:3b:00.0, wanted 0000:3b:02.5";
    decides(
        "netDevice",
        r#"{"pciAddresses": ["0000:3b:02.5"]}"#,
        &vf(),
        &pf(0),
        line,
    );
}

#[test]
fn acpi_indexes() {
    let other = Candidate {
        acpi_index: Some(10),
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"acpiIndexes": ["101"]}"#,
        &vf(),
        &other,
        "acpiIndexes is 10, wanted 101",
    );
    let without = Candidate {
        acpi_index: None,
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"acpiIndexes": ["101"]}"#,
        &vf(),
        &without,
        "acpiIndexes is none, wanted 101",
    );
    decides(
        "netDevice",
        r#"{"acpiIndexes": [""]}"#,
        &without,
        &vf(),
        "acpiIndexes is 101, wanted \"\"",
    );
}

#[test]
fn pf_names() {
    let sixth = Candidate {
        index: Some(6),
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"pfNames": ["ENS1F0#0-5"]}"#,
        &vf(),
        &sixth,
        "pfNames is ens1f0#6, wanted ENS1F0#0-5",
    );
    let other = Candidate {
        pf_name: Some("ens1f1".to_owned()),
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"pfNames": ["ens1f0", "p0"]}"#,
        &vf(),
        &other,
        "pfNames is ens1f1#5, wanted ens1f0 or p0",
    );
    let fifth = Candidate {
        index: Some(5),
        ..sf()
    };
    let aux = r#"{"auxTypes": ["sf"], "pfNames": ["ens1f0#1-4"]}"#;
    decides(
        "auxNetDevice",
        aux,
        &sf(),
        &fifth,
        "pfNames is ens1f0#5, wanted ens1f0#1-4",
    );
}

#[test]
fn root_devices() {
    let sixth = Candidate {
        index: Some(6),
        ..vf()
    };
    let text = r#"{"rootDevices": ["0000:3B:00.0#5"]}"#;
    decides(
        "netDevice",
        text,
        &vf(),
        &sixth,
        "rootDevices is 0000:3b:00.0#6, wanted 0000:3B:00.0#5",
    );
}

#[test]
fn a_pf_is_no_function_of_itself() {
    let line = "pfNames is the PF ens1f0 itself, wanted ens1f0";
    decides(
        "netDevice",
        r#"{"pfNames": ["ens1f0"]}"#,
        &vf(),
        &pf(0),
        line,
    );
    let line = "rootDevices is the PF 0000:3b:00.0 itself, wanted 0000:3b:00.0";
    decides(
        "netDevice",
        r#"{"rootDevices": ["0000:3b:00.0"]}"#,
        &vf(),
        &pf(0),
        line,
    );
}

#[test]
fn a_vf_without_its_pf_is_nobodys_function() {
    let alone = Candidate {
        pf_name: None,
        pf_address: None,
        index: None,
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"pfNames": ["ens1f0", ""]}"#,
        &vf(),
        &alone,
        "pfNames is none, wanted ens1f0 or \"\"",
    );
    decides(
        "netDevice",
        r#"{"rootDevices": ["0000:3b:00.0"]}"#,
        &vf(),
        &alone,
        "rootDevices is none, wanted 0000:3b:00.0",
    );
}

#[test]
fn link_types() {
    let ib = Candidate {
        link_type: Some(LinkType::Infiniband),
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"linkTypes": ["ether"]}"#,
        &vf(),
        &ib,
        "linkTypes is infiniband, wanted ether",
    );
    decides(
        "netDevice",
        r#"{"linkTypes": ["infiniband"]}"#,
        &ib,
        &vf(),
        "linkTypes is ether, wanted infiniband",
    );
    let unknown = Candidate {
        link_type: None,
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"linkTypes": ["ether"]}"#,
        &vf(),
        &unknown,
        "linkTypes is none, wanted ether",
    );
}

#[test]
fn ddp_profiles() {
    let text = r#"{"ddpProfiles": ["GTPv1-C/U IPv4/IPv6 payload"]}"#;
    let without = Candidate {
        ddp_profile: None,
        ..vf()
    };
    decides(
        "netDevice",
        text,
        &vf(),
        &without,
        "ddpProfiles is none, wanted GTPv1-C/U IPv4/IPv6 payload",
    );
    let empty = Candidate {
        ddp_profile: Some(String::new()),
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"ddpProfiles": ["", "GTPv1-C/U IPv4/IPv6 payload"]}"#,
        &vf(),
        &empty,
        "ddpProfiles is none, wanted \"\" or GTPv1-C/U IPv4/IPv6 payload",
    );
}

#[test]
fn p_keys_are_numbers() {
    let key = |key| Candidate { p_key: key, ..vf() };
    decides(
        "netDevice",
        r#"{"pKeys": ["0x7fff"]}"#,
        &key(Some(0x7fff)),
        &key(Some(0xffff)),
        "pKeys is 0xffff, wanted 0x7fff",
    );
    decides(
        "netDevice",
        r#"{"pKeys": ["0x1", "0xABCD"]}"#,
        &key(Some(0xabcd)),
        &key(None),
        "pKeys is none, wanted 0x1 or 0xABCD",
    );
    decides(
        "netDevice",
        r#"{"pKeys": ["0x1", "32767"]}"#,
        &key(Some(1)),
        &key(Some(0x7fff)),
        "pKeys is 0x7fff, wanted 0x1 or 32767",
    );
}

#[test]
fn is_rdma() {
    let without = Candidate {
        rdma: false,
        ..vf()
    };
    decides(
        "netDevice",
        r#"{"isRdma": true}"#,
        &vf(),
        &without,
        "isRdma is false, wanted true",
    );
    assert!(selector("netDevice", r#"{"isRdma": false}"#).matches(&without));
}

#[test]
fn vdpa_type() {
    let vdpa = |vdpa_type| Candidate { vdpa_type, ..vf() };
    let (vhost, virtio) = (vdpa(Some(VdpaType::Vhost)), vdpa(Some(VdpaType::Virtio)));
    decides(
        "netDevice",
        r#"{"vdpaType": "vhost"}"#,
        &vhost,
        &virtio,
        "vdpaType is virtio, wanted vhost",
    );
    decides(
        "netDevice",
        r#"{"vdpaType": "virtio"}"#,
        &virtio,
        &vdpa(None),
        "vdpaType is none, wanted virtio",
    );
    assert!(selector("netDevice", r#"{"vdpaType": ""}"#).matches(&virtio));
}

#[test]
fn aux_types() {
    let eth = Candidate {
        aux_type: Some("eth".to_owned()),
        ..sf()
    };
    decides(
        "auxNetDevice",
        r#"{"auxTypes": ["sf"]}"#,
        &sf(),
        &eth,
        "auxTypes is eth, wanted sf",
    );
}

#[test]
fn vhost_net_selects_nothing() {
    assert!(selector("netDevice", r#"{"needVhostNet": true}"#).matches(&vf()));
}

#[test]
fn all_selectors_of_an_object_must_take_the_device_and_the_first_that_does_not_is_reported() {
    let text = r#"{"linkTypes": ["infiniband"], "drivers": ["vfio-pci"], "vendors": ["8086"]}"#;
    let refusal = selector("netDevice", text).refusal(&vf()).unwrap();
    assert_eq!(refusal.to_string(), "drivers is iavf, wanted vfio-pci");
}

#[test]
fn acpi_indexes_of_accelerators_select_nothing() {
    let fpga = Candidate {
        kind: CandidateKind::Accelerator,
        acpi_index: None,
        ..vf()
    };
    assert!(selector("accelerator", r#"{"acpiIndexes": ["101"]}"#).matches(&fpga));
}

/// The type of devices, a driver, and VFs come before all selectors.
#[test]
fn a_pool_looks_at_its_own_kind_of_devices() {
    let fpga = Candidate {
        kind: CandidateKind::Accelerator,
        ..vf()
    };
    let driverless = Candidate {
        driver: None,
        ..vf()
    };
    let all = [vf(), pf(0), pf(2), sf(), fpga, driverless];
    let refusals = |device_type: &str, selectors: &str| -> Vec<String> {
        let pool = &config(&one_pool(device_type, selectors)).pools[0];
        let refusal = |device: &Candidate| {
            let refusals = pool.refusals(device);
            assert_eq!(pool.first_match(device).is_some(), refusals.is_empty());
            refusals
                .first()
                .map_or("yes".to_owned(), ToString::to_string)
        };
        all.iter().map(refusal).collect()
    };
    let net = [
        "yes",
        "yes",
        "numVFs is 2, wanted 0",
        "deviceType is sf, wanted netDevice",
    ];
    assert_eq!(refusals("netDevice", "{}")[..4], net);
    assert_eq!(refusals("netDevice", "{}")[5], "driver is none, wanted any");
    assert_eq!(
        refusals("accelerator", "{}")[3..5],
        ["deviceType is sf, wanted accelerator", "yes"]
    );
    let aux = refusals("auxNetDevice", r#"{"auxTypes": ["sf"]}"#);
    assert_eq!(aux[2..4], ["deviceType is pf, wanted auxNetDevice", "yes"]);
}

#[test]
fn each_object_says_why_it_refuses() {
    let pool = &config(&one_pool(
        "netDevice",
        r#"[{"vendors": ["15b3"]}, {"isRdma": true, "drivers": ["ice"]}]"#,
    ))
    .pools[0];
    let refusals: Vec<String> = pool
        .refusals(&vf())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        refusals,
        [
            "vendors is 8086, wanted 15b3",
            "drivers is iavf, wanted ice"
        ]
    );
    assert!(pool.refusals(&pf(0)).is_empty());
    assert_eq!(
        pool.first_match(&pf(0)).unwrap().place,
        "resourceList[0].selectors[1]"
    );
}
