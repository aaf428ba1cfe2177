//! Where a pod may run, as far as it says so itself.

use serde_json::Value;

use super::{cause::Cause, objects::Pod};

const HOST_NAME: &str = "kubernetes.io/hostname";

/// The only node that the pod may run on: bound to it, or by what names one node.
pub(super) fn node(pod: &Pod) -> Option<String> {
    let spec = &pod.spec;
    let bound = spec.node_name.clone().filter(|node| !node.is_empty());
    bound
        .or_else(|| spec.node_selector.get(HOST_NAME).cloned())
        .or_else(|| by_affinity(required(pod)))
}

/// Why nobody allocates the pod's claims: it is bound to a node before they are.
pub(super) fn bound(pod: &Pod) -> Option<Cause> {
    let node = pod.spec.node_name.as_deref().filter(|it| !it.is_empty())?;
    let is_over = ["Succeeded", "Failed"].contains(&pod.status.phase.as_str());
    (!is_over).then(|| Cause {
        node: Some(node.to_owned()),
        ..Cause::new(
            "bound",
            None,
            "its pod is bound to a node (spec.nodeName), and only the scheduler allocates claims; use spec.nodeSelector",
        )
    })
}

/// What limits the nodes besides and is not evaluated.
pub(super) fn note(pod: &Pod) -> Option<String> {
    let mut labels = pod.spec.node_selector.keys();
    let selector = labels.any(|label| label != HOST_NAME);
    let affinity = !required(pod).is_null() && by_affinity(required(pod)).is_none();
    let what = match (selector, affinity) {
        (false, false) => return None,
        (true, false) => "nodeSelector",
        (false, true) => "required node affinity",
        (true, true) => "nodeSelector and required node affinity",
    };
    Some(format!(
        "the pod's {what} may exclude nodes that fit here: labels of nodes are not evaluated"
    ))
}

fn required(pod: &Pod) -> &Value {
    &pod.spec.affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
}

/// The node of a pod of a DaemonSet.
fn by_affinity(required: &Value) -> Option<String> {
    let [term] = &required["nodeSelectorTerms"].as_array()?[..] else {
        return None;
    };
    let [field] = &term["matchFields"].as_array()?[..] else {
        return None;
    };
    let [value] = &field["values"].as_array()?[..] else {
        return None;
    };
    let named = field["key"] == "metadata.name" && field["operator"] == "In";
    let alone = term["matchExpressions"].is_null();
    value.as_str().filter(|_| named && alone).map(str::to_owned)
}
