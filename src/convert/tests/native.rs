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

fn forced() -> Options {
    Options {
        force: true,
        ..native()
    }
}

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
fn a_pod_with_extended_resources_only_is_unchanged() {
    let converted = converted_with(&[pools::SIMPLE, PLAIN], &native());
    assert_eq!(of_kind(&converted.documents, "Pod").len(), 0);
    assert_eq!(
        outcomes(&converted),
        "unchanged config.json\nunchanged Pod shop/dpdk"
    );
}

#[test]
fn the_option_claims_converts_every_pod() {
    let options = Options {
        claims: true,
        ..native()
    };
    let converted = converted_with(&[pools::SIMPLE, PLAIN], &options);
    insta::assert_snapshot!(yaml(&converted.documents[1..]), @r#"
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
    let converted = converted_with(&[&nads(), DEPLOYMENT], &forced());
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
          - exactly:
              deviceClassName: intel-sriov-netdevice.intel.com
            name: intel-sriov-netdevice
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
            - intel-sriov-netdevice
          requests:
          - exactly:
              deviceClassName: blue.shop.nad
            name: n3
          - exactly:
              deviceClassName: intel-sriov-netdevice.intel.com
            name: net3
          - exactly:
              deviceClassName: intel-sriov-netdevice.intel.com
            name: intel-sriov-netdevice
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
            k8s.v1.cni.cncf.io/networks: "[{\"interface\":\"net2\",\"name\":\"bridge\",\"namespace\":\"shop\"}]"
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
              - name: devices
                request: intel-sriov-netdevice
              limits:
                cpu: "1"
              requests:
                cpu: "1"
          resourceClaims:
          - name: devices
            resourceClaimTemplateName: upf-devices
    "#);
}

#[test]
fn every_network_of_a_pod_is_reported() {
    let mut converted = converted_with(&[&nads(), DEPLOYMENT], &forced());
    converted
        .report
        .rows
        .retain(|row| row.subject.object.starts_with("Deployment"));
    insta::assert_snapshot!(report_lines(&converted), @r#"
    ok networks[0].interface = n3: ifName
    ok networks[0].ips = ["10.1.0.9/24"]: addresses
    ok networks[0].mac = 02:00:00:00:00:07: mac
    warning networks = intel.com/intel_sriov_netdevice: whether its devices have a netdev is not known: claims for others refuse the interface's name and addresses -> name the drivers in the selectors of its config.json, and add that to the input
    ok networks[0] = shop/blue: request n3 of DeviceClass blue.shop.nad
    unsupported networks[1] = shop/bridge: config.type: bridge: bridge gets the device from Multus, which up to v4.3.0 knows no device of DRA -> see the network
    ok networks[2].interface = net3: ifName
    unsupported networks[2].bandwidth = {"ingressRate":2048}: claims have no such setting -> leave the network to Multus: without --native it stays as it is
    ok networks[2] = shop/plain: request net3 of DeviceClass intel-sriov-netdevice.intel.com
    unsupported networks[3] = shop/gone: not in the input -> add it to the input: kubectl get network-attachment-definitions -A -o yaml
    warning limits[intel.com/intel_sriov_netdevice] = 1: more devices than networks: the rest are attached as net<n> -> remove them if they were only for the networks
    warning PCIDEVICE_INTEL_COM_INTEL_SRIOV_NETDEVICE = : several requests of one pool in a container: the variable has all devices only with NRI -> enable NRI, or read SRIOV_DRA_<REQUEST>
    warning topology = 3 devices: the kubelet's TopologyManager gets no hints for devices of DRA -> use ResourceClaimTemplate upf-devices-numa to allocate them on one NUMA node
    "#);
}

#[test]
fn networks_without_limits_go_to_the_first_container() {
    let pod = "
kind: Pod
metadata: {name: p, namespace: shop, annotations: {k8s.v1.cni.cncf.io/networks: 'plain,plain@n_1'}}
spec: {containers: [{name: first}, {name: second}], resourceClaims: [{name: devices, resourceClaimName: gpu}]}
";
    let converted = converted_with(&[&nads(), pod], &native());
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
    let config = r#"{"resourceList": [{"resourceName": "intel_sriov_dpdk", "excludeTopology": true, "selectors": {}}]}"#;
    let options = Options {
        claims: true,
        ..native()
    };
    let converted = converted_with(&[config, PLAIN], &options);
    assert_eq!(names(&converted, "ResourceClaimTemplate"), ["dpdk-devices"]);
}

/// The second would replace the first, or be refused: a template's spec is immutable.
#[test]
fn templates_of_workloads_with_one_name_have_names_of_their_own() {
    let with_kind = |kind: &str| {
        format!(
            "{{kind: {kind}, metadata: {{name: upf, namespace: shop}}, spec: {{template: {{metadata: {{annotations: {{k8s.v1.cni.cncf.io/networks: plain}}}}, spec: {{containers: [{{name: app}}]}}}}}}}}"
        )
    };
    let converted = converted_with(
        &[&nads(), &with_kind("Deployment"), &with_kind("StatefulSet")],
        &native(),
    );
    let mut templates = names(&converted, "ResourceClaimTemplate");
    templates.retain(|name| name.starts_with("upf"));
    assert_eq!(templates, ["upf-devices", "upf-devices-2"]);
    let second = of_kind(&converted.documents, "StatefulSet")[0].to_string();
    assert!(second.contains("\"upf-devices-2\""), "{second}");
}

/// The definition of a custom resource may drop claims: then the pod would start without device.
#[test]
fn custom_resources_and_what_a_controller_has_made_are_not_rewritten() {
    let job = "
kind: MPIJob
metadata: {name: a, namespace: shop}
spec: {workers: {template: {metadata: {annotations: {k8s.v1.cni.cncf.io/networks: blue}}, spec: {containers: [{name: app}]}}}}
";
    let owned = "
kind: ReplicaSet
metadata: {name: a, namespace: shop, ownerReferences: [{kind: Deployment, name: a, controller: true}]}
spec: {template: {metadata: {annotations: {k8s.v1.cni.cncf.io/networks: blue}}, spec: {containers: [{name: app}]}}}
";
    let converted = converted_with(&[&nads(), job, owned], &native());
    assert_eq!(of_kind(&converted.documents, "MPIJob").len(), 0);
    assert_eq!(of_kind(&converted.documents, "ReplicaSet").len(), 0);
    insta::assert_snapshot!(rows(&converted, "MPIJob shop/a", Verdict::Warning).join("\n"), @r#"
     = : left as it is: the definition of MPIJob may not have claims, and then drops them -> if it has them: --force
    topology = : the kubelet's TopologyManager gets no hints for devices of DRA -> where devices must be on one NUMA node, use a claim: --native --claims writes its template
    "#);
    insta::assert_snapshot!(rows(&converted, "ReplicaSet shop/a", Verdict::Warning).join("\n"), @r#"
    topology = : the kubelet's TopologyManager gets no hints for devices of DRA -> where devices must be on one NUMA node, use a claim: --native --claims writes its template
     = : left as it is: a Deployment has made it -> convert that
    "#);
}

#[test]
fn several_templates_of_an_object_have_claims_of_their_own() {
    let job = "
kind: MPIJob
metadata: {name: a, namespace: shop}
spec:
  replicas:
    Launcher: {template: {metadata: {annotations: {k8s.v1.cni.cncf.io/networks: blue}}, spec: {containers: [{name: app}]}}}
    Worker: {template: {metadata: {annotations: {k8s.v1.cni.cncf.io/networks: blue}}, spec: {containers: [{name: app}]}}}
";
    let converted = converted_with(&[&nads(), job], &forced());
    let templates = names(&converted, "ResourceClaimTemplate");
    assert_eq!(templates[..2], ["a-launcher-devices", "a-worker-devices"]);
    let job = of_kind(&converted.documents, "MPIJob")[0].to_string();
    assert!(job.contains("a-launcher-devices") && job.contains("a-worker-devices"));
}
