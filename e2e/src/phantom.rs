//! Nodes without a machine: for what only the API server and the scheduler have to say.

use anyhow::Result;

use crate::{kube, manifest::fill, space::Space};

const NODE: &str = include_str!("../manifests/phantom-node.yaml");

/// Creates a node, and removes it with its slices.
pub(crate) fn node<T>(name: &str, work: impl FnOnce(&str) -> Result<T>) -> Result<T> {
    kube::apply("default", &fill(NODE, &[("node", name)])?)?.ok("a node")?;
    let result = work(name);
    let here = format!("spec.nodeName={name}");
    kube::kubectl(&["delete", "resourceslices", "--field-selector", &here])?;
    kube::delete(&format!("/api/v1/nodes/{name}"))?;
    result
}

/// Ends the pods of a namespace, which no kubelet does.
pub(crate) fn end_pods(space: &Space) -> Result<()> {
    kube::kubectl(&[
        "delete",
        "pods",
        "--all",
        "-n",
        &space.name,
        "--force",
        "--grace-period=0",
    ])
    .map(drop)
}
