//! What the READMEs of the device plugin, its CNI plugin, the operator and an overview of the stack
//! have: their facts, in manifests of our own.

use super::*;

fn host_local(more: &str) -> String {
    format!(
        r#"{{"cniVersion": "0.3.1", "name": "sriov-network", "type": "sriov"{more}, "ipam": {{"type": "host-local", "subnet": "10.56.217.0/24", "routes": [{{"dst": "0.0.0.0/0"}}], "gateway": "10.56.217.1"}}}}"#
    )
}

fn pod(network: &str, resource: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata:
  name: testpod
  annotations: {{k8s.v1.cni.cncf.io/networks: {network}}}
spec:
  containers:
    - name: app
      image: alpine
      resources: {{requests: {{{resource}: '1'}}, limits: {{{resource}: '1'}}}}
"
    )
}

fn network(kind: &str, name: &str, spec: &str) -> String {
    format!(
        "
apiVersion: sriovnetwork.openshift.io/v1
kind: {kind}
metadata: {{name: {name}, namespace: example-namespace}}
spec:
  ipam: '{{\"type\": \"host-local\", \"subnet\": \"10.56.217.0/24\", \"routes\": [{{\"dst\": \"0.0.0.0/0\"}}]}}'
  {spec}
"
    )
}

const CONFIG: &str = r#"{"resourceList": [
    {"resourceName": "intel_sriov_netdevice", "resourcePrefix": "intel.com",
     "selectors": {"vendors": ["8086"], "devices": ["154c", "10ed"], "drivers": ["iavf", "i40evf"]}},
    {"resourceName": "intel_sriov_dpdk", "resourcePrefix": "intel.com",
     "selectors": [{"vendors": ["8086"], "devices": ["154c"], "drivers": ["vfio-pci"], "pfNames": ["enp0s0f0", "enp2s2f1"], "needVhostNet": true}]},
    {"resourceName": "intelnics", "resourcePrefix": "openshift.io", "selectors": {"vendors": ["8086"], "pfNames": ["ens1f0"]}},
    {"resourceName": "switchdevnics", "resourcePrefix": "openshift.io", "selectors": {"vendors": ["15b3"], "pfNames": ["ens2f0"]}}]}"#;

/// What is unsupported of a network and its pod, as they are and rewritten.
#[track_caller]
fn check(network: &str, pod: &str, as_it_is: usize, rewritten: usize) {
    let count = |options: &Options| {
        let converted = converted_with(&[CONFIG, network, pod], options);
        let rows = &converted.report.rows;
        let of_them = |row: &&Row| !row.subject.object.starts_with("config.json");
        let unsupported = rows
            .iter()
            .filter(|row| row.verdict == Verdict::Unsupported);
        let count = unsupported.filter(of_them).count();
        (count, report_lines(&converted))
    };
    let ((plain, report), (native, native_report)) = (count(&options()), count(&native()));
    assert_eq!(plain, as_it_is, "{report}");
    assert_eq!(native, rewritten, "{native_report}");
}

/// The agents run its host-local, and its default route is the claim's.
#[test]
fn the_networks_of_the_cni_plugins_readme_are_served_both_ways() {
    let netdevice = pod("blue", "intel.com/intel_sriov_netdevice");
    for more in ["", r#", "vlan": 1000, "spoofchk": "off", "trust": "on""#] {
        let nad = networks::nad("blue", &host_local(more)).replace("shop", "default");
        check(&nad, &netdevice, 0, 0);
    }
}

#[test]
fn the_dpdk_network_of_the_cni_plugins_readme_is_served_both_ways() {
    let dpdk = r#"{"cniVersion": "0.3.1", "name": "sriov-dpdk", "type": "sriov", "vlan": 1000}"#;
    let nad = networks::nad("blue", dpdk)
        .replace("intel_sriov_netdevice", "intel_sriov_dpdk")
        .replace("shop", "default");
    check(&nad, &pod("blue", "intel.com/intel_sriov_dpdk"), 0, 0);
}

#[test]
fn the_networks_of_the_operators_readme_are_read() {
    let pod = pod(
        "example-namespace/example-network",
        "openshift.io/intelnics",
    );
    let simple = "{vlan: 0, resourceName: intelnics}".trim_matches(['{', '}']);
    let lines = simple.replace(", ", "\n  ");
    check(
        &network("SriovNetwork", "example-network", &lines),
        &pod,
        0,
        0,
    );
    let chained = "metaPlugins: '{\"type\": \"tuning\", \"sysctl\": {\"net.core.somaxconn\": \"500\"}}, {\"type\": \"vrf\", \"vrfname\": \"red\"}'";
    let lines = format!("{lines}\n  {chained}");
    check(
        &network("SriovNetwork", "example-network", &lines),
        &pod,
        0,
        4,
    );
}

/// The plugin ovs needs the device from Multus.
#[test]
fn the_ovs_network_of_the_operators_readme_is_not_served() {
    let pod = pod(
        "example-namespace/example-network",
        "openshift.io/switchdevnics",
    );
    let lines = "vlan: 100\n  bridge: my-bridge\n  mtu: 2500\n  resourceName: switchdevnics";
    check(&network("OVSNetwork", "example-network", lines), &pod, 2, 2);
}

/// The network is in the namespace default, and the pod names none.
#[test]
fn the_stack_of_the_overview_is_unchanged() {
    let map = serde_json::json!({"kind": "ConfigMap", "metadata": {"name": "sriovdp-config", "namespace": "kube-system"}, "data": {"config.json": CONFIG}});
    let nad = networks::nad("sriov-net", &host_local("")).replace("shop", "default");
    let pod = pod("sriov-net", "intel.com/intel_sriov_netdevice");
    let converted = converted(&[&map.to_string(), &nad, &pod]);
    assert_eq!(
        outcomes(&converted),
        "unchanged ConfigMap kube-system/sriovdp-config config.json\nunchanged NetworkAttachmentDefinition default/sriov-net\nunchanged Pod testpod"
    );
}

/// The device plugin's README has a comma after the last field of a pool: it does not start with
/// that. The rest of its pools are served, but for two.
#[test]
fn the_config_of_the_device_plugins_readme() {
    let config = r#"{"resourceList": [
        {"resourceName": "mlnx_sriov_rdma", "resourcePrefix": "mellanox.com", "selectors": [{"vendors": ["15b3"], "devices": ["1018"], "drivers": ["mlx5_ib"], "isRdma": true}]},
        {"resourceName": "infiniband_rdma_netdevs", "selectors": [{"linkTypes": ["infiniband"], "isRdma": true}]},
        {"resourceName": "ct6dx_vdpa_vhost", "selectors": [{"vendors": ["15b3"], "devices": ["101e"], "drivers": ["mlx5_core"], "vdpaType": "vhost"}]},
        {"resourceName": "intel_fpga", "deviceType": "accelerator", "selectors": [{"vendors": ["8086"], "devices": ["0d90"]}]},
        {"resourceName": "bf2_sf", "resourcePrefix": "nvidia.com", "deviceType": "auxNetDevice", "selectors": [{"vendors": ["15b3"], "devices": ["a2d6"], "pfNames": ["p0#1-5"], "auxTypes": ["sf"]}]},
        {"resourceName": "brcm_sriov_bnxt", "resourcePrefix": "broadcom.com", "selectors": [{"vendors": ["14e4"], "devices": ["1750"], "drivers": ["bnxt_en"]}],},
        {"resourceName": "old_selectors_syntax_example", "selectors": {"vendors": ["8086"]}}]}"#;
    let comma = converted(&[config]);
    assert_eq!(
        (
            comma.report.count(Verdict::Unsupported),
            comma.documents.len()
        ),
        (1, 0)
    );
    let converted = converted(&[&config.replace("}],}", "}]}")]);
    insta::assert_snapshot!(names(&converted, "DeviceClass").join("\n"), @r#"
    brcm-sriov-bnxt.broadcom.com
    infiniband-rdma-netdevs.intel.com
    intel-fpga.intel.com
    mlnx-sriov-rdma.mellanox.com
    old-selectors-syntax-example.intel.com
    "#);
    let unsupported = rows(&converted, "config.json", Verdict::Unsupported);
    insta::assert_snapshot!(unsupported.join("\n"), @r#"
    resourceList[2].selectors[0].vdpaType = vhost: containers do not get /dev/vhost-vdpa-N yet -> keep the device plugin for this pool, and exclude its devices from the agent (agent.exclude)
    resourceList[4].deviceType = auxNetDevice: claims for sub-functions are not supported yet -> keep the device plugin for this pool, and exclude its devices from the agent (agent.exclude)
    "#);
}
