//! Objects that are generated.

use serde_json::{Value, json};

use super::fields::Fields;

/// The attribute that devices on one NUMA node have in common.
const NUMA: &str = "resource.kubernetes.io/numaNode";

/// One request of a claim.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) name: String,
    pub(super) class: String,
    pub(super) count: u64,
    pub(super) fields: Fields,
    /// The containers that use it.
    pub(super) containers: Vec<String>,
}

/// A ResourceClaimTemplate. With `aligned`, all devices are allocated on one NUMA node.
pub(super) fn template(namespace: &str, name: &str, requests: &[Request], aligned: bool) -> Value {
    let one = |request: &Request| {
        let mut exactly = json!({"deviceClassName": request.class});
        if request.count > 1 {
            exactly["count"] = request.count.into();
        }
        json!({"name": request.name, "exactly": exactly})
    };
    let mut devices = json!({"requests": requests.iter().map(one).collect::<Vec<_>>()});
    let configs: Vec<Value> = requests
        .iter()
        .filter_map(|request| request.fields.config_for(&request.name))
        .collect();
    if !configs.is_empty() {
        devices["config"] = configs.into();
    }
    if aligned {
        let names: Vec<&str> = requests.iter().map(|request| &*request.name).collect();
        devices["constraints"] = json!([{"requests": names, "matchAttribute": NUMA}]);
    }
    let mut metadata = json!({"name": name});
    if !namespace.is_empty() {
        metadata["namespace"] = namespace.into();
    }
    json!({
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaimTemplate",
        "metadata": metadata,
        "spec": {"spec": {"devices": devices}},
    })
}

/// Converts a text to a DNS label; `None` if no valid character is left.
pub(super) fn label(text: &str) -> Option<String> {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let text: String = text.chars().map(plain).take(50).collect();
    let text = text.trim_matches('-');
    (!text.is_empty()).then(|| text.to_owned())
}
