//! **A user** pins a pod with `spec.nodeName` to another node than the one on which its claim is
//! allocated: the scheduler has no say, and the controller-manager reserves the claim for the pod
//! without looking at the node.
//!
//! **Must hold**: the pod does not run, its event names both nodes, and nothing changes on the
//! pinned pod's node, which has a VF of the same address. The pod on the claim's own node goes on.

use anyhow::{Result, ensure};

use super::{Run, Scenario};
use crate::{claim::Claim, lab::Lab, log::Log, node::Node, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'v',
    title: "a pod that is pinned to another node than its claim's is refused",
    run: Run::Lab(run),
};

const CLAIM: &str = include_str!("../../manifests/shared-claim.yaml");
const POD: &str = include_str!("../../manifests/shared-pod.yaml");
const PINNED: &str = include_str!("../../manifests/pinned-pod.yaml");

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    for node in nodes {
        for owner in lab.nodes.iter().filter(|owner| owner.number != node.number) {
            let space = format!("e2e-v-{}", node.name);
            lab.space(log, &space, |space| pinned(owner, node, space))?;
        }
    }
    Ok(())
}

fn pinned(owner: &Node, node: &Node, space: &Space) -> Result<()> {
    space.apply(CLAIM, &[])?;
    let first = space.run(owner, "first", POD, &[])?;
    first.ready()?;
    let claim = Claim {
        namespace: space.name.clone(),
        name: "shared".to_owned(),
    };
    let device = claim.devices()?.swap_remove(0);
    let (container, before) = (first.container()?, node.dump()?);
    let second = space.run(node, "pinned", PINNED, &[])?;
    let refusal = format!(
        "device {device} of claim {}/shared is allocated on node {}, this is node {}",
        space.name, owner.name, node.name
    );
    let event = second.event(&["FailedPrepareDynamicResources", &refusal])?;
    space.step(format!("pinned to {}: {event}", node.name));
    ensure!(!second.has_started()?, "the pinned pod runs");
    node.is(&before)?;
    second.delete()?;
    node.is(&before)?;
    ensure!(
        first.container()? == container && first.link(owner, "net1").is_ok(),
        "the pod on the claim's node was hurt"
    );
    first.delete()
}
