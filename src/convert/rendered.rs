//! Objects from which an operator renders NetworkAttachmentDefinitions: as rendered.

use serde_json::{Map, Value, json};

use super::{annotation::RESOURCE, prefix::Prefixes};

/// The prefix of NVIDIA's network operator.
pub(super) const NVIDIA: &str = "nvidia.com";

/// The networks that the object stands for; `None` if it stands for none.
pub(super) fn networks(document: &Value, prefixes: &Prefixes) -> Option<Vec<Value>> {
    let spec = &document["spec"];
    let of = |text: Result<String, String>, prefix: &str| vec![nad(document, &text, prefix)];
    match document["kind"].as_str()? {
        "SriovNetwork" => Some(of(config(spec, "sriov", &SRIOV), &prefixes.operator)),
        "SriovIBNetwork" => Some(of(config(spec, "ib-sriov", &IB), &prefixes.operator)),
        "OVSNetwork" => Some(of(config(spec, "ovs", &OVS), &prefixes.operator)),
        "HostDeviceNetwork" => Some(of(config(spec, "host-device", &[]), NVIDIA)),
        // Of OpenShift's network operator.
        "Network" => {
            let networks = spec["additionalNetworks"].as_array()?.iter();
            Some(networks.map(raw).collect())
        }
        _ => None,
    }
}

/// Fields of the operator and keys of the plugin. An integer that is always rendered has a default.
type Keys = [(&'static str, &'static str, Option<u64>)];
const SRIOV: [(&str, &str, Option<u64>); 10] = [
    ("vlan", "vlan", Some(0)),
    ("vlanQoS", "vlanQoS", Some(0)),
    ("vlanProto", "vlanProto", None),
    ("spoofChk", "spoofchk", None),
    ("trust", "trust", None),
    ("minTxRate", "min_tx_rate", None),
    ("maxTxRate", "max_tx_rate", None),
    ("linkState", "link_state", None),
    ("logLevel", "logLevel", None),
    ("logFile", "logFile", None),
];
const IB: [(&str, &str, Option<u64>); 1] = [("linkState", "link_state", None)];
const OVS: [(&str, &str, Option<u64>); 3] = [
    ("bridge", "bridge", None),
    ("vlan", "vlan", None),
    ("mtu", "mtu", None),
];

/// Of all configurations that the operator renders.
const VERSION: &str = "1.0.0";

/// The CNI configuration, or why there is none: some fields are JSON in a text.
fn config(spec: &Value, plugin: &str, keys: &Keys) -> Result<String, String> {
    let mut config = Map::from_iter([("type".to_owned(), plugin.into())]);
    for (field, key, default) in keys {
        let value = match &spec[field] {
            Value::Null => default.map(Value::from),
            value => Some(value.clone()),
        };
        config.extend(value.map(|value| ((*key).to_owned(), value)));
    }
    for field in ["capabilities", "ipam"] {
        let value = text(spec, field)
            .map(|text| json_of(field, text))
            .transpose()?;
        config.extend(value.map(|value| (field.to_owned(), value)));
    }
    let mut plugins = vec![Value::from(config)];
    if let Some(text) = text(spec, "metaPlugins") {
        let list = json_of("metaPlugins", &format!("[{text}]"))?;
        plugins.extend(list.as_array().cloned().unwrap_or_default());
    }
    Ok(match plugins.len() {
        1 => {
            plugins[0]["cniVersion"] = VERSION.into();
            plugins.remove(0).to_string()
        }
        _ => json!({"cniVersion": VERSION, "plugins": plugins}).to_string(),
    })
}

fn text<'a>(spec: &'a Value, field: &str) -> Option<&'a str> {
    spec[field].as_str().filter(|text| !text.trim().is_empty())
}

fn json_of(field: &str, text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("spec.{field}: invalid JSON: {error}"))
}

/// As the operator writes it. What it cannot render is in `spec.fault`.
fn nad(document: &Value, config: &Result<String, String>, prefix: &str) -> Value {
    let (metadata, spec) = (&document["metadata"], &document["spec"]);
    let namespace = match spec["networkNamespace"].as_str() {
        Some(namespace) if !namespace.is_empty() => namespace.into(),
        _ => metadata["namespace"].clone(),
    };
    let resource = spec["resourceName"].as_str().unwrap_or_default();
    let resource = format!("{prefix}/{resource}");
    json!({
        "metadata": {"name": metadata["name"], "namespace": namespace, "annotations": {RESOURCE: resource}},
        "spec": {"config": config.as_ref().ok(), "fault": config.as_ref().err()},
    })
}

fn raw(network: &Value) -> Value {
    let config = match network["type"].as_str() {
        Some("SimpleMacvlan") => "{\"type\": \"macvlan\"}".into(),
        _ => network["rawCNIConfig"].clone(),
    };
    json!({
        "metadata": {"name": network["name"], "namespace": network["namespace"]},
        "spec": {"config": config},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(document: &Value) -> Vec<Value> {
        let prefixes = Prefixes::of(None, std::iter::once(document));
        networks(document, &prefixes).unwrap_or_default()
    }

    /// The example of the operator's README, with its meta-plugins.
    #[test]
    fn a_network_is_rendered_as_the_operator_renders_it() {
        let network = json!({
            "kind": "SriovNetwork",
            "metadata": {"name": "example-network", "namespace": "example-namespace"},
            "spec": {
                "ipam": "{\"type\": \"host-local\", \"subnet\": \"10.56.217.0/24\"}",
                "vlan": 0, "resourceName": "intelnics", "spoofChk": "on",
                "metaPlugins": "{\"type\": \"tuning\"},\n{\"type\": \"vrf\", \"vrfname\": \"red\"}",
            },
        });
        let nad = &rendered(&network)[0];
        assert_eq!(
            nad["metadata"]["annotations"][RESOURCE],
            "openshift.io/intelnics"
        );
        assert_eq!(nad["metadata"]["namespace"], "example-namespace");
        let config: Value = serde_json::from_str(nad["spec"]["config"].as_str().unwrap()).unwrap();
        assert_eq!(
            config,
            json!({"cniVersion": "1.0.0", "plugins": [
                {"type": "sriov", "vlan": 0, "vlanQoS": 0, "spoofchk": "on", "ipam": {"type": "host-local", "subnet": "10.56.217.0/24"}},
                {"type": "tuning"}, {"type": "vrf", "vrfname": "red"},
            ]})
        );
    }

    #[test]
    fn what_the_operator_cannot_render_is_a_fault() {
        let network = json!({"kind": "SriovNetwork", "metadata": {"name": "a"}, "spec": {"networkNamespace": "b", "ipam": "{"}});
        let nad = &rendered(&network)[0];
        assert_eq!(nad["metadata"]["namespace"], "b");
        let fault = nad["spec"]["fault"].as_str().unwrap();
        assert!(fault.starts_with("spec.ipam: invalid JSON: "), "{fault}");
    }

    #[test]
    fn networks_of_other_operators_are_rendered_too() {
        let host = json!({"kind": "HostDeviceNetwork", "metadata": {"name": "a"}, "spec": {"resourceName": "hostdev"}});
        assert_eq!(
            rendered(&host)[0]["metadata"]["annotations"][RESOURCE],
            "nvidia.com/hostdev"
        );
        let network = json!({"kind": "Network", "spec": {"additionalNetworks": [{"name": "a", "rawCNIConfig": "{\"type\": \"sriov\"}"},
            {"name": "b", "type": "SimpleMacvlan", "simpleMacvlanConfig": {"master": "eth0"}}]}});
        assert_eq!(
            rendered(&network)[1]["spec"]["config"],
            "{\"type\": \"macvlan\"}"
        );
        assert_eq!(
            rendered(&network)[0]["spec"]["config"],
            "{\"type\": \"sriov\"}"
        );
        assert_eq!(
            networks(
                &json!({"kind": "Network"}),
                &Prefixes::of(None, std::iter::empty())
            ),
            None
        );
    }
}
