//! Which devices a filter takes.

use super::*;

/// Which of VF 0 to 7 a filter takes; 9 is the PF.
fn taken(filter: Value) -> Vec<u32> {
    let library = library(vec![simple("a", filter)], Vec::new());
    assert_eq!(problems(&library), [""; 0]);
    let devices: Vec<Candidate> = (0..8).map(vf).chain([pf()]).collect();
    let decision = decide(&library, &devices);
    let index = |device: &Candidate| device.index.unwrap_or(9);
    devices
        .iter()
        .filter(|device| decision.devices.contains_key(&device.id))
        .map(index)
        .collect()
}

const ALL: [u32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
const NONE: [u32; 0] = [];

#[test]
fn each_list_takes_what_it_has_and_refuses_what_it_has_not() {
    for (field, good, bad) in [
        ("vendors", "8086", "15b3"),
        ("devices", "154c", "10ca"),
        ("pfNames", "ens1f0", "ens1f1"),
        ("pfPciAddresses", "0000:3b:00.0", "0000:3b:00.1"),
        ("drivers", "igbvf", "vfio-pci"),
    ] {
        assert_eq!(taken(json!({field: [bad, good]})), ALL, "{field}");
        assert_eq!(taken(json!({field: [bad]})), NONE, "{field}");
        assert_eq!(
            taken(json!({field: []})),
            ALL,
            "{field}: an empty list requires nothing"
        );
    }
    assert_eq!(
        taken(json!({"pciAddresses": ["0000:3b:02.3", "0000:3b:02.5"]})),
        [3, 5]
    );
    for kind in ["eth", "Ethernet"] {
        assert_eq!(taken(json!({"linkType": kind})), ALL);
    }
    for kind in ["ib", "INFINIBAND"] {
        assert_eq!(taken(json!({"linkType": kind})), NONE);
    }
}

#[test]
fn all_fields_of_a_filter_must_hold() {
    assert_eq!(
        taken(json!({"vendors": ["8086"], "drivers": ["vfio-pci"]})),
        NONE
    );
    assert_eq!(
        taken(json!({"vendors": ["8086"], "pfNames": ["ens1f0#1"]})),
        [1]
    );
}

#[test]
fn ranges_are_the_device_plugins_but_every_item_of_a_pf_counts() {
    assert_eq!(taken(json!({"pfNames": ["ens1f0#0-2,5"]})), [0, 1, 2, 5]);
    assert_eq!(
        taken(json!({"pfNames": ["ens1f0#0-1", "ens1f0#6"]})),
        [0, 1, 6]
    );
    assert_eq!(
        taken(json!({"pfPciAddresses": ["0000:3b:00.0#4-5"]})),
        [4, 5]
    );
    assert_eq!(
        taken(json!({"pfNames": ["ENS1F0"]})),
        NONE,
        "names of the kernel have a case"
    );
}

#[test]
fn a_pf_is_given_only_to_who_names_its_type() {
    assert_eq!(taken(json!({})), ALL);
    assert_eq!(
        taken(json!({"deviceType": "vf", "pciAddresses": ["0000:3b:00.0"]})),
        NONE
    );
    assert_eq!(
        taken(json!({"deviceType": "pf", "pfNames": ["ens1f0"]})),
        [9]
    );
    assert_eq!(
        taken(json!({"deviceType": "pf", "pfNames": ["ens1f0#0"]})),
        NONE
    );
}

#[test]
fn without_filters_a_config_takes_all_vfs() {
    let library = library(vec![policy("a", json!({"configs": [{}]}))], Vec::new());
    assert_eq!(
        decide(&library, &[vf(0), pf()])
            .devices
            .into_keys()
            .collect::<Vec<_>>(),
        [vf(0).id]
    );
}

#[test]
fn the_controller_sees_in_the_attributes_what_the_node_saw() {
    for device in [
        vf(3),
        pf(),
        Candidate {
            pf_address: None,
            pf_name: None,
            link_type: None,
            driver: None,
            ..vf(1)
        },
    ] {
        let seen = Seen::from(&device);
        let text = |text: &str| Attribute::String(text.to_owned());
        let published = [
            ("type", text(device.kind.as_str())),
            ("vendor", text("8086")),
            ("deviceID", text("154c")),
            ("driver", text(device.driver.as_deref().unwrap_or(""))),
            ("pciAddress", text(&device.id.pci().to_string())),
            ("pfName", text(device.pf_name.as_deref().unwrap_or(""))),
            (
                "pfPciAddress",
                text(&device.pf_address.unwrap_or(device.id.pci()).to_string()),
            ),
            ("index", Attribute::Int(device.index.map_or(-1, i64::from))),
            (
                "linkType",
                text(if device.link_type.is_some() {
                    "ethernet"
                } else {
                    ""
                }),
            ),
        ];
        assert_eq!(
            seen,
            Seen::published(
                &published
                    .map(|(name, value)| (name.to_owned(), value))
                    .into()
            )
        );
    }
}

#[test]
fn what_would_silently_select_otherwise_than_meant_is_an_error_with_its_place() {
    let error = |spec: Value| problems(&library(vec![policy("a", spec)], Vec::new())).concat();
    let filter = |filter: Value| error(json!({"configs": [{}, {"resourceFilters": [filter]}]}));
    insta::assert_snapshot!([
        filter(json!({"linkType": "wifi"})),
        filter(json!({"vendor": ["8086"]})),
        filter(json!({"vendors": "8086"})),
        filter(json!({"vendors": [8086]})),
        filter(json!({"pfNames": ["ens1f0#x"]})),
        filter(json!({"pfNames": ["ens1f0#5-3"]})),
        filter(json!({"pfNames": ["ens1f0#1#2"]})),
        filter(json!({"deviceType": "sf"})),
        error(json!({"configs": {}})),
        error(json!({"configs": [{"resourceName": "eth0"}]})),
        error(json!({"configs": [{"deviceAttributesSelector": {"matchLabels": {"a b": "c"}}}]})),
        error(json!({"configs": [{"deviceAttributesSelector": {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}}]})),
        error(Value::Null),
    ].join("\n"), @r#"
    SriovResourcePolicy a: spec.configs[1].resourceFilters[0].linkType: "wifi" is wrong, must be "ethernet", "eth", "infiniband" or "ib"; it does nothing
    SriovResourcePolicy a: spec.configs[1].resourceFilters[0].vendor: is an unknown field, known are deviceType, vendors, devices, pciAddresses, pfNames, pfPciAddresses, drivers, linkType; it does nothing
    SriovResourcePolicy a: spec.configs[1].resourceFilters[0].vendors: "8086" is wrong, must be a list like ["8086"]; it does nothing
    SriovResourcePolicy a: spec.configs[1].resourceFilters[0].vendors[0]: 8086 is wrong, must be a string, in a list like ["8086"]; it does nothing
    SriovResourcePolicy a: spec.configs[1].resourceFilters[0].pfNames[0]: "ens1f0#x" is wrong, must be a PF, and after one '#' numbers and ranges of its VFs like #0-3,7; it does nothing
    SriovResourcePolicy a: spec.configs[1].resourceFilters[0].pfNames[0]: "ens1f0#5-3" is wrong, must be a PF, and after one '#' numbers and ranges of its VFs like #0-3,7; it does nothing
    SriovResourcePolicy a: spec.configs[1].resourceFilters[0].pfNames[0]: "ens1f0#1#2" is wrong, must be a PF, and after one '#' numbers and ranges of its VFs like #0-3,7; it does nothing
    SriovResourcePolicy a: spec.configs[1].resourceFilters[0].deviceType: "sf" is wrong, must be "vf" or "pf"; it does nothing
    SriovResourcePolicy a: spec.configs: {} is wrong, must be a list like [{"resourceFilters": [...]}]; it does nothing
    SriovResourcePolicy a: spec.configs[0].resourceName: is an unknown field, known are deviceAttributesSelector, resourceFilters; it does nothing
    SriovResourcePolicy a: spec.configs[0].deviceAttributesSelector.matchLabels["a b"]: is no label's name; it does nothing
    SriovResourcePolicy a: spec.configs[0].deviceAttributesSelector.matchExpressions[0].operator: "Gt" is wrong, must be one of In, NotIn, Exists, DoesNotExist; it does nothing
    SriovResourcePolicy a: spec: null is wrong, must be an object like {"configs": [...]}; it does nothing
    "#);
}

#[test]
fn a_value_that_no_device_has_is_reported_and_costs_nothing_else() {
    let odd = json!({"vendors": ["0x8086", "8086"], "pciAddresses": ["3b:02.0", "0000:3b:02.0"]});
    let library = library(vec![simple("a", odd)], Vec::new());
    insta::assert_snapshot!(problems(&library).join("\n"), @r#"
    SriovResourcePolicy a: spec.configs[0].resourceFilters[0].pciAddresses[0]: "3b:02.0" never matches, must be "0000:3b:02.0"
    SriovResourcePolicy a: spec.configs[0].resourceFilters[0].vendors[0]: "0x8086" never matches, must be "8086"
    "#);
    assert!(library.problems().iter().all(|problem| !problem.bad));
    assert_eq!(decide(&library, &[vf(0), vf(1)]).devices.len(), 1);
}

#[test]
fn values_are_compared_literally_with_the_names_of_pci_drivers() {
    let odd = json!({"vendors": ["0x8086", "15B3"], "devices": ["15*"], "pciAddresses": ["0000:3b:02.0-7"],
        "pfNames": ["mlx-*", "ens1f0,ens1f1", "0000:3b:00.0"], "pfPciAddresses": ["0000:3b:*", "3b:00.0#1"],
        "drivers": ["netdevice", "mlx5_ib", "bnxt_re", "vfio_pci", "ice*", "vfio-pci", ""]});
    let library = library(vec![simple("a", odd)], Vec::new());
    let text = problems(&library).join("\n");
    let text = text.replace(
        "SriovResourcePolicy a: spec.configs[0].resourceFilters[0].",
        "",
    );
    insta::assert_snapshot!(text, @r#"
    devices[0]: "15*" never matches (values are compared literally, not as patterns), must be 4 lower-case hex digits like "8086"
    drivers[0]: "netdevice" never matches, must be a driver's name like "iavf" or "vfio-pci": netdevice is a deviceType
    drivers[1]: "mlx5_ib" never matches, must be "mlx5_core": mlx5_ib works on top of that driver and is bound to no PCI function
    drivers[2]: "bnxt_re" never matches, must be "bnxt_en": bnxt_re works on top of that driver and is bound to no PCI function
    drivers[3]: "vfio_pci" never matches, must be "vfio-pci"
    drivers[4]: "ice*" never matches (values are compared literally, not as patterns), must be a driver's name like "vfio-pci"
    drivers[6]: "" never matches, must be a driver's name like "vfio-pci"
    pciAddresses[0]: "0000:3b:02.0-7" never matches (values are compared literally, not as ranges), must be a PCI address like "0000:3b:02.1"
    pfNames[0]: "mlx-*" never matches (values are compared literally, not as patterns), must be a netdev's name like "ens1f0#0-3" (addresses go into pfPciAddresses)
    pfNames[1]: "ens1f0,ens1f1" never matches (values are compared literally, not as lists), must be a netdev's name like "ens1f0#0-3" (addresses go into pfPciAddresses)
    pfNames[2]: "0000:3b:00.0" never matches, must be a netdev's name like "ens1f0#0-3" (addresses go into pfPciAddresses)
    pfPciAddresses[0]: "0000:3b:*" never matches (values are compared literally, not as patterns), must be a PCI address like "0000:3b:00.0#0-3"
    pfPciAddresses[1]: "3b:00.0#1" never matches, must be a PCI address like "0000:3b:00.0#0-3"
    vendors[0]: "0x8086" never matches, must be "8086"
    vendors[1]: "15B3" never matches, must be "15b3"
    "#);
    assert!(library.problems().iter().all(|problem| !problem.bad));
}
