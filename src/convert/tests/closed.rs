//! Fails closed: what does not work, or is not understood, is unsupported, and its class or pod is
//! not written.

use super::*;

const CHAINED: &str = include_str!("inputs/chained.yaml");
const DPDK: &str = include_str!("inputs/dpdk.yaml");
const NO_NAMESPACE: &str = include_str!("inputs/no-namespace.yaml");
const OTHERS: &str = include_str!("inputs/networks-of-others.yaml");
const POOLS: &str = include_str!("inputs/pools.json");
const DEFAULT_ROUTE: &str = include_str!("inputs/default-route.yaml");
const KINDS: &str = include_str!("inputs/kinds.yaml");
const UNRELATED: &str = include_str!("inputs/unrelated.yaml");
const VARIABLE: &str = include_str!("inputs/variable.yaml");
const DEFAULT_NETWORK: &str = include_str!("inputs/default-network.yaml");
const DEVICE_PLUGIN: &str = include_str!("inputs/device-plugin.yaml");
const ODD: [&str; 4] = [
    include_str!("inputs/odd/twice.yaml"),
    include_str!("inputs/odd/comments.yaml"),
    include_str!("inputs/odd/bad.yaml"),
    include_str!("inputs/odd/case.yaml"),
];

fn forced() -> Options {
    Options {
        force: true,
        ..native()
    }
}

fn unsupported(converted: &Converted, object: &str) -> String {
    rows(converted, object, Verdict::Unsupported).join("\n")
}

fn unclear(converted: &Converted, object: &str) -> String {
    rows(converted, object, Verdict::Warning).join("\n")
}

/// The only element of a kind's claims, classes and so on.
fn first<'a>(converted: &'a Converted, kind: &str) -> &'a Value {
    of_kind(&converted.documents, kind)[0]
}

#[test]
fn ipam_and_chains_stay_and_are_not_rewritten_unless_forced() {
    let as_it_is = converted(&[CHAINED]);
    assert_eq!(as_it_is.report.count(Verdict::Unsupported), 0);
    assert_eq!(names(&as_it_is, "DeviceClass"), ["sriov.intel.com"]);
    assert_eq!(as_it_is.documents.len(), 1, "pods and networks stay");

    let rewritten = converted_with(&[CHAINED], &native());
    assert_eq!(of_kind(&rewritten.documents, "Pod").len(), 0);
    assert_eq!(
        of_kind(&rewritten.documents, "ResourceClaimTemplate").len(),
        0
    );
    insta::assert_snapshot!(unsupported(&rewritten, "Pod shop/one"), @r#"networks[0] = shop/roaming: config.ipam: {"range":"10.1.0.0/24","type":"whereabouts"}: type: whereabouts: its reconciler frees addresses that are not in the pod's network-status, which only Multus writes; use a network of Multus -> see the network"#);
    insta::assert_snapshot!(unsupported(&rewritten, "Pod shop/two"), @r#"networks[0] = shop/red: config.plugins[1].sysctl: {"net.core.somaxconn":"500"}: setting of the tuning plugin -> see the network"#);
    let forced = converted_with(&[CHAINED], &forced());
    assert_eq!(names(&forced, "Pod"), ["one", "two"]);
    assert!(forced.report.count(Verdict::Unsupported) > 0);
}

#[test]
fn a_claim_for_vfio_has_no_fields_of_a_netdev() {
    let rewritten = converted_with(&[DPDK], &native());
    assert_eq!(rewritten.report.count(Verdict::Unsupported), 0);
    assert_eq!(names(&rewritten, "Pod"), ["testpmd"]);
    let template = first(&rewritten, "ResourceClaimTemplate").to_string();
    assert!(!template.contains("ifName"), "{template}");
    let with_addresses = DPDK.replace(
        "\"vlan\": 1000",
        r#""ipam": {"type": "static", "addresses": [{"address": "10.1.0.7/24"}]}"#,
    );
    let with_addresses = converted_with(&[&with_addresses], &native());
    assert_eq!(of_kind(&with_addresses.documents, "Pod").len(), 0);
    insta::assert_snapshot!(unsupported(&with_addresses, "Pod shop/testpmd"), @"networks[0] = shop/fast: addresses: devices of this pool have no netdev, and Multus only reports it -> leave the network to Multus: without --native it stays as it is");
}

#[test]
fn objects_have_the_namespace_of_the_input_or_the_given_one() {
    let rewritten = converted_with(&[NO_NAMESPACE], &native());
    let template = first(&rewritten, "ResourceClaimTemplate");
    assert_eq!(template["metadata"]["namespace"], Value::Null);
    assert_eq!(names(&rewritten, "Deployment"), ["upf"]);
    let given = Options {
        namespace: Some("shop".to_owned()),
        ..native()
    };
    let given = converted_with(&[NO_NAMESPACE], &given);
    assert_eq!(
        first(&given, "ResourceClaimTemplate")["metadata"]["namespace"],
        "shop"
    );
    assert_eq!(names(&given, "DeviceClass")[0], "blue.shop.nad");
    // As in many repositories: the network names kubectl's own namespace, and the pod none.
    let mixed = NO_NAMESPACE.replace("name: blue", "name: blue\n  namespace: default");
    assert_eq!(converted(&[&mixed]).report.count(Verdict::Unsupported), 0);
}

#[test]
fn a_pool_stays_with_the_device_plugin_if_its_networks_do() {
    let closed = converted(&[OTHERS]);
    assert_eq!(names(&closed, "DeviceClass"), ["good.intel.com"]);
    for pod in ["host", "switch", "rdma", "gone", "broken"] {
        let why = unsupported(&closed, &format!("Pod shop/{pod}"));
        assert!(
            why.starts_with("networks[0] = ") || why.starts_with("annotations["),
            "{why}"
        );
    }
    assert_eq!(unsupported(&closed, "Pod shop/good"), "");
    let config = "ConfigMap kube-system/sriovdp-config config.json";
    insta::assert_snapshot!(unsupported(&closed, config), @r#"
    resourceList[3].resourceName = intel.com/broken: Pod shop/broken cannot be served with this pool by DRA -> see there; until then keep the device plugin for this pool
    resourceList[2].resourceName = intel.com/gone: Pod shop/gone cannot be served with this pool by DRA -> see there; until then keep the device plugin for this pool
    resourceList[0].resourceName = intel.com/host: Pod shop/host cannot be served with this pool by DRA -> see there; until then keep the device plugin for this pool
    resourceList[4].resourceName = intel.com/rdma: Pod shop/rdma cannot be served with this pool by DRA -> see there; until then keep the device plugin for this pool
    resourceList[1].resourceName = intel.com/switch: Pod shop/switch cannot be served with this pool by DRA -> see there; until then keep the device plugin for this pool
    "#);
    insta::assert_snapshot!(unsupported(&closed, "Pod shop/host"), @"networks[0] = shop/host: config.type: host-device: host-device gets the device from Multus, which up to v4.3.0 knows no device of DRA -> see the network");
    let force = Options {
        force: true,
        ..options()
    };
    let all = converted_with(&[OTHERS], &force);
    assert_eq!(names(&all, "DeviceClass").len(), 6);
    let multus_dra = Options {
        multus_dra: true,
        ..options()
    };
    let known = converted_with(&[OTHERS], &multus_dra);
    assert_eq!(unsupported(&known, "Pod shop/host"), "");
    assert_eq!(unsupported(&known, "Pod shop/rdma"), "");
    assert_ne!(unsupported(&known, "Pod shop/gone"), "");
}

#[test]
fn only_pools_that_can_be_prepared_have_classes() {
    let closed = converted(&[POOLS]);
    assert_eq!(names(&closed, "DeviceClass"), ["vfio.intel.com"]);
    insta::assert_snapshot!(unsupported(&closed, "config.json"), @r#"
    resourceList[4].selectors = : [] is wrong, must be an object like {"vendors": ["8086"]} or a list of them; {} selects every device; this pool is dropped -> fix it in config.json
    resourceList[0].deviceType = auxNetDevice: claims for sub-functions are not supported yet -> keep the device plugin for this pool, and exclude its devices from the agent (agent.exclude)
    resourceList[1].selectors[0].drivers = igb_uio: UIO devices are not supported yet -> bind the devices to vfio-pci and name that here, or keep the device plugin for this pool
    resourceList[2].selectors[0].drivers = uio_pci_generic: UIO devices are not supported yet -> bind the devices to vfio-pci and name that here, or keep the device plugin for this pool
    resourceList[3].selectors[0].vdpaType = vhost: containers do not get /dev/vhost-vdpa-N yet -> keep the device plugin for this pool, and exclude its devices from the agent (agent.exclude)
    "#);
    let pod = "{kind: Pod, metadata: {name: a}, spec: {containers: [{name: app, resources: {limits: {intel.com/sf: 1}}}]}}";
    let with_pod = converted(&[POOLS, pod]);
    insta::assert_snapshot!(unsupported(&with_pod, "Pod a"), @"limits[intel.com/sf] = 1: claims for sub-functions are not supported yet -> see the pool");
}

#[test]
fn default_routes_are_served_both_ways() {
    let as_it_is = converted(&[DEFAULT_ROUTE]);
    assert_eq!(as_it_is.report.count(Verdict::Unsupported), 0);
    let rewritten = converted_with(&[DEFAULT_ROUTE], &native());
    assert_eq!(rewritten.report.count(Verdict::Unsupported), 0);
    assert_eq!(names(&rewritten, "Pod"), ["by-ipam", "by-annotation"]);
}

/// They stay with Multus, and are in the report like those that are rewritten.
#[test]
fn pods_that_cannot_be_rewritten_are_in_the_report() {
    let rewritten = converted_with(&[CHAINED], &native());
    insta::assert_snapshot!(outcomes(&rewritten), @r#"
    unchanged ConfigMap kube-system/sriovdp-config config.json
    unsupported NetworkAttachmentDefinition shop/roaming
    unsupported NetworkAttachmentDefinition shop/red
    unsupported Pod shop/one
    unsupported Pod shop/two
    "#);
    assert_eq!(names(&rewritten, "DeviceClass"), ["sriov.intel.com"]);
    // What Multus cannot do either keeps the class from being written.
    let closed = converted_with(&[OTHERS], &native());
    assert_eq!(names(&closed, "DeviceClass"), ["good.intel.com"]);
}

/// Neither is looked at as a claim would be: they stay with Multus.
#[test]
fn kinds_that_stay_are_judged_as_they_are() {
    let job = "
---
kind: MPIJob
metadata: {name: a, namespace: shop}
spec: {workers: {template: {metadata: {annotations: {k8s.v1.cni.cncf.io/networks: roaming}}, spec: {containers: [{name: app}]}}}}
---
kind: VirtualMachine
metadata: {name: a, namespace: shop}
spec: {template: {spec: {domain: {}, networks: [{name: b, multus: {networkName: roaming}}]}}}
";
    let read = converted_with(&[&format!("{CHAINED}{job}")], &native());
    assert_eq!(unsupported(&read, "MPIJob shop/a"), "");
    assert_eq!(unsupported(&read, "VirtualMachine shop/a"), "");
}

/// The plugin refuses them at ADD, and so the pod's sandbox.
#[test]
fn networks_that_the_plugin_refuses_are_unsupported() {
    let of = |config: &str| {
        let read = converted(&[pools::README, &networks::nad("odd", config)]);
        unsupported(&read, "NetworkAttachmentDefinition shop/odd")
    };
    let all = [
        of(r#"{"cniVersion": "2.0.0", "type": "sriov"}"#),
        of(r#"{"cniVersion": "0.2.0", "type": "sriov"}"#),
        of(r#"{"cniVersion": "", "type": "sriov", "ipam": {}}"#),
        of(r#"{"cniVersion": "1.0.0", "type": "sriov", "logLevel": 7}"#),
    ];
    let reasons = ["2.0.0", "0.2.0", "0.1.0", "logLevel"];
    for (row, reason) in all.iter().zip(reasons) {
        assert!(
            row.starts_with("config = ") && row.contains(reason),
            "{row}"
        );
        assert!(
            row.ends_with(" -> the CNI plugin refuses it: fix it"),
            "{row}"
        );
    }
    assert_eq!(
        of(r#"{"cniVersion": "", "type": "sriov", "ipam": {"type": "host-local"}}"#),
        ""
    );
}

/// Before, they counted as pods without SR-IOV.
#[test]
fn amounts_that_the_api_server_refuses_are_unsupported() {
    let pod = |resources: &str| {
        format!(
            "{{kind: Pod, metadata: {{name: a}}, spec: {{containers: [{{name: app, resources: {resources}}}]}}}}"
        )
    };
    let of = |resources: &str, options: &Options| {
        unsupported(
            &converted_with(&[pools::SIMPLE, &pod(resources)], options),
            "Pod a",
        )
    };
    let claims = Options {
        claims: true,
        ..native()
    };
    for options in [options(), claims] {
        assert_eq!(
            of("{limits: {intel.com/intel_sriov_dpdk: 2e0}}", &options),
            ""
        );
        let negative = of("{limits: {intel.com/intel_sriov_dpdk: -1}}", &options);
        assert_eq!(
            negative,
            "app.limits[intel.com/intel_sriov_dpdk] = -1: must be a whole number of devices -> the API server refuses it: fix it"
        );
        let requests = of("{requests: {intel.com/intel_sriov_dpdk: 1}}", &options);
        assert_eq!(
            requests,
            "app.requests[intel.com/intel_sriov_dpdk] = 1: needs limits of the same number -> the API server refuses it: fix it"
        );
    }
}

#[test]
fn networks_with_one_interface_are_refused() {
    let pod = "{kind: Pod, metadata: {name: a, namespace: shop, annotations: {k8s.v1.cni.cncf.io/networks: 'plain@n1,plain@n1'}}, spec: {containers: [{name: app, resources: {limits: {intel.com/sriov: 2}}}]}}";
    for options in [options(), native()] {
        let read = converted_with(&[DEFAULT_ROUTE, pod], &options);
        assert_eq!(
            unsupported(&read, "Pod shop/a"),
            "annotations[k8s.v1.cni.cncf.io/networks] = plain@n1,plain@n1: n1 is the interface of two networks -> Multus refuses it as well: fix it"
        );
    }
}

#[test]
fn operators_and_custom_resources_are_looked_through() {
    let read = converted(&[KINDS]);
    insta::assert_snapshot!(outcomes(&read), @r#"
    unchanged ConfigMap sriov-network-operator/device-plugin-config worker-0
    unchanged ConfigMap sriov-network-operator/device-plugin-config worker-1
    unchanged SriovNetworkNodePolicy sriov-network-operator/mlx
    unchanged SriovNetwork sriov-network-operator/training
    unchanged MPIJob ml/allreduce
    unchanged VirtualMachine ml/router
    unchanged DeploymentConfig ml/web
    "#);
    assert_eq!(names(&read, "DeviceClass"), ["mlnxnics.openshift.io"]);
    let alone: Vec<&str> = KINDS.split("\n---\n").collect();
    let policy = converted(&[alone[0]]);
    insta::assert_snapshot!(unsupported(&policy, "SriovNetworkNodePolicy sriov-network-operator/mlx"), @"spec.resourceName = mlnxnics: no config.json in the input defines pool openshift.io/mlnxnics -> add the ConfigMap that the operator renders from it: kubectl -n sriov-network-operator get configmap device-plugin-config -o yaml");
    assert_eq!(names(&policy, "DeviceClass").len(), 0);
    let machine = converted(&[alone[4]]);
    insta::assert_snapshot!(unsupported(&machine, "VirtualMachine ml/router"), @"spec.template.spec.networks[1] = training: not in the input -> add it to the input: kubectl get network-attachment-definitions -A -o yaml");
}

#[test]
fn what_is_unrelated_is_counted_only() {
    let quiet = converted(&[UNRELATED]);
    assert_eq!(quiet.report.count(Verdict::Unsupported), 0);
    insta::assert_snapshot!(outcomes(&quiet), @r#"
    unchanged ConfigMap kube-system/sriovdp-config config.json
    unchanged NetworkAttachmentDefinition blue
    unchanged Pod a
    unchanged Pod b
    "#);
    insta::assert_snapshot!(report_lines(&quiet), @"warning topology = : the kubelet's TopologyManager gets no hints for devices of DRA -> where devices must be on one NUMA node, use a claim: --native --claims writes its template");
    insta::assert_snapshot!(format!("{:?}", quiet.report.unrelated), @r#"{"ConfigMap": 1, "Deployment": 1, "NetworkAttachmentDefinition": 1, "Service": 2}"#);
}

#[test]
fn an_odd_file_costs_itself_only() {
    let read = converted(&ODD);
    insta::assert_snapshot!(outcomes(&read), @r#"
    unsupported ConfigMap bad worker-0
    unsupported ConfigMap bad worker-1
    unchanged ConfigMap bad worker-2
    unsupported document
    unsupported document
    unchanged NetworkAttachmentDefinition case
    unchanged Pod beside
    unchanged Pod case
    "#);
    assert!(read.report.count(Verdict::Unsupported) > 0);
    assert_eq!(names(&read, "DeviceClass"), ["sriov.intel.com"]);
    let rewritten = converted_with(&ODD, &native());
    assert_eq!(names(&rewritten, "Pod"), ["case"]);
    let template = first(&rewritten, "ResourceClaimTemplate").to_string();
    assert!(
        template.contains("10.1.0.7/24") && template.contains("\"ifName\":\"n3\""),
        "{template}"
    );
    assert!(
        first(&rewritten, "DeviceClass")
            .to_string()
            .contains("\"vlan\":100")
    );
}

#[test]
fn devices_of_one_pool_are_in_one_claim_and_shared_ones_in_one_request() {
    let as_it_is = converted(&[VARIABLE]);
    insta::assert_snapshot!(unclear(&as_it_is, "Pod shop/init"), @r#"
    topology = : the kubelet's TopologyManager gets no hints for devices of DRA -> where devices must be on one NUMA node, use a claim: --native --claims writes its template
    initContainers = intel.com/sriov: an init container and another one get devices of their own; the device plugin gave both the same -> where they must share one, use a claim: --native writes it
    "#);
    let rewritten = converted_with(&[VARIABLE], &native());
    let pods = of_kind(&rewritten.documents, "Pod");
    let three = &pods[0]["spec"]["containers"][0]["resources"];
    insta::assert_snapshot!(three, @r#"{"claims":[{"name":"devices","request":"net1"},{"name":"devices","request":"net2"},{"name":"devices","request":"sriov"}]}"#);
    let init = |list: &str| pods[1]["spec"][list][0]["resources"].to_string();
    assert_eq!(init("initContainers"), init("containers"));
    insta::assert_snapshot!(init("containers"), @r#"{"claims":[{"name":"devices","request":"net1"}]}"#);
    insta::assert_snapshot!(unclear(&rewritten, "Pod shop/three"), @r#"
    limits[intel.com/sriov] = 1: more devices than networks: the rest are attached as net<n> -> remove them if they were only for the networks
    PCIDEVICE_INTEL_COM_SRIOV = : several requests of one pool in a container: the variable has all devices only with NRI -> enable NRI, or read SRIOV_DRA_<REQUEST>
    topology = 3 devices: the kubelet's TopologyManager gets no hints for devices of DRA -> use ResourceClaimTemplate three-devices-numa to allocate them on one NUMA node
    "#);
}

#[test]
fn other_annotations_with_networks_are_seen() {
    let seen = converted(&[DEFAULT_NETWORK]);
    assert_eq!(unsupported(&seen, "Pod shop/given"), "");
    insta::assert_snapshot!(unsupported(&seen, "Pod shop/gone"), @"default-network = shop/nowhere: not in the input -> add it to the input: kubectl get network-attachment-definitions -A -o yaml");
    insta::assert_snapshot!(unclear(&seen, "Pod shop/danm"), @r#"
    topology = : the kubelet's TopologyManager gets no hints for devices of DRA -> where devices must be on one NUMA node, use a claim: --native --claims writes its template
    annotations[danm.k8s.io/interfaces] = [{"network": "external"}]: may add networks, which are not looked at -> convert the networks that it names, and see whether they are supported
    "#);
    let rewritten = converted_with(&[DEFAULT_NETWORK], &native());
    assert_eq!(of_kind(&rewritten.documents, "Pod").len(), 0);
    let why = unsupported(&rewritten, "Pod shop/given");
    assert!(
        why.contains("default-network = kube-system/underlay"),
        "{why}"
    );
}

#[test]
fn the_prefix_of_an_installed_device_plugin_is_taken_over() {
    let read = converted(&[DEVICE_PLUGIN]);
    assert_eq!(names(&read, "DeviceClass"), ["sriov.example.com"]);
    assert_eq!(read.report.count(Verdict::Unsupported), 0);
    insta::assert_snapshot!(report_lines(&read), @r#"
    warning resourcePrefix = example.com: the prefix of pools that do not set one -> set pools.resourcePrefix=example.com of the chart
    warning  = : the device plugin: a node serves a resource by it or by DRA, never by both -> take it off each node that is migrated, by its node selector; delete it in the end
    warning topology = : the kubelet's TopologyManager gets no hints for devices of DRA -> where devices must be on one NUMA node, use a claim: --native --claims writes its template
    warning limits = example.com/sriov: the VF is attached as net<n>; the device plugin alone leaves it on the host -> nothing, if that is what it is for; or a network that names the pool
    "#);
    let given = Options {
        resource_prefix: Some("given.io".to_owned()),
        ..options()
    };
    assert_eq!(
        names(&converted_with(&[DEVICE_PLUGIN], &given), "DeviceClass"),
        ["sriov.given.io"]
    );
}

/// The device plugin's part of it works, and what is odd is seen even where no pool is used.
#[test]
fn a_pod_without_a_pool_is_in_the_report_if_something_of_it_is_odd() {
    let pod = "{kind: Pod, metadata: {name: a, annotations: {k8s.v1.cni.cncf.io/networks: '[{'}}, spec: {containers: [{name: app}]}}";
    let read = converted(&[pools::SIMPLE, pod]);
    assert_eq!(outcomes(&read), "unchanged config.json\nunsupported Pod a");
    let plain = "{kind: Pod, metadata: {name: a}, spec: {containers: [{name: app}]}}";
    assert_eq!(
        outcomes(&converted(&[pools::SIMPLE, plain])),
        "unchanged config.json"
    );
}

#[test]
fn what_has_no_interface_asks_for_no_lease() {
    let dhcp = DPDK.replace("\"vlan\": 1000", r#""ipam": {"type": "dhcp"}"#);
    let read = converted(&[&dhcp]);
    insta::assert_snapshot!(unsupported(&read, "NetworkAttachmentDefinition shop/fast"), @"config.ipam.type = dhcp: needs an interface to ask through, and devices of this pool have none -> use another IPAM plugin, or none");
    assert_eq!(names(&read, "DeviceClass").len(), 0);
}

/// What the Go plugin refuses, ignores or takes for something else.
#[test]
fn odd_keys_of_networks_are_reported() {
    let config = r#"{"type": "sriov", "vlan": "100", "vlanQoS": 9, "mac": "01:00:5e:00:00:01", "link_state": "up",
        "min_tx_rate": 100, "spoofchk": "ON", "trust": true, "mtu": 9000, "num_queues": 4, "capabilities": []}"#;
    let read = converted(&[&networks::nad("odd", config)]);
    insta::assert_snapshot!(report_lines(&read), @r#"
    warning config.num_queues = 4: unknown to the Go plugin as well: it has no effect
    unsupported config.link_state = up: must be auto or enable or disable -> the Go plugin refuses it as well: fix it
    unsupported config.capabilities = []: must be an object like {"mac": true} -> the Go plugin refuses it as well: fix it
    unsupported config.vlan = 100: must be an integer from 0 to 4094 -> the Go plugin refuses it as well: fix it
    unsupported config.vlanQoS = 9: must be an integer from 0 to 7 -> the Go plugin refuses it as well: fix it
    warning config.min_tx_rate = 100: max_tx_rate stays as it is; the Go plugin sets it to 0 -> add max_tx_rate: 0 if that is intended
    warning config.spoofchk = ON: means off, as for the Go plugin -> write on or off
    unsupported config.trust = true: must be the text on or off -> the Go plugin refuses it as well: fix it
    warning config.mtu = 9000: has no effect, as with the Go plugin -> use the chained plugin tuning to set it
    unsupported config.mac = 01:00:5e:00:00:01: MAC address "01:00:5e:00:00:01": is multicast, a device needs a unicast address (first byte even) -> the Go plugin refuses it as well: fix it
    warning annotations[k8s.v1.cni.cncf.io/resourceName] = intel.com/intel_sriov_netdevice: no config.json in the input defines this pool -> add it: without one, no device is in this pool
    "#);
    let good = r#"{"type": "sriov", "VLAN": 100, "vlanQoS": 3, "vlanProto": "802.1AD", "mac": "CA:FE:C0:FF:EE:00",
        "min_tx_rate": 1, "max_tx_rate": 2, "spoofchk": "on", "trust": "", "link_state": "auto", "logLevel": "debug"}"#;
    let read = converted(&[pools::README, &networks::nad("good", good)]);
    assert_eq!(
        rows(
            &read,
            "NetworkAttachmentDefinition shop/good",
            Verdict::Warning
        )
        .len(),
        0
    );
    assert_eq!(
        unsupported(&read, "NetworkAttachmentDefinition shop/good"),
        ""
    );
}

#[test]
fn infiniband_stays_but_for_what_the_plugin_has_not() {
    let nad = |more: &str| {
        let keys = format!(r#"{{"type": "ib-sriov", "pkey": "0x8001", {more}}}"#);
        networks::nad("ib", &keys)
    };
    let pod = "{kind: Pod, metadata: {name: a, namespace: shop, annotations: {k8s.v1.cni.cncf.io/networks: ib}}, spec: {containers: [{name: app, resources: {limits: {intel.com/intel_sriov_netdevice: 1}}}]}}";
    let of = |more: &str| unsupported(&converted(&[pools::README, &nad(more), pod]), "Pod shop/a");
    assert_eq!(of(r#""link_state": "enable", "rdmaIsolation": true"#), "");
    assert!(of(r#""publishPfGuid": true"#).contains("API server"));
    assert!(of(r#""link_state": "up""#).contains("must be auto"));
}
