//! **The administrator** restarts a kubelet (which deletes all slices of its node), upgrades the
//! release, reboots a node.
//!
//! **Must hold**: after the kubelet's wipe the slices are back within seconds, running pods go on,
//! a new one starts. The upgrade leaves the same slice objects, unwritten, and pods that start
//! meanwhile run. After a reboot the node's pods get their devices again.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, ensure};

use super::{ANY, Run, Scenario, VF_POD};
use crate::{
    eventually::{SLOW, SLOWER, SOON, eventually},
    lab::Lab,
    log::Log,
    node::Node,
    pod::Pod,
    slices,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'i',
    title: "kubelet restart, upgrade by Helm, reboot",
    run: Run::Lab(run),
};

/// Five seconds, and the emulation's tenfold.
const BACK: Duration = Duration::from_secs(50);

fn run(lab: &Lab, _: &[Node], log: &Log) -> Result<()> {
    lab.on_nodes(&lab.nodes, log, "i-kubelet", kubelet_restarts)?;
    lab.space(&log.of("i upgrade"), "e2e-i-upgrade", |space| {
        upgrade(lab, space)
    })?;
    lab.on_nodes(&lab.nodes, log, "i-reboot", node_reboots)
}

fn start(space: &Space, node: &Node, name: &str) -> Result<Pod> {
    space.run(
        node,
        name,
        VF_POD,
        &[
            ("class", "e2e-blue"),
            ("selector", ANY),
            ("config", "ifName: data0"),
        ],
    )
}

fn kubelet_restarts(node: &Node, space: &Space) -> Result<()> {
    let old = start(space, node, "old")?;
    old.ready()?;
    let (container, before) = (old.container()?, slices::identities(node)?);
    space.step("systemctl restart kubelet");
    node.restart("kubelet")?;
    eventually("the kubelet deletes the node's slices", SLOWER, || {
        let now = slices::identities(node)?;
        ensure!(
            before.iter().all(|slice| !now.contains(slice)),
            "still there"
        );
        Ok(())
    })?;
    let wiped = Instant::now();
    slices::follow(node, BACK)?;
    space.step(format!(
        "slices are back {:.1} s after they were seen missing",
        wiped.elapsed().as_secs_f32()
    ));
    start(space, node, "new")?.ready()?;
    ensure!(
        old.container()? == container && old.restarts()? == 0,
        "the old pod was started anew"
    );
    old.link(node, "data0").map(drop)
}

fn upgrade(lab: &Lab, space: &Space) -> Result<()> {
    let before: Vec<_> = lab
        .nodes
        .iter()
        .map(slices::identities)
        .collect::<Result<_>>()?;
    let agents: Vec<_> = lab.nodes.iter().map(Node::agents).collect::<Result<_>>()?;
    space.step("helm upgrade, while pods come one after another");
    let pods = pods_during(lab, space, || lab.release.upgrade(&space.name))?;
    pods.iter().try_for_each(Pod::ready)?;
    space.step(format!(
        "done; {} pods that started meanwhile run",
        pods.len()
    ));
    for ((node, before), agents) in lab.nodes.iter().zip(&before).zip(&agents) {
        ensure!(
            node.agents()?.iter().all(|pid| !agents.contains(pid)),
            "{}: the old agent still runs",
            node.name
        );
        let now = slices::identities(node)?;
        ensure!(
            now == *before,
            "{}: slices were written: {before:?}, now {now:?}",
            node.name
        );
    }
    Ok(())
}

/// Creates pods on both nodes in turn, one when the last is ready, until `work` is done; at least
/// one a node.
fn pods_during(
    lab: &Lab,
    space: &Space,
    work: impl FnOnce() -> Result<()> + Send,
) -> Result<Vec<Pod>> {
    thread::scope(|scope| {
        let working = scope.spawn(work);
        let mut pods = Vec::new();
        for number in 0..12 {
            let pod = start(space, &lab.nodes[number % 2], &format!("during{number}"))?;
            pod.ready()?;
            pods.push(pod);
            if number > 0 && working.is_finished() {
                break;
            }
        }
        working
            .join()
            .unwrap_or_else(|_| Err(anyhow!("panicked")))?;
        Ok(pods)
    })
}

fn node_reboots(node: &Node, space: &Space) -> Result<()> {
    let pod = start(space, node, "survivor")?;
    pod.ready()?;
    let (vf, container) = (pod.claim()?.vf(node)?, pod.container()?);
    space.step(format!("lab reboot {}", node.number));
    node.reboot()?;
    eventually("the pod's container is another", SLOWER, || {
        ensure!(
            pod.container()? != container && pod.is_ready()?,
            "events: {:?}",
            pod.events()?.last()
        );
        Ok(())
    })?;
    space.step("the node is back and its pod is ready again");
    pod.link(node, "data0")?;
    eventually("the PF shows the class's settings", SOON, || {
        ensure!(pod.claim()?.vf(node)? == vf, "the pod has another device");
        ensure!(vf.vlan()? == (100, 3), "VLAN and QoS {:?}", vf.vlan()?);
        Ok(())
    })?;
    slices::follow(node, SLOW).map(drop)
}
