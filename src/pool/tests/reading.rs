//! What is read, and how Go's reader of JSON shows in it.

use super::*;

/// One pool of every kind that the device plugin's documentation has.
const EVERY_KIND: &str = include_str!("every-kind.json");

#[test]
fn every_kind_of_pool_is_read_without_a_warning() {
    let (config, warnings) = read(EVERY_KIND).unwrap();
    assert_eq!(warnings, [""; 0]);
    let pools: Vec<String> = config
        .pools
        .iter()
        .map(|pool| {
            format!(
                "{} {} of {}",
                pool.name,
                pool.device_type.as_str(),
                pool.selectors.len()
            )
        })
        .collect();
    insta::assert_snapshot!(pools.join("\n"), @r#"
    intel.com/kernel_vfs netDevice of 1
    acme.com/dpdk_vfs netDevice of 2
    fabric.example.org/rdma netDevice of 1
    intel.com/vdpa netDevice of 1
    intel.com/fpga accelerator of 1
    intel.com/sub_functions auxNetDevice of 1
    intel.com/described netDevice of 1
    intel.com/one_object netDevice of 1
    "#);
}

#[test]
fn a_comma_after_the_last_field_is_reported_with_its_line() {
    let text = "{\"resourceList\": [{\n  \"resourceName\": \"p\",\n  \"selectors\": [{}],\n}]}";
    insta::assert_snapshot!(read(text).unwrap_err(), @r#"line 4 column 1: trailing comma near "}]}", must be JSON, without comments and without a comma after the last item"#);
}

#[test]
fn every_field_arrives() {
    let text = one_pool(
        "netDevice",
        r#"{"vendors": ["8086"], "devices": ["154c"], "drivers": ["iavf"], "pciAddresses": ["0000:3b:02.5"],
            "acpiIndexes": ["101"], "pfNames": ["ens1f0#0-3,7"], "rootDevices": ["0000:3b:00.0"], "linkTypes": ["ether"],
            "ddpProfiles": ["GTP"], "vdpaType": "vhost", "needVhostNet": true}"#,
    );
    let selector = config(&text).pools[0].selectors[0].clone();
    let functions = |text: &str| vec![PfFunctions::from(text.to_owned())];
    let texts = |text: &str| vec![text.to_owned()];
    let expected = Selector {
        place: "resourceList[0].selectors".to_owned(),
        vendors: texts("8086"),
        devices: texts("154c"),
        drivers: texts("iavf"),
        pci_addresses: texts("0000:3b:02.5"),
        acpi_indexes: texts("101"),
        pf_names: functions("ens1f0#0-3,7"),
        root_devices: functions("0000:3b:00.0"),
        link_types: texts("ether"),
        ddp_profiles: texts("GTP"),
        vdpa_type: Some("vhost".to_owned()),
        need_vhost_net: true,
        ..Selector::default()
    };
    assert_eq!(selector, expected);
}

#[test]
fn keys_are_read_in_any_case() {
    let text = r#"{"ResourceList": [{"RESOURCENAME": "p", "resourceprefix": "a.b", "ExcludeTopology": true, "Selectors":
        {"Vendors": ["8086"], "PfNames": ["ens1f0"], "IsRdma": true, "NeedVhostNet": true, "\u017felector": null}}]}"#;
    let (config, warnings) = read(text).unwrap();
    let pool = &config.pools[0];
    assert_eq!(
        (pool.name.to_string().as_str(), pool.exclude_topology),
        ("a.b/p", true)
    );
    assert!(pool.selectors[0].is_rdma && pool.selectors[0].need_vhost_net);
    assert_eq!(
        (
            pool.selectors[0].vendors.len(),
            pool.selectors[0].pf_names.len()
        ),
        (1, 1)
    );
    assert_eq!(warnings, [""; 0]);
}

/// Go folds these two letters into ASCII ones.
#[test]
fn the_long_s_and_the_kelvin_sign_are_letters_of_keys() {
    let text = "{\"resourceLi\u{17f}t\": [{\"resourceName\": \"p\", \"selectors\": {\"lin\u{212a}Types\": [\"ether\"]}}]}";
    assert_eq!(config(text).pools[0].selectors[0].link_types, ["ether"]);
}

#[test]
fn null_is_the_same_as_nothing() {
    let text = r#"{"resourceList": [{"resourceName": "p", "resourcePrefix": null, "deviceType": null, "excludeTopology": null,
        "additionalInfo": null, "SelectorObj": null, "selectors": [{"vendors": null, "isRdma": null, "vdpaType": null}]}]}"#;
    let (config, warnings) = read(text).unwrap();
    let pool = &config.pools[0];
    assert_eq!(
        (pool.name.to_string().as_str(), pool.device_type),
        ("intel.com/p", DeviceType::NetDevice)
    );
    assert_eq!(
        (&pool.additional_info, pool.selectors[0].matches(&vf())),
        (&None, true)
    );
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn the_last_of_several_counts_but_null_does_not_unset_a_text() {
    let text = r#"{"resourceList": [{"resourceName": "a", "ResourceName": "b", "resourcename": null,
        "selectors": [{}], "selectors": {"vendors": ["8086"], "Vendors": null, "drivers": ["a"], "drivers": ["b"]}}]}"#;
    let (config, warnings) = read(text).unwrap();
    assert_eq!(config.pools[0].name.name, "b");
    let selector = &config.pools[0].selectors[0];
    assert_eq!(
        (selector.vendors.len(), &selector.drivers[..]),
        (0, &["b".to_owned()][..])
    );
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    resourceList[0].resourceName: is given 3 times, the last one counts
    resourceList[0].selectors: is given 2 times, the last one counts
    resourceList[0].selectors.vendors: is given 2 times, the last one counts
    resourceList[0].selectors.drivers: is given 2 times, the last one counts
    "#);
}

#[test]
fn an_empty_prefix_is_the_default_one() {
    let text = r#"{"resourceList": [{"resourceName": "p", "resourcePrefix": "", "deviceType": "", "selectors": {}}]}"#;
    assert_eq!(config(text).pools[0].name.to_string(), "intel.com/p");
    let (config, _) = Config::read(text, "example.org").unwrap();
    assert_eq!(config.pools[0].name.to_string(), "example.org/p");
}

#[test]
fn the_same_name_under_two_prefixes_is_two_pools() {
    let text = r#"{"resourceList": [{"resourceName": "p", "selectors": {}},
        {"resourceName": "p", "resourcePrefix": "acme.com", "selectors": {}}]}"#;
    assert_eq!(config(text).pools.len(), 2);
}

#[test]
fn a_node_may_have_no_pools() {
    for text in [r#"{"resourceList": []}"#, r#"{"resourceList": null}"#] {
        let (config, warnings) = read(text).unwrap();
        assert_eq!(config, Config::default());
        assert_eq!(
            warnings,
            ["resourceList: is empty, so there is no pool: the device plugin would exit"]
        );
    }
}

#[test]
fn selectors_of_a_wrong_type_cost_their_pool_alone() {
    let text = r#"{"resourceList": [
        {"resourceName": "a", "selectors": []},
        {"resourceName": "b", "selectors": "8086"},
        {"resourceName": "not even a name", "selectors": [{"vendors": "8086"}, null]},
        {"resourceName": "d", "selectors": [{}, {"vendors": ["8086", 5427]}]},
        {"resourceName": "e", "selectors": {"isRdma": "true"}},
        {"resourceName": "f", "selectors": [[]]},
        {"resourceName": "d", "selectors": {}}]}"#;
    let (config, warnings) = read(text).unwrap();
    assert_eq!(
        config
            .pools
            .iter()
            .map(|pool| pool.place.as_str())
            .collect::<Vec<_>>(),
        ["resourceList[6]"]
    );
    insta::assert_snapshot!(warnings.join("\n"), @r#"
    resourceList[0].selectors: [] is wrong, must be an object like {"vendors": ["8086"]} or a list of them; {} selects every device; this pool is dropped
    resourceList[1].selectors: "8086" is wrong, must be an object like {"vendors": ["8086"]} or a list of them; {} selects every device; this pool is dropped
    resourceList[2].selectors[0].vendors: "8086" is wrong, must be a list of strings like ["8086"]; this pool is dropped
    resourceList[3].selectors[1].vendors[1]: 5427 is wrong, must be a string, in a list like ["8086"]; this pool is dropped
    resourceList[4].selectors.isRdma: "true" is wrong, must be true or false, without quotes; this pool is dropped
    resourceList[5].selectors[0]: [] is wrong, must be an object like {"vendors": ["8086"]}; this pool is dropped
    "#);
}

#[test]
fn additional_info_of_all_is_overridden_by_the_devices_own() {
    let text = r#"{"resourceList": [{"resourceName": "p", "selectors": {}, "additionalInfo": {
        "*": {"token": "all", "zone": "a", "none": null}, "0000:3b:02.5": {"token": "own"}, "0000:3b:02.6": null}}]}"#;
    let info = config(text).pools[0].additional_info.clone().unwrap();
    let entries = |bdf: &str| {
        info.of(bdf.parse().unwrap())
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
    };
    assert_eq!(
        entries("0000:3b:02.5").collect::<Vec<_>>(),
        ["none=", "token=own", "zone=a"]
    );
    assert_eq!(
        entries("0000:3b:02.6").collect::<Vec<_>>(),
        ["none=", "token=all", "zone=a"]
    );
}

#[test]
fn additional_infos_of_one_pool_add_up() {
    let text = r#"{"resourceList": [{"resourceName": "p", "selectors": {}, "additionalInfo": {"*": {"a": "1"}},
        "additionalInfo": {"0000:3b:02.5": {"b": "2"}}}]}"#;
    let info = config(text).pools[0].additional_info.clone().unwrap();
    assert_eq!(info.of("0000:3b:02.5".parse().unwrap()).len(), 2);
}
