//! **The administrator** removes Multus from a node. **The user** starts a pod there that asks for a
//! network by annotation.
//!
//! **Must hold**: no container starts without its interface, and an event of the pod says why; its
//! VF does not change; the pod that was there goes on and ends as it should; with Multus back the
//! next pod has its network.

use anyhow::{Result, ensure};

use super::{
    super::{Run, Scenario},
    is_attached, start,
};
use crate::{
    eventually::{SLOW, eventually},
    lab::Lab,
    log::Log,
    multus::{self, NETDEVICE},
    network::leases,
    node::Node,
    programs::plugin,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'G',
    title: "Multus removed from a node: no container starts without its network",
    run: Run::Lab(run),
};

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    multus::with(lab, log, &[plugin("host-local")], || {
        lab.on_nodes(nodes, log, "mg", away)
    })
}

fn away(node: &Node, space: &Space) -> Result<()> {
    space.apply(multus::NETWORKS, &[])?;
    let before = node.dump()?;
    let old = start(space, node, "old", "settings", (NETDEVICE, 1))?;
    old.ready()?;
    let with_old = node.dump()?;
    multus::switch_off(node)?;
    let result = closed(node, space);
    multus::switch_on(node)?;
    result?;
    node.is_again(&with_old)?;
    is_attached(node, &old, "net1", &old.claim()?.vf(node)?)?;
    space.step("the pod that ran has its network still; Multus is back");
    let new = start(space, node, "new", "settings", (NETDEVICE, 1))?;
    new.ready()?;
    is_attached(node, &new, "net1", &new.claim()?.vf(node)?)?;
    old.delete_soon()?;
    new.delete()?;
    old.gone()?;
    let left = leases(node, "settings")?;
    ensure!(left.is_empty(), "still leased: {left:?}");
    node.is_again(&before)
}

fn closed(node: &Node, space: &Space) -> Result<()> {
    let pod = start(space, node, "closed", "settings", (NETDEVICE, 1))?;
    // The runtime's words, and the driver's own, which say what is missing.
    let event = pod.event(&["settings"])?;
    space.step(event);
    // The kubelet has tried more than once by then.
    eventually("the kubelet has tried again", SLOW, || {
        let events = pod.events()?;
        let failed = events.iter().filter(|event| event.starts_with("Failed"));
        ensure!(failed.count() > 0, "{events:#?}");
        Ok(())
    })?;
    ensure!(
        !pod.has_started()?,
        "a container started without the interface that it asked for"
    );
    pod.delete()
}
