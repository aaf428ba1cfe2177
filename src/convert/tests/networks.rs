use super::*;

/// With a version, without which the plugin refuses a network without IPAM.
pub(super) fn nad(name: &str, config: &str) -> String {
    let version = match config.starts_with('{') && !config.contains("cniVersion") {
        true => "{\"cniVersion\": \"1.0.0\", ",
        false => "",
    };
    let config = match version.is_empty() {
        true => config,
        false => &config[1..],
    };
    format!(
        "
apiVersion: k8s.cni.cncf.io/v1
kind: NetworkAttachmentDefinition
metadata:
  name: {name}
  namespace: shop
  annotations: {{k8s.v1.cni.cncf.io/resourceName: intel.com/intel_sriov_netdevice}}
spec:
  config: '{version}{config}'
"
    )
}

fn forced() -> Options {
    Options {
        force: true,
        ..native()
    }
}

const ALL: &str = r#"{
  "cniVersion": "1.0.0", "name": "blue", "type": "sriov", "vlan": 100, "vlanQoS": 3, "vlanProto": "802.1Q",
  "mac": "CA:FE:C0:FF:EE:00", "min_tx_rate": 100, "max_tx_rate": 200, "spoofchk": "yes", "trust": "on",
  "link_state": "enable", "logLevel": "debug", "mtu": 9000, "num_queues": 4, "capabilities": {"mac": true, "ips": true},
  "ipam": {"type": "static", "addresses": [{"address": "10.1.0.7/24", "gateway": "10.1.0.1"}, {"address": "fd00::7/64"}],
           "routes": [{"dst": "0.0.0.0/0"}, {"dst": "10.2.0.0/16", "gw": "10.1.0.2", "mtu": 1400}],
           "dns": {"nameservers": ["10.1.0.1"]}}
}"#;

#[test]
fn a_network_becomes_a_class_and_a_template() {
    insta::assert_snapshot!(yaml(&converted_with(&[&nad("blue", ALL)], &forced()).documents), @r#"
    ---
    apiVersion: resource.k8s.io/v1
    kind: DeviceClass
    metadata:
      name: blue.shop.nad
    spec:
      config:
      - opaque:
          driver: sriov-dra.io
          parameters:
            allowInClaims:
            - mac
            apiVersion: sriov-dra.io/v1alpha1
            kind: DeviceConfig
            linkState: enable
            mac: CA:FE:C0:FF:EE:00
            maxTxRate: 200
            minTxRate: 100
            spoofChk: "off"
            trust: "on"
            vlan: 100
            vlanProto: 802.1Q
            vlanQoS: 3
      selectors:
      - cel:
          expression: device.driver == "sriov-dra.io" && "pool" in device.attributes["sriov-dra.io"] && device.attributes["sriov-dra.io"].pool == "intel.com/intel_sriov_netdevice"
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
    kind: ResourceClaimTemplate
    metadata:
      name: blue
      namespace: shop
    spec:
      spec:
        devices:
          config:
          - opaque:
              driver: sriov-dra.io
              parameters:
                addresses:
                - 10.1.0.7/24
                - fd00::7/64
                apiVersion: sriov-dra.io/v1alpha1
                kind: DeviceConfig
                routes:
                - dst: 0.0.0.0/0
                  gw: "10.1.0.1"
                - dst: 10.2.0.0/16
                  gw: "10.1.0.2"
            requests:
            - net
          requests:
          - exactly:
              deviceClassName: blue.shop.nad
            name: net
    "#);
}

#[test]
fn every_field_of_a_network_is_reported() {
    insta::assert_snapshot!(report_lines(&converted_with(&[&nad("blue", ALL)], &forced())), @r#"
    ok config.vlan = 100: vlan
    ok config.vlanQoS = 3: vlanQoS
    ok config.vlanProto = 802.1Q: vlanProto
    ok config.mac = CA:FE:C0:FF:EE:00: mac
    ok config.min_tx_rate = 100: minTxRate
    ok config.max_tx_rate = 200: maxTxRate
    warning config.spoofchk = yes: spoofChk: off, as the sriov plugin interprets it -> use on or off
    ok config.trust = on: trust
    ok config.link_state = enable: linkState
    ok config.ipam.addresses = ["10.1.0.7/24","fd00::7/64"]: addresses
    ok config.ipam.addresses[0].gateway = 10.1.0.1: gateway of routes without one
    unsupported config.ipam.dns = {"nameservers":["10.1.0.1"]}: claims have no DNS settings -> set dnsConfig in the pod
    unsupported config.ipam.routes[1].mtu = 1400: routes support dst and gw only -> leave the network to Multus: without --native it stays as it is
    ok config.ipam.routes = [{"dst":"0.0.0.0/0","gw":"10.1.0.1"},{"dst":"10.2.0.0/16","g…: routes
    ok config.ipam.type = static: addresses and routes of the claim
    ok config.capabilities.ips = true: any claim can set addresses
    ok config.capabilities.mac = true: the class allows mac in claims
    warning config.mtu = 9000: ignored by the sriov plugin, so not converted -> set mtu in the class's config if intended
    warning config.num_queues = 4: unknown to the sriov plugin as well: it had no effect
    ok annotations[k8s.v1.cni.cncf.io/resourceName] = intel.com/intel_sriov_netdevice: the class selects this pool
    warning annotations[k8s.v1.cni.cncf.io/resourceName] = intel.com/intel_sriov_netdevice: no config.json in the input defines this pool -> add it: without one, no device is in this pool
    "#);
}

#[test]
fn values_that_the_driver_rejects_are_reported_and_left_out() {
    let bad = r#"{"type": "sriov", "vlan": 5000, "vlanQoS": 3, "mac": "01:00:5e:00:00:01", "link_state": "up",
        "min_tx_rate": -1, "trust": true, "spoofchk": "", "ipam": {"type": "host-local", "subnet": "10.0.0.0/24"}}"#;
    let converted = converted_with(&[&nad("bad", bad)], &forced());
    insta::assert_snapshot!(report_lines(&converted), @r#"
    unsupported config.vlan = 5000: 5000 is not a VLAN id, must be a number from 0 to 4094 -> fix it and convert again
    unsupported config.vlanQoS = 3: needs vlan -> fix it and convert again
    unsupported config.mac = 01:00:5e:00:00:01: MAC address "01:00:5e:00:00:01": is multicast, a device needs a unicast address (first byte even) -> fix it and convert again
    unsupported config.min_tx_rate = -1: -1 is not a rate in Mb/s, must be a number from 0 to 4294967295 -> fix it and convert again
    ok config.spoofchk = : not set
    ok config.trust = true: trust
    unsupported config.link_state = up: "up" is wrong, must be "auto", "enable" or "disable" -> fix it and convert again
    warning config.min_tx_rate = : maxTxRate is left unchanged, the sriov plugin would set it to 0 -> set maxTxRate in the class's config if 0 is intended
    ok annotations[k8s.v1.cni.cncf.io/resourceName] = intel.com/intel_sriov_netdevice: the class selects this pool
    warning config.ipam.type = host-local: the agents run it, if the chart's value cni.ipam is set -> set it
    ok config.ipam = {"name":"bad","namespace":"shop"}: networkAttachmentDefinition
    warning annotations[k8s.v1.cni.cncf.io/resourceName] = intel.com/intel_sriov_netdevice: no config.json in the input defines this pool -> add it: without one, no device is in this pool
    "#);
}

#[test]
fn chained_plugins_are_reported() {
    let list = r#"{"cniVersion": "1.0.0", "name": "list", "disableCheck": true, "plugins": [
        {"TYPE": "x", "type": "sriov", "VLAN": 7}, {"type": "tuning", "mtu": 9000, "promisc": true},
        {"type": "rdma"}, {"type": "vrf", "vrfname": "red"}]}"#;
    let converted = converted_with(&[&nad("list", list)], &forced());
    insta::assert_snapshot!(report_lines(&converted), @r#"
    ok config.plugins[0].VLAN = 7: vlan
    ok config.plugins[1].mtu = 9000: mtu
    unsupported config.plugins[1].promisc = true: setting of the tuning plugin -> leave the network to Multus: without --native it stays as it is
    ok config.plugins[1].type = tuning: mtu and mac are set in the class's config
    unsupported config.plugins[2].type = rdma: RDMA devices are not moved into pods yet -> leave the network to Multus: without --native it stays as it is
    unsupported config.plugins[3].type = vrf: chained plugins are not supported yet -> leave the network to Multus: without --native it stays as it is
    unsupported config.plugins[3].vrfname = red: setting of the vrf plugin -> leave the network to Multus: without --native it stays as it is
    ok annotations[k8s.v1.cni.cncf.io/resourceName] = intel.com/intel_sriov_netdevice: the class selects this pool
    warning annotations[k8s.v1.cni.cncf.io/resourceName] = intel.com/intel_sriov_netdevice: no config.json in the input defines this pool -> add it: without one, no device is in this pool
    "#);
    let class = of_kind(&converted.documents, "DeviceClass")[1];
    let config = &class["spec"]["config"][0]["opaque"]["parameters"];
    assert_eq!((&config["vlan"], &config["mtu"]), (&7.into(), &9000.into()));
}

#[test]
fn a_network_that_sets_nothing_uses_the_class_of_its_pool() {
    let converted = converted_with(
        &[
            pools::README,
            &nad("plain", r#"{"type": "sriov", "ipam": {}}"#),
        ],
        &native(),
    );
    assert_eq!(
        of_kind(&converted.documents, "DeviceClass").len(),
        3,
        "no further class"
    );
    let template = of_kind(&converted.documents, "ResourceClaimTemplate")[0];
    let request = &template["spec"]["spec"]["devices"]["requests"][0];
    assert_eq!(
        request["exactly"]["deviceClassName"],
        "intel-sriov-netdevice.intel.com"
    );
}

#[test]
fn networks_of_other_plugins_are_unrelated() {
    let bridge = nad("bridge", r#"{"type": "bridge", "vlan": 7}"#);
    let plain = bridge.replace("k8s.v1.cni.cncf.io/resourceName", "team");
    let converted = converted(&[&bridge, &plain]);
    assert_eq!(converted.documents, Vec::<Value>::new());
    assert_eq!(report_lines(&converted), "");
    assert_eq!(converted.report.unrelated["NetworkAttachmentDefinition"], 2);
}

#[test]
fn a_network_without_a_pool_selects_its_device_or_any_vf() {
    let without = |config: &str| {
        let nad = nad("n", config).replace(
            "annotations: {k8s.v1.cni.cncf.io/resourceName",
            "annotations: {a",
        );
        let classes = converted_with(&[&nad], &forced()).documents;
        classes[0]["spec"]["selectors"][0]["cel"]["expression"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let fixed = without(r#"{"type": "sriov", "deviceID": "0000:3b:02.1"}"#);
    assert!(
        fixed.ends_with(r#".pciAddress == "0000:3b:02.1""#),
        "{fixed}"
    );
    let any = without(r#"{"type": "sriov"}"#);
    assert!(any.ends_with(r#".type == "vf""#), "{any}");
}

#[test]
fn a_network_without_a_readable_config_is_reported() {
    let none = "{kind: NetworkAttachmentDefinition, metadata: {name: none}, spec: {}}";
    insta::assert_snapshot!(report_lines(&converted(&[none, &nad("list", "[]"), &nad("text", "vlan 7")])), @r#"
    unsupported config = : not set: the configuration is a file on each node -> set spec.config to the content of the file
    unsupported config = []: not a JSON object -> fix it and convert again
    unsupported config = vlan 7: invalid JSON: expected value at line 1 column 1 -> fix it and convert again
    "#);
}

#[test]
fn a_network_class_with_the_name_of_a_pool_class_is_renamed() {
    let pool = r#"{"resourceList": [{"resourceName": "blue", "resourcePrefix": "shop.nad", "selectors": {}}]}"#;
    let converted = converted_with(
        &[pool, &nad("blue", r#"{"type": "sriov", "vlan": 100}"#)],
        &native(),
    );
    let classes = of_kind(&converted.documents, "DeviceClass");
    let name = |class: &Value| {
        class["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(
        classes.into_iter().map(name).collect::<Vec<_>>(),
        [
            "blue.shop.nad",
            "blue.shop.nad.nad",
            "intel-sriov-netdevice.intel.com"
        ]
    );
    let templates = yaml(
        &of_kind(&converted.documents, "ResourceClaimTemplate")
            .into_iter()
            .cloned()
            .collect::<Vec<_>>(),
    );
    assert!(
        templates.contains("deviceClassName: blue.shop.nad.nad"),
        "{templates}"
    );
    let report = report_lines(&converted);
    let line = report
        .lines()
        .find(|line| line.contains("metadata.name"))
        .unwrap();
    insta::assert_snapshot!(line, @"warning metadata.name = blue: DeviceClass blue.shop.nad.nad, because blue.shop.nad is the class of pool shop.nad/blue");
}
