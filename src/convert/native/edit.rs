//! Edits a workload to use claims.

use serde_json::{Map, Value, json};

use super::plan::Plan;
use crate::convert::annotation::{self, NETWORKS};

/// Metadata that the API server sets: not part of a manifest to apply.
const METADATA: [&str; 6] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "ownerReferences",
];
/// Annotations that kubectl and Multus set on live objects.
const ANNOTATIONS: [&str; 3] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "k8s.v1.cni.cncf.io/network-status",
    "k8s.v1.cni.cncf.io/networks-status",
];

/// The edited workload. `pod` is the JSON pointer to its pod or pod template.
pub(super) fn edited(document: &Value, pod: &str, plan: &Plan) -> Value {
    let mut document = document.clone();
    strip_live_fields(&mut document);
    if let Some(pod) = document.pointer_mut(pod) {
        edit_networks(pod, plan);
        let claim = add_claim(pod, plan);
        for kind in ["containers", "initContainers"] {
            for container in pod["spec"]
                .get_mut(kind)
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                remove_limits(container, plan);
                use_claim(container, &claim, plan);
            }
        }
    }
    document
}

fn strip_live_fields(document: &mut Value) {
    let Some(object) = document.as_object_mut() else {
        return;
    };
    object.remove("status");
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|key, _| !METADATA.contains(&key.as_str()));
    }
    if object.get("kind").is_some_and(|kind| kind == "Pod")
        && let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.remove("nodeName");
    }
    annotations(document, |key, _| !ANNOTATIONS.contains(&key.as_str()));
}

fn annotations(pod: &mut Value, keep: impl FnMut(&String, &mut Value) -> bool) {
    let Some(metadata) = pod.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    if let Some(annotations) = metadata
        .get_mut("annotations")
        .and_then(Value::as_object_mut)
    {
        annotations.retain(keep);
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
}

fn edit_networks(pod: &mut Value, plan: &Plan) {
    if plan.converted.is_empty() {
        return;
    }
    annotations(pod, |key, value| {
        let keep = key != NETWORKS || !plan.left_to_multus.is_empty();
        if key == NETWORKS {
            *value = annotation::render(&plan.left_to_multus).into();
        }
        keep
    });
}

/// Adds the claim to the pod and returns its name in the pod.
fn add_claim(pod: &mut Value, plan: &Plan) -> String {
    let mut claims = pod["spec"]["resourceClaims"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let taken = |name: &str| claims.iter().any(|claim| claim["name"] == name);
    let numbered = (2..).map(|number| format!("devices-{number}"));
    let name = std::iter::once("devices".to_owned())
        .chain(numbered)
        .find(|name| !taken(name))
        .unwrap_or_default();
    claims.push(json!({"name": name, "resourceClaimTemplateName": plan.template}));
    pod["spec"]["resourceClaims"] = claims.into();
    name
}

/// Removes claimed devices from limits and requests.
fn remove_limits(container: &mut Value, plan: &Plan) {
    let name = container["name"].as_str().unwrap_or_default().to_owned();
    let Some(resources) = container
        .get_mut("resources")
        .and_then(Value::as_object_mut)
    else {
        return;
    };
    for kind in ["limits", "requests"] {
        let Some(list) = resources.get_mut(kind).and_then(Value::as_object_mut) else {
            continue;
        };
        for pool in &plan.pools {
            let remaining = plan
                .demand
                .iter()
                .find(|demand| demand.container == name && demand.pool == *pool);
            match remaining {
                Some(demand) if list.contains_key(&pool.to_string()) => {
                    list.insert(pool.to_string(), demand.count.to_string().into());
                }
                _ => drop(list.remove(&pool.to_string())),
            }
        }
        if list.is_empty() {
            resources.remove(kind);
        }
    }
}

fn use_claim(container: &mut Value, claim: &str, plan: &Plan) {
    let name = container["name"].as_str().unwrap_or_default();
    let mine = plan.requests.iter();
    let mine = mine.filter(|request| request.containers.iter().any(|it| it == name));
    let mine: Vec<Value> = mine
        .map(|request| json!({"name": claim, "request": request.name}))
        .collect();
    if mine.is_empty() {
        return;
    }
    if !container["resources"].is_object() {
        container["resources"] = Map::new().into();
    }
    let mut claims = container["resources"]["claims"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    claims.extend(mine);
    container["resources"]["claims"] = claims.into();
}
