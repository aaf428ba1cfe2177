//! **The cable** of a port is pulled, and put back.
//!
//! **Must hold**: within seconds the port and its VFs are tainted, those of the other port are not;
//! every slice that they are in is written once, no other at all; a pod that has a VF goes on, a
//! new one waits. With the carrier the taints go, by one write again, and the pod that waited runs.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::{Run, Scenario, VF_POD};
use crate::{
    device::{Pf, slice_name},
    eventually::{SOON, eventually},
    lab::Lab,
    node::Node,
    slices,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'n',
    title: "a port without carrier is tainted, with one write for each slice",
    run: Run::Node(run),
};

const LINK_DOWN: &str = "sriov-dra.io/link-down";

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let result = pulled_and_put_back(node, space, &node.pfs()?.swap_remove(1));
    // Whatever the result, the port has its carrier again.
    result.and(cable(node, "on"))
}

fn pulled_and_put_back(node: &Node, space: &Space, port: &Pf) -> Result<()> {
    let selector = format!(
        r#"device.attributes["sriov-dra.io"].pfName == "{}""#,
        port.name
    );
    let values = [
        ("class", "e2e-blue"),
        ("selector", selector.as_str()),
        ("config", ""),
    ];
    let old = space.run(node, "old", VF_POD, &values)?;
    old.ready()?;
    let before = slices::writes(node)?;
    space.step(format!(
        "a pod has a VF of {}; the cable is pulled",
        port.name
    ));
    cable(node, "off")?;
    tainted(node, port, true)?;
    let down = slices::writes(node)?;
    written_once(&before, &down, port)?;
    let new = space.run(node, "new", VF_POD, &values)?;
    let reason = new.event(&["FailedScheduling", "cannot allocate all claims"])?;
    space.step(format!(
        "tainted, one write a slice; a new pod waits: {reason}"
    ));
    ensure!(
        old.is_ready()? && old.restarts()? == 0,
        "the pod that had a VF was hurt"
    );

    cable(node, "on")?;
    tainted(node, port, false)?;
    written_once(&down, &slices::writes(node)?, port)?;
    space.step("the cable is back, the taints are gone by one write a slice");
    new.ready()?;
    old.delete_soon()?;
    new.delete()?;
    old.gone()
}

/// The second port's, as the lab calls it.
pub(super) fn cable(node: &Node, state: &str) -> Result<()> {
    node.monitor(&format!("set_link igb2 {state}"))
}

fn of_port(port: &Pf) -> BTreeSet<String> {
    [&port.pci]
        .into_iter()
        .chain(port.vfs.iter().map(|vf| &vf.pci))
        .map(|pci| slice_name(pci))
        .collect()
}

/// The port's devices are, and no others.
fn tainted(node: &Node, port: &Pf, down: bool) -> Result<()> {
    let wanted = if down { of_port(port) } else { BTreeSet::new() };
    eventually(
        &format!("devices of {} with the taint: {}", node.name, wanted.len()),
        SOON,
        || {
            let has = slices::devices(node)?
                .into_iter()
                .filter(|(_, d)| d.taints.iter().any(|key| key == LINK_DOWN));
            let has: BTreeSet<String> = has.map(|(name, _)| name).collect();
            ensure!(has == wanted, "tainted: {has:?}");
            Ok(())
        },
    )
}

/// Slices with a device of the port were written once, the others not at all.
fn written_once(before: &slices::Writes, after: &slices::Writes, port: &Pf) -> Result<()> {
    let of_port = of_port(port);
    for (name, (was, devices)) in before {
        let now = after.get(name).map(|(now, _)| *now);
        let once = u64::from(!devices.is_disjoint(&of_port));
        ensure!(
            now == Some(was + once),
            "{name}: {was} writes before, {now:?} now, with {devices:?}"
        );
    }
    ensure!(after.len() == before.len(), "other slices than before");
    Ok(())
}
