use super::*;

const PLAIN: &str = "
apiVersion: v1
kind: Pod
metadata: {name: dpdk, namespace: shop}
spec:
  containers:
    - name: app
      image: dpdk
      resources: {limits: {intel.com/intel_sriov_dpdk: 2, cpu: 4, nvidia.com/gpu: 1}}
";

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: upf, namespace: shop, uid: abc, resourceVersion: '7'}
spec:
  replicas: 2
  selector: {matchLabels: {app: upf}}
  template:
    metadata:
      labels: {app: upf}
      annotations:
        k8s.v1.cni.cncf.io/networks: |
          [{\"name\": \"blue\", \"interface\": \"n3\", \"mac\": \"02:00:00:00:00:07\", \"ips\": [\"10.1.0.9/24\"]},
           {\"name\": \"bridge\"}, {\"name\": \"plain\", \"bandwidth\": {\"ingressRate\": 2048}}, {\"name\": \"gone\"}]
    spec:
      containers:
        - name: side
          image: side
        - name: app
          image: upf
          command: [sh, -c, \"set -e\\necho on\\n\"]
          resources:
            requests: {cpu: '1', intel.com/intel_sriov_netdevice: '3'}
            limits: {cpu: '1', intel.com/intel_sriov_netdevice: '3'}
status: {replicas: 2}
";

fn nads() -> String {
    let nad = networks::nad;
    let blue = nad(
        "blue",
        r#"{"type": "sriov", "vlan": 100, "capabilities": {"mac": true}}"#,
    );
    let plain = nad(
        "plain",
        r#"{"type": "sriov", "ipam": {"type": "static", "addresses": [{"address": "10.3.0.7/24"}]}}"#,
    );
    [blue, plain, nad("bridge", r#"{"type": "bridge"}"#)].join("---")
}

#[test]
fn a_pod_with_extended_resources_is_unchanged_and_a_numa_template_is_suggested() {
    let converted = converted(&[pools::README, PLAIN]);
    assert_eq!(of_kind(&converted.documents, "Pod").len(), 0);
    insta::assert_snapshot!(yaml(&converted.documents[4..]), @r#"
    ---
    apiVersion: resource.k8s.io/v1
    kind: ResourceClaimTemplate
    metadata:
      name: dpdk-devices-numa
      namespace: shop
    spec:
      spec:
        devices:
          constraints:
          - matchAttribute: resource.kubernetes.io/numaNode
            requests:
            - intel-sriov-dpdk
          requests:
          - exactly:
              count: 2
              deviceClassName: intel-sriov-dpdk.intel.com
            name: intel-sriov-dpdk
    "#);
    let rows = Report {
        rows: converted
            .report
            .rows
            .into_iter()
            .filter(|row| row.object.starts_with("Pod"))
            .collect(),
    };
    insta::assert_snapshot!(report_lines(&Converted { report: rows, ..Converted::default() }), @r#"
    warning app.limits[nvidia.com/gpu] = 1: not in a known pool: left unchanged -> if it is an SR-IOV pool, add its config.json to the input
    ok app.limits[intel.com/intel_sriov_dpdk] = 2: left unchanged: its DeviceClass has this extendedResourceName
    warning topology = 2 devices: the kubelet's Topology Manager gets no hints for these devices -> use ResourceClaimTemplate dpdk-devices-numa to allocate them on one NUMA node
    "#);
}

#[test]
fn the_option_claims_converts_every_pod() {
    let options = Options {
        claims: true,
        ..options()
    };
    let converted = converted_with(&[pools::README, PLAIN], &options);
    insta::assert_snapshot!(yaml(&converted.documents[5..]), @r#"
    ---
    apiVersion: resource.k8s.io/v1
    kind: ResourceClaimTemplate
    metadata:
      name: dpdk-devices
      namespace: shop
    spec:
      spec:
        devices:
          requests:
          - exactly:
              count: 2
              deviceClassName: intel-sriov-dpdk.intel.com
            name: intel-sriov-dpdk
    ---
    apiVersion: v1
    kind: Pod
    metadata:
      name: dpdk
      namespace: shop
    spec:
      containers:
      - image: dpdk
        name: app
        resources:
          claims:
          - name: devices
            request: intel-sriov-dpdk
          limits:
            cpu: 4
            nvidia.com/gpu: 1
      resourceClaims:
      - name: devices
        resourceClaimTemplateName: dpdk-devices
    "#);
}

#[test]
fn a_pod_with_networks_gets_claims() {
    let converted = converted(&[&nads(), DEPLOYMENT]);
    insta::assert_snapshot!(yaml(&converted.documents), @r#"
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
            vlan: 100
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
      name: upf-devices-numa
      namespace: shop
    spec:
      spec:
        devices:
          config:
          - opaque:
              driver: sriov-dra.io
              parameters:
                addresses:
                - 10.1.0.9/24
                apiVersion: sriov-dra.io/v1alpha1
                ifName: n3
                kind: DeviceConfig
                mac: 02:00:00:00:00:07
            requests:
            - n3
          - opaque:
              driver: sriov-dra.io
              parameters:
                addresses:
                - 10.3.0.7/24
                apiVersion: sriov-dra.io/v1alpha1
                ifName: net3
                kind: DeviceConfig
            requests:
            - net3
          constraints:
          - matchAttribute: resource.kubernetes.io/numaNode
            requests:
            - n3
            - net3
          requests:
          - exactly:
              deviceClassName: blue.shop.nad
            name: n3
          - exactly:
              deviceClassName: intel-sriov-netdevice.intel.com
            name: net3
    ---
    apiVersion: resource.k8s.io/v1
    kind: ResourceClaimTemplate
    metadata:
      name: upf-devices
      namespace: shop
    spec:
      spec:
        devices:
          config:
          - opaque:
              driver: sriov-dra.io
              parameters:
                addresses:
                - 10.1.0.9/24
                apiVersion: sriov-dra.io/v1alpha1
                ifName: n3
                kind: DeviceConfig
                mac: 02:00:00:00:00:07
            requests:
            - n3
          - opaque:
              driver: sriov-dra.io
              parameters:
                addresses:
                - 10.3.0.7/24
                apiVersion: sriov-dra.io/v1alpha1
                ifName: net3
                kind: DeviceConfig
            requests:
            - net3
          requests:
          - exactly:
              deviceClassName: blue.shop.nad
            name: n3
          - exactly:
              deviceClassName: intel-sriov-netdevice.intel.com
            name: net3
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: upf
      namespace: shop
    spec:
      replicas: 2
      selector:
        matchLabels:
          app: upf
      template:
        metadata:
          annotations:
            k8s.v1.cni.cncf.io/networks: "[{\"interface\":\"net2\",\"name\":\"bridge\",\"namespace\":\"shop\"},{\"interface\":\"net4\",\"name\":\"gone\",\"namespace\":\"shop\"}]"
          labels:
            app: upf
        spec:
          containers:
          - image: side
            name: side
          - command:
            - sh
            - -c
            - |
              set -e
              echo on
            image: upf
            name: app
            resources:
              claims:
              - name: devices
                request: n3
              - name: devices
                request: net3
              limits:
                cpu: "1"
                intel.com/intel_sriov_netdevice: "1"
              requests:
                cpu: "1"
                intel.com/intel_sriov_netdevice: "1"
          resourceClaims:
          - name: devices
            resourceClaimTemplateName: upf-devices
    "#);
}

#[test]
fn every_network_of_a_pod_is_reported() {
    let mut converted = converted(&[&nads(), DEPLOYMENT]);
    converted
        .report
        .rows
        .retain(|row| row.object.starts_with("Deployment"));
    insta::assert_snapshot!(report_lines(&converted), @r#"
    ok networks[0].interface = n3: ifName
    ok networks[0].ips = ["10.1.0.9/24"]: addresses
    ok networks[0].mac = 02:00:00:00:00:07: mac
    ok networks[0] = shop/blue: request n3 of DeviceClass blue.shop.nad
    ok networks[1] = shop/bridge: left to Multus
    ok networks[2].interface = net3: ifName
    unsupported networks[2].bandwidth = {"ingressRate":2048}: claims have no such setting -> leave this network to Multus and the device plugin if it is required
    ok networks[2] = shop/plain: request net3 of DeviceClass intel-sriov-netdevice.intel.com
    unsupported networks[3] = shop/gone: NetworkAttachmentDefinition not found in the input -> add its file to the input; until then it is left to Multus
    warning app.limits[intel.com/intel_sriov_netdevice] = 1: more devices than networks: the rest remain extended resources and are attached as net<n> -> remove them if they were only for the networks
    warning PCIDEVICE_INTEL_COM_INTEL_SRIOV_NETDEVICE = 2 requests: a container with several of these requests gets the devices of one of them only -> read SRIOV_DRA_<REQUEST>, or the device metadata
    warning topology = 2 devices: the kubelet's Topology Manager gets no hints for these devices -> use ResourceClaimTemplate upf-devices-numa to allocate them on one NUMA node
    "#);
}

#[test]
fn networks_without_limits_go_to_the_first_container() {
    let pod = "
kind: Pod
metadata: {name: p, namespace: shop, annotations: {k8s.v1.cni.cncf.io/networks: 'plain,plain@n_1'}}
spec: {containers: [{name: first}, {name: second}], resourceClaims: [{name: devices, resourceClaimName: gpu}]}
";
    let converted = converted(&[&nads(), pod]);
    let pod = of_kind(&converted.documents, "Pod")[0];
    assert_eq!(pod["metadata"].get("annotations"), None);
    assert_eq!(
        pod["spec"]["containers"][0]["resources"]["claims"].to_string(),
        r#"[{"name":"devices-2","request":"net1"},{"name":"devices-2","request":"n-1"}]"#
    );
    assert_eq!(
        pod["spec"]["containers"][1],
        serde_json::json!({"name": "second"})
    );
}

#[test]
fn pools_without_topology_get_no_constraint() {
    let pod = PLAIN.replace("intel.com/intel_sriov_dpdk", "mellanox.com/mlnx_sriov_rdma");
    let converted = converted(&[pools::README, &pod]);
    assert_eq!(
        of_kind(&converted.documents, "ResourceClaimTemplate").len(),
        0
    );
}

#[test]
fn a_pod_without_a_known_pool_is_unchanged() {
    let converted = converted(&[PLAIN]);
    assert_eq!(converted.documents, Vec::<Value>::new());
    insta::assert_snapshot!(report_lines(&converted), @r#"
    warning app.limits[intel.com/intel_sriov_dpdk] = 2: not in a known pool: left unchanged -> if it is an SR-IOV pool, add its config.json to the input
    warning app.limits[nvidia.com/gpu] = 1: not in a known pool: left unchanged -> if it is an SR-IOV pool, add its config.json to the input
    ok  = : requests no known SR-IOV device: left unchanged
    "#);
}
