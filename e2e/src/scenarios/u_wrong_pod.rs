//! **Two pods** request one netdev by one claim.
//!
//! **Must hold**: the second pod on the netdev is refused with the name of the first, and does not
//! run; the first goes on.

use anyhow::{Result, ensure};

use super::{Run, Scenario};
use crate::{lab::Lab, node::Node, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'u',
    title: "a second pod on a claim's netdev is refused, the first goes on",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    space.apply(include_str!("../../manifests/shared-claim.yaml"), &[])?;
    let pod = include_str!("../../manifests/shared-pod.yaml");
    let first = space.run(node, "first", pod, &[])?;
    first.ready()?;
    let container = first.container()?;
    let second = space.run(node, "second", pod, &[])?;
    let event = second.event(&["Failed", "first"])?;
    space.step(format!("a second pod on the netdev: {event}"));
    ensure!(!second.has_started()?, "the second pod runs");
    ensure!(
        first.container()? == container && first.link(node, "net1").is_ok(),
        "the first pod was hurt"
    );
    Ok(())
}
