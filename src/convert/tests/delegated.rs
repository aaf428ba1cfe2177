//! Networks with IPAM plugins that the agents run, and default routes of claims.

use serde_json::json;

use super::*;

const POOL: &str = r#"{"resourceList": [{"resourceName": "intel_sriov_netdevice", "selectors": [{"vendors": ["8086"], "drivers": ["iavf"]}]}]}"#;

fn host_local(more: &str) -> String {
    format!(
        r#"{{"cniVersion": "1.0.0", "type": "sriov", "vlan": 7, "capabilities": {{"mac": true}}, "ipam": {{"type": "host-local", "subnet": "10.1.0.0/24"{more}}}}}"#
    )
}

fn pod(networks: &str) -> String {
    let pod = json!({"kind": "Pod", "metadata": {"name": "a", "namespace": "shop",
        "annotations": {"k8s.v1.cni.cncf.io/networks": networks}}, "spec": {"containers": [{"name": "app"}]}});
    pod.to_string()
}

fn rewritten(nads: &[(&str, &str)], networks: &str) -> Converted {
    let nads = nads.iter();
    let nads: Vec<String> = nads
        .map(|(name, config)| networks::nad(name, config))
        .collect();
    let pod = pod(networks);
    let mut texts = vec![POOL, &pod];
    texts.extend(nads.iter().map(String::as_str));
    converted_with(&texts, &native())
}

fn parameters(converted: &Converted, class: &str) -> Value {
    let mut classes = of_kind(&converted.documents, "DeviceClass").into_iter();
    let class = classes.find(|it| it["metadata"]["name"] == class).unwrap();
    class["spec"]["config"][0]["opaque"]["parameters"].clone()
}

/// The routes of the claim's only request.
fn routes(converted: &Converted) -> Value {
    let template = of_kind(&converted.documents, "ResourceClaimTemplate")[0];
    let config = &template["spec"]["spec"]["devices"]["config"][0];
    config["opaque"]["parameters"]["routes"].clone()
}

fn unsupported(converted: &Converted) -> String {
    rows(converted, "Pod shop/a", Verdict::Unsupported).join("\n")
}

/// Leases are kept by the name of the network: its other pods must not get the same addresses.
#[test]
fn the_class_of_a_network_with_ipam_names_the_network() {
    let ipam = host_local(r#", "routes": [{"dst": "0.0.0.0/0"}]"#);
    let done = rewritten(
        &[("blue", &ipam)],
        r#"[{"name": "blue", "mac": "02:00:00:00:00:07"}]"#,
    );
    assert_eq!(done.report.count(Verdict::Unsupported), 0);
    assert_eq!(names(&done, "Pod"), ["a"]);
    let right = json!({"apiVersion": "sriov-dra.io/v1alpha1", "kind": "DeviceConfig", "allowInClaims": ["mac"],
        "networkAttachmentDefinition": {"name": "blue", "namespace": "shop"}});
    assert_eq!(parameters(&done, "blue.shop.nad"), right);
    let warnings = rows(
        &done,
        "NetworkAttachmentDefinition shop/blue",
        Verdict::Warning,
    );
    insta::assert_snapshot!(warnings.join("\n"), @"config.ipam.type = host-local: the agents run it, if the chart's value cni.ipam is set -> set it");
}

#[test]
fn a_class_without_the_networks_namespace_has_its_ipam() {
    let nad = networks::nad("blue", &host_local("")).replace("  namespace: shop\n", "");
    let done = converted_with(&[POOL, &nad, &pod("blue")], &native());
    assert_eq!(done.report.count(Verdict::Unsupported), 0);
    let parameters = parameters(&done, "blue.nad");
    assert_eq!(
        parameters["ipam"],
        json!({"type": "host-local", "subnet": "10.1.0.0/24"})
    );
    assert_eq!(parameters["vlan"], 7);
    let warnings = rows(&done, "NetworkAttachmentDefinition blue", Verdict::Warning);
    insta::assert_snapshot!(warnings.join("\n"), @"config.ipam.type = host-local: the agents run it, if the chart's value cni.ipam is set; its leases are apart from those of pods with the network -> give the network's namespace (--namespace), so that the class can name it");
}

#[test]
fn what_an_ipam_plugin_would_not_get_is_refused() {
    let ips = r#"[{"name": "blue", "ips": ["10.1.0.9"]}]"#;
    let of = |config: &str, networks: &str| unsupported(&rewritten(&[("blue", config)], networks));
    let fixed = host_local("").replace("\"vlan\": 7", "\"mac\": \"02:00:00:00:00:01\"");
    let all = [
        of(&host_local(""), ips),
        of(&fixed, r#"[{"name": "blue", "mac": "02:00:00:00:00:07"}]"#),
        of(&host_local("").replace("host-local", "dhcp"), "blue"),
        of(&host_local("").replace("host-local", "whereabouts"), "blue"),
    ];
    insta::assert_snapshot!(all.join("\n"), @r#"
    networks[0].ips = ["10.1.0.9"]: IPAM plugin host-local gets no addresses from a claim -> leave the network to Multus: without --native it stays as it is
    networks[0].mac = 02:00:00:00:00:07: the network sets a MAC address, which a claim cannot replace -> leave the network to Multus: without --native it stays as it is
    networks[0] = shop/blue: config.ipam: {"subnet":"10.1.0.0/24","type":"dhcp"}: type: dhcp: needs the pod's network namespace, and addresses are assigned before there is one; use host-local or static, or a network of Multus -> see the network
    networks[0] = shop/blue: config.ipam: {"subnet":"10.1.0.0/24","type":"whereabouts"}: type: whereabouts: its reconciler frees addresses that are not in the pod's network-status, which only Multus writes; use a network of Multus -> see the network
    "#);
    let vfio = POOL.replace("iavf", "vfio-pci");
    let nad = networks::nad("blue", &host_local(""));
    let vfio = converted_with(&[&vfio, &nad, &pod("blue")], &native());
    insta::assert_snapshot!(unsupported(&vfio), @"networks[0] = shop/blue: ipam host-local: devices of this pool have no netdev, and Multus only reports its addresses -> leave the network to Multus: without --native it stays as it is");
}

#[test]
fn default_routes_become_the_claims() {
    let exit = r#"{"cniVersion": "1.0.0", "type": "sriov", "ipam": {"type": "static",
        "addresses": [{"address": "10.1.0.7/24", "gateway": "10.1.0.1"}], "routes": [{"dst": "0.0.0.0/0"}]}}"#;
    let plain = r#"{"cniVersion": "1.0.0", "type": "sriov"}"#;
    let by_ipam = rewritten(&[("exit", exit)], "exit");
    assert_eq!(by_ipam.report.count(Verdict::Unsupported), 0);
    assert_eq!(
        routes(&by_ipam),
        json!([{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}])
    );
    let asked =
        r#"[{"name": "plain", "ips": ["10.1.0.7/24"], "default-route": ["10.1.0.1", "fd00::1"]}]"#;
    let by_annotation = rewritten(&[("plain", plain)], asked);
    assert_eq!(by_annotation.report.count(Verdict::Unsupported), 0);
    assert_eq!(
        routes(&by_annotation),
        json!([{"dst": "0.0.0.0/0", "gw": "10.1.0.1"}, {"dst": "::/0", "gw": "fd00::1"}])
    );
    let both = rewritten(
        &[("exit", exit)],
        r#"[{"name": "exit", "default-route": ["10.1.0.2"]}]"#,
    );
    assert_eq!(
        routes(&both),
        json!([{"dst": "0.0.0.0/0", "gw": "10.1.0.2"}])
    );
}

/// Prepare refuses them.
#[test]
fn two_default_routes_of_a_family_are_refused() {
    let exit = host_local(r#", "routes": [{"dst": "0.0.0.0/0"}]"#);
    let two = rewritten(&[("exit", &exit), ("way", &exit)], "exit,way");
    insta::assert_snapshot!(unsupported(&two), @"networks[1] = shop/way: shop/exit has a default route too, and only one of them would be in effect -> leave the network to Multus: without --native it stays as it is");
    let one = rewritten(
        &[("exit", &exit)],
        r#"[{"name": "exit", "default-route": ["10.1.0.2"]}]"#,
    );
    insta::assert_snapshot!(unsupported(&one), @r#"networks[0].default-route = ["10.1.0.2"]: the network's IPAM plugin assigns one too, and only one of them would be in effect -> leave the network to Multus: without --native it stays as it is"#);
    let other_family = host_local(r#", "routes": [{"dst": "::/0"}]"#);
    let fine = rewritten(&[("exit", &exit), ("way", &other_family)], "exit,way");
    assert_eq!(fine.report.count(Verdict::Unsupported), 0);
}
