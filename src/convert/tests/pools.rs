use super::*;

/// As in the README of the device plugin.
pub(super) const README: &str = r#"{
  "resourceList": [
    {"resourceName": "intel_sriov_netdevice", "selectors": {"vendors": ["8086"], "devices": ["154c"], "drivers": ["i40evf"]}},
    {"resourceName": "intel_sriov_dpdk", "resourcePrefix": "intel.com", "additionalInfo": {"*": {"token": "x"}},
     "selectors": [{"vendors": ["8086"], "drivers": ["vfio-pci"], "pfNames": ["enp0s0f0#1-5", "enp2s2f0"], "needVhostNet": true}]},
    {"resourceName": "mlnx_sriov_rdma", "resourcePrefix": "mellanox.com", "excludeTopology": true,
     "selectors": [{"vendors": ["15b3"], "isRdma": true}]},
    {"resourceName": "sf-pool", "deviceType": "auxNetDevice", "colour": "blue",
     "selectors": [{"vendors": ["0x15b3"], "auxTypes": ["sf"], "rootDevices": ["0000:86:00.0#0-1"]}]}
  ]
}"#;

/// One pool that is served.
pub(super) const SIMPLE: &str = r#"{"resourceList": [{"resourceName": "intel_sriov_dpdk", "selectors": {"drivers": ["vfio-pci"]}}]}"#;

#[test]
fn every_pool_has_its_class() {
    insta::assert_snapshot!(yaml(&converted(&[README]).documents), @r#"
    ---
    apiVersion: resource.k8s.io/v1
    kind: DeviceClass
    metadata:
      name: intel-sriov-dpdk.intel.com
    spec:
      extendedResourceName: intel.com/intel_sriov_dpdk
      selectors:
      - cel:
          expression: device.driver == "sriov-dra.io" && "pool" in device.attributes["sriov-dra.io"] && device.attributes["sriov-dra.io"].pool == "intel.com/intel_sriov_dpdk"
    ---
    apiVersion: resource.k8s.io/v1
    kind: DeviceClass
    metadata:
      name: intel-sriov-netdevice.intel.com
    spec:
      extendedResourceName: intel.com/intel_sriov_netdevice
      selectors:
      - cel:
          expression: device.driver == "sriov-dra.io" && "pool" in device.attributes["sriov-dra.io"] && device.attributes["sriov-dra.io"].pool == "intel.com/intel_sriov_netdevice"
    ---
    apiVersion: resource.k8s.io/v1
    kind: DeviceClass
    metadata:
      name: mlnx-sriov-rdma.mellanox.com
    spec:
      extendedResourceName: mellanox.com/mlnx_sriov_rdma
      selectors:
      - cel:
          expression: device.driver == "sriov-dra.io" && "pool" in device.attributes["sriov-dra.io"] && device.attributes["sriov-dra.io"].pool == "mellanox.com/mlnx_sriov_rdma"
    "#);
}

#[test]
fn what_is_odd_in_config_json_is_reported() {
    insta::assert_snapshot!(report_lines(&converted(&[README])), @r#"
    warning resourceList[3].colour = : is an unknown field and ignored, known are resourceName, resourcePrefix, deviceType, excludeTopology, selectors, additionalInfo -> fix it in config.json
    warning resourceList[3].resourceName = : "sf-pool" has a '-', which the container's variable PCIDEVICE_… has too: shells cannot read it, use '_' -> fix it in config.json
    warning resourceList[3].selectors[0].vendors[0] = : "0x15b3" never matches, must be "15b3" -> fix it in config.json
    unsupported resourceList[3].deviceType = auxNetDevice: claims for sub-functions are not supported yet -> keep the device plugin for this pool, and exclude its devices from the agent (agent.exclude)
    "#);
}

#[test]
fn a_config_map_has_a_key_per_node() {
    let map = "
apiVersion: v1
kind: ConfigMap
metadata: {name: sriovdp-config, namespace: kube-system}
data:
  worker-0: |
    {\"resourceList\": [{\"resourceName\": \"a\", \"selectors\": {\"pfNames\": [\"ens1f0\"]}}]}
  worker-1: |
    {\"ResourceList\": [{\"ResourceName\": \"a\", \"SelectorObj\": null, \"selectors\": {\"pfNames\": [\"ens9f0\"]}}]}
  note: nothing
";
    let converted = converted(&[map]);
    assert_eq!(
        of_kind(&converted.documents, "DeviceClass").len(),
        1,
        "one name, one class"
    );
    let key = |node: &str| format!("unchanged ConfigMap kube-system/sriovdp-config {node}");
    let both = ["worker-0", "worker-1"].map(key).join("\n");
    assert_eq!(
        outcomes(&converted),
        both,
        "the note is not a configuration"
    );
}

#[test]
fn a_config_that_is_not_json_is_still_recognised() {
    let map =
        "{kind: ConfigMap, metadata: {name: c}, data: {config.json: '{\"resourceList\": [}'}}";
    let converted = converted(&[map]);
    let error = &rows(&converted, "ConfigMap c config.json", Verdict::Unsupported)[0];
    assert!(error.starts_with("line 1 column 19"), "{error}");
}

#[test]
fn a_config_that_is_not_json_is_an_error_with_its_line_and_column() {
    let pool = r#"{"resourceName": "any_kind", "selectors": {}}"#;
    let comma = format!("{{\n  \"resourceList\": [{pool},]\n}}\n");
    let in_yaml = "# pools\nresourceList:\n- {resourceName: any_kind, selectors: {}}\n";
    let map = |text: &str| {
        let data = serde_json::json!({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"config.json": text}});
        data.to_string()
    };
    let error = |text: &str| {
        let row = converted(&[text]).report.rows.remove(0);
        let place = format!(
            "{}: {} = {}: {}",
            row.subject.object, row.field, row.value, row.what
        );
        (row.verdict, place)
    };
    let (file, key) = ("config.json", "ConfigMap c config.json");
    let (at_comma, at_start) = (
        "line 2 column 66 = : trailing comma",
        "line 1 column 1 = : expected value",
    );
    for (text, place, what) in [
        (comma.clone(), file, at_comma),
        (in_yaml.to_owned(), file, at_start),
        (map(&comma), key, at_comma),
        (map(in_yaml), key, at_start),
        (
            format!("{{resourceList: [{pool}]}}"),
            file,
            "line 1 column 2 = : key must be a string",
        ),
        (format!("// kind of\n{comma}"), file, at_start),
    ] {
        let (verdict, error) = error(&text);
        assert_eq!(verdict, Verdict::Unsupported);
        assert!(
            error.starts_with(&format!("{place}: {what} near ")),
            "{error}"
        );
        assert!(error.contains("must be JSON"), "{error}");
    }
    let (_, error) = error(&format!("{{kind: Pod}}\n---\n{comma}"));
    assert!(
        error.contains("has a resourceList beside other documents"),
        "{error}"
    );
}
