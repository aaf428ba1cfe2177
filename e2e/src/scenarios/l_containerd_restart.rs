//! **The administrator** restarts containerd under running pods.
//!
//! **Must hold**: the agent is back in NRI by itself, without being restarted; the next pod gets
//! its VF; the pod that ran goes on, and its VF is restored when it ends.

use anyhow::{Result, ensure};

use super::{Run, Scenario, VF_POD};
use crate::{lab::Lab, node::Node, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'l',
    title: "containerd restarts; the next pod gets its VF",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let (first, second) = (node.vf(0, 0)?, node.vf(0, 1)?);
    let before = (first.dump()?, second.dump()?);
    let of = |vf: &crate::device::Vf| vf.selector();
    let old = space.run(
        node,
        "old",
        VF_POD,
        &[
            ("class", "e2e-blue"),
            ("selector", &of(&first)),
            ("config", ""),
        ],
    )?;
    old.ready()?;
    let agents = node.agents()?;
    space.step("a pod runs; systemctl restart containerd");
    node.restart("containerd")?;
    let new = space.run(
        node,
        "new",
        VF_POD,
        &[
            ("class", "e2e-blue"),
            ("selector", &of(&second)),
            ("config", ""),
        ],
    )?;
    new.ready()?;
    let at_start = new.exec("cat /at-start")?;
    ensure!(
        at_start.contains("net1"),
        "the container started without its interface:\n{at_start}"
    );
    ensure!(
        old.restarts()? == 0 && old.link(node, "net1").is_ok(),
        "the pod that ran was hurt"
    );
    ensure!(
        node.agents()? == agents,
        "agents {agents:?} were replaced by {:?}",
        node.agents()?
    );
    space.step("the next pod has its VF, the agent is the same");
    old.delete()?;
    new.delete()?;
    first.is_again(&before.0)?;
    second.is_again(&before.1)
}
