//! **The agent** is killed at the first change of the host after a pod is created (a record, CDI
//! spec or start gate written or removed, a write to the kernel), at the second, and so on until
//! there is no further one; and the same while the pod is deleted. That needs the image with the
//! fuse: `/run/sriov-dra/fuse` holds `before N` or `after N`, and is removed when it blows.
//!
//! Right before a change the host is as it was right after the one before, so each change is met
//! from both sides by `before` alone, and the last one by `after`. node1 takes the odd changes,
//! node2 the even ones.
//!
//! **Must hold**: nobody helps, and the pod runs with its interface, or is gone, and the VF is as
//! it was before.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use super::{Run, Scenario, VF_POD};
use crate::{device::Vf, dump::Dump, lab::Lab, log::Log, node::Node, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'g',
    title: "agent killed before and after each change of the host, both ways",
    run: Run::Lab(run),
};

const FUSE: &str = "/run/sriov-dra/fuse";
/// More changes than a claim can make: an endless fuse is a failure too.
const MOST: u32 = 60;

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    log.step("helm upgrade to the image with the fuse");
    lab.release.install_with_fuse()?;
    let result = lab.on_nodes(nodes, log, "g", |node, space| {
        let vf = node.vf(0, 2)?;
        let before = vf.dump()?;
        let round = |fuse: String| {
            let came = comes(node, space, &vf, &fuse)
                .with_context(|| format!("fuse {fuse}, the pod is created"))?;
            let went = goes(node, space, &vf, &before, &fuse)
                .with_context(|| format!("fuse {fuse}, it is deleted"))?;
            space.step(format!("{fuse}: {} / {}", blew(came), blew(went)));
            Ok((came, went))
        };
        every_second(node.number.into(), round)
    });
    log.step("helm upgrade back to the release image");
    result.and(lab.release.install())
}

/// A pod after another with the fuse at every second change, until neither its creation nor its
/// deletion has so many; then both at their last change.
fn every_second(first: u32, mut round: impl FnMut(String) -> Result<(bool, bool)>) -> Result<()> {
    let (mut making, mut end) = (0, 0);
    for number in (first..=MOST).step_by(2) {
        let (came, went) = round(format!("before {number}"))?;
        making = if came { number } else { making };
        end = if went { number } else { end };
        if !came && !went {
            ensure!(
                making > 3 && end > 3,
                "{making} and {end} changes are too few to be all: does the fuse work?"
            );
            // The other node may have met one more.
            for last in BTreeSet::from([making, making + 1, end, end + 1]) {
                round(format!("after {last}"))?;
            }
            return Ok(());
        }
    }
    anyhow::bail!("more than {MOST} changes for one pod")
}

fn blew(fuse: bool) -> &'static str {
    if fuse { "killed" } else { "no such change" }
}

/// Creates the pod under a fuse; whether it blew.
fn comes(node: &Node, space: &Space, vf: &Vf, fuse: &str) -> Result<bool> {
    let agents = node.agents()?;
    node.write(FUSE, fuse)?;
    let values = [
        ("class", "e2e-all-settings"),
        ("selector", &*vf.selector()),
        ("config", "ifName: data0"),
    ];
    let pod = space.run(node, "victim", VF_POD, &values)?;
    pod.ready()?;
    let at_start = pod.exec("cat /at-start")?;
    ensure!(
        at_start.contains("data0"),
        "the container started without its interface:\n{at_start}"
    );
    ensure!(
        vf.vlan()? == (100, 3),
        "the pod runs with VLAN and QoS {:?}",
        vf.vlan()?
    );
    put_out(node, &agents)
}

/// Deletes it under a fuse; whether it blew.
fn goes(node: &Node, space: &Space, vf: &Vf, before: &Dump, fuse: &str) -> Result<bool> {
    let agents = node.agents()?;
    node.write(FUSE, fuse)?;
    space.pod("victim").delete()?;
    node.holds_no_claim()?;
    let blew = put_out(node, &agents)?;
    vf.is_again(before)?;
    Ok(blew)
}

/// Removes a fuse that did not blow. One that did has killed the agent, and the next one is waited
/// for, so that one pod does not reach into the next.
fn put_out(node: &Node, agents: &[u32]) -> Result<bool> {
    let blew = !node.has(FUSE)?;
    node.exec("rm -f \"$1\"", &[FUSE])?;
    if blew {
        node.agent_is_back(agents)?;
    } else {
        ensure!(
            node.agents()? == agents,
            "the agent was replaced, though the fuse did not blow"
        );
    }
    Ok(blew)
}
