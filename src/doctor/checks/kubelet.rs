//! The kubelet: its configuration, and where plugins register.

use super::{error, finding, ok, unknown, warning};
use crate::doctor::{Facts, Finding, Verdict};

pub(super) fn kubelet(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "kubelet";
    let Some(kubelet) = &facts.kubelet else {
        return unknown(CHECK, "configuration not found");
    };
    if let Some(fault) = kubelet.faults.first() {
        let found = format!("cannot parse the configuration: {fault}");
        return finding(CHECK, Verdict::Unknown, found, "correct the file");
    }
    if kubelet.dra == Some(false) {
        return error(
            CHECK,
            "feature gate DynamicResourceAllocation is disabled",
            "remove it from featureGates",
        );
    }
    match kubelet.topology_policy.as_deref() {
        None | Some("none") => ok(CHECK, "no topologyManagerPolicy that needs topology hints"),
        Some(policy) => warning(
            CHECK,
            format!("topologyManagerPolicy {policy} gets no topology hints for DRA devices"),
            "align devices with matchAttribute resource.kubernetes.io/numaNode in the claim",
        ),
    }
}

pub(super) fn registry(facts: &Facts) -> Vec<Finding> {
    const CHECK: &str = "registration";
    if facts.registry {
        return ok(CHECK, "the kubelet's plugins_registry directory exists");
    }
    let root = match &facts.kubelet_root {
        Some(root) => format!("{root}, the kubelet's root directory of this node"),
        None => "the kubelet's root directory".to_owned(),
    };
    error(
        CHECK,
        "the kubelet's plugins_registry directory does not exist",
        format!("set --kubelet-root (agent.kubeletRoot) to {root}"),
    )
}
