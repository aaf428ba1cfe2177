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
    ---
    apiVersion: resource.k8s.io/v1
    kind: DeviceClass
    metadata:
      name: sf-pool-1acdb17a4f.intel.com
    spec:
      extendedResourceName: intel.com/sf-pool
      selectors:
      - cel:
          expression: device.driver == "sriov-dra.io" && "pool" in device.attributes["sriov-dra.io"] && device.attributes["sriov-dra.io"].pool == "intel.com/sf-pool"
    "#);
}

#[test]
fn every_field_of_config_json_is_reported() {
    insta::assert_snapshot!(report_lines(&converted(&[README])), @r#"
    ok resourceList[0].resourceName = intel.com/intel_sriov_netdevice: DeviceClass intel-sriov-netdevice.intel.com; pods with this resource are left unchanged
    ok resourceList[0].resourceName = PCIDEVICE_INTEL_COM_INTEL_SRIOV_NETDEVICE: set in containers as before, with its _INFO
    ok resourceList[0].selectors.vendors = 8086: left in config.json, read by the agents
    ok resourceList[0].selectors.devices = 154c: left in config.json, read by the agents
    ok resourceList[0].selectors.drivers = i40evf: left in config.json, read by the agents
    ok resourceList[1].resourceName = intel.com/intel_sriov_dpdk: DeviceClass intel-sriov-dpdk.intel.com; pods with this resource are left unchanged
    ok resourceList[1].resourceName = PCIDEVICE_INTEL_COM_INTEL_SRIOV_DPDK: set in containers as before, with its _INFO
    ok resourceList[1].additionalInfo = : set as before in the variable PCIDEVICE_INTEL_COM_INTEL_SRIOV_DPDK_INFO
    ok resourceList[1].selectors[0].vendors = 8086: left in config.json, read by the agents
    ok resourceList[1].selectors[0].drivers = vfio-pci: left in config.json, read by the agents
    ok resourceList[1].selectors[0].pfNames = enp0s0f0#1-5 enp2s2f0: left in config.json, read by the agents
    ok resourceList[1].selectors[0].needVhostNet = true: containers get /dev/vhost-net and /dev/net/tun
    ok resourceList[2].resourceName = mellanox.com/mlnx_sriov_rdma: DeviceClass mlnx-sriov-rdma.mellanox.com; pods with this resource are left unchanged
    ok resourceList[2].resourceName = PCIDEVICE_MELLANOX_COM_MLNX_SRIOV_RDMA: set in containers as before, with its _INFO
    ok resourceList[2].excludeTopology = true: the devices have no attribute numaNode
    ok resourceList[2].selectors[0].vendors = 15b3: left in config.json, read by the agents
    ok resourceList[2].selectors[0].isRdma = true: selects devices; containers get the device nodes of /dev/infiniband
    ok resourceList[3].resourceName = intel.com/sf-pool: DeviceClass sf-pool-1acdb17a4f.intel.com; pods with this resource are left unchanged
    ok resourceList[3].resourceName = PCIDEVICE_INTEL_COM_SF-POOL: set in containers as before, with its _INFO
    ok resourceList[3].deviceType = auxNetDevice: left in config.json, read by the agents
    ok resourceList[3].selectors[0].vendors = 0x15b3: left in config.json, read by the agents
    ok resourceList[3].selectors[0].auxTypes = sf: left in config.json, read by the agents
    ok resourceList[3].selectors[0].rootDevices = 0000:86:00.0#0-1: left in config.json, read by the agents
    warning resourceList[3].colour = : is an unknown field and ignored, known are resourceName, resourcePrefix, deviceType, excludeTopology, selectors, additionalInfo -> fix it in config.json
    warning resourceList[3].resourceName = : "sf-pool" has a '-', which the container's variable PCIDEVICE_… has too: shells cannot read it, use '_' -> fix it in config.json
    warning resourceList[3].selectors[0].vendors[0] = : "0x15b3" never matches, must be "15b3" -> fix it in config.json
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
    let objects: Vec<&str> = converted
        .report
        .rows
        .iter()
        .map(|row| &*row.object)
        .collect();
    for key in ["worker-0", "worker-1", "note"] {
        assert!(
            objects.contains(&&*format!("ConfigMap kube-system/sriovdp-config {key}")),
            "{objects:?}"
        );
    }
}

#[test]
fn a_config_that_is_not_json_is_still_recognised() {
    let map =
        "{kind: ConfigMap, metadata: {name: c}, data: {config.json: '{\"resourceList\": [}'}}";
    let error = convert(&[input("c.yaml", map)], &options())
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("c.yaml: ConfigMap c config.json: line 1 column 19"),
        "{error}"
    );
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
        convert(&[input("c.json", text)], &options())
            .unwrap_err()
            .to_string()
    };
    let (file, key) = ("c.json: config.json", "c.json: ConfigMap c config.json");
    let (at_comma, at_start) = (
        "line 2 column 66: trailing comma",
        "line 1 column 1: expected value",
    );
    for (text, place, what) in [
        (comma.clone(), file, at_comma),
        (in_yaml.to_owned(), file, at_start),
        (map(&comma), key, at_comma),
        (map(in_yaml), key, at_start),
        (
            format!("{{resourceList: [{pool}]}}"),
            file,
            "line 1 column 2: key must be a string",
        ),
        (format!("// kind of\n{comma}"), file, at_start),
    ] {
        let error = error(&text);
        assert!(
            error.starts_with(&format!("{place}: {what} near ")),
            "{error}"
        );
        assert!(error.contains("must be JSON"), "{error}");
    }
    let error = error(&format!("{{kind: Pod}}\n---\n{comma}"));
    assert!(
        error.starts_with("c.json: has a resourceList beside other documents"),
        "{error}"
    );
}
