//! **The administrator** of a cluster of Kubernetes 1.34, whose API server knows no shared counters
//! and drops taints: `lab up --kubernetes 1.34`.
//!
//! **Must hold**: what the server drops is not written again and again; VFs of a port without
//! carrier are left out, since no taint keeps claims from them; a port is offered only while it has
//! no VFs, and VFs that are created while a pod has the port are not; where a device was allocated
//! twice all the same, Prepare refuses it and names both claims. The token of a
//! node's agent is good for that node only, though the server knows no rights for parts of a status.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use super::{Run, Scenario, VF_POD, x_rights};
use crate::{
    device::{Pf, slice_name},
    eventually::{SOON, eventually},
    kube,
    lab::Lab,
    node::Node,
    pod::Pod,
    slices::{self, DRIVER},
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 's',
    title: "a server without counters and taints: no loop, and nothing allocated twice",
    run: Run::Node(run),
};

const NAMED: &str = include_str!("../../manifests/named-claim.yaml");
/// How long nobody may write.
const QUIET: Duration = Duration::from_secs(30);

fn run(lab: &Lab, node: &Node, space: &Space) -> Result<()> {
    ensure!(
        !slices::has_counters()?,
        "this server has counters: lab up --kubernetes 1.34"
    );
    // Here the server has no rights for parts of a status.
    let others = lab.nodes.iter().filter(|other| other.name != node.name);
    for other in others {
        x_rights::hold(&node.name, &other.name, space)?;
    }
    nothing_is_written_twice(node, space)?;
    let port = node.pfs()?.swap_remove(1);
    let before = node.dump()?;
    let result = vf_of_a_taken_port(node, space, &port);
    // Also after a failure in between.
    port.set_num_vfs(0)?;
    port.set_num_vfs(u32::try_from(port.vfs.len())?)?;
    result?;
    slices::follow(node, SOON)?;
    node.is_again(&before)?;
    port_of_a_taken_vf(node, space, &port)?;
    node.is_again(&before)
}

fn nothing_is_written_twice(node: &Node, space: &Space) -> Result<()> {
    let devices = slices::follow(node, SOON)?;
    let dropped = devices
        .values()
        .all(|device| !device.counted && device.taints.is_empty());
    ensure!(
        dropped && devices.len() == 14,
        "{} devices, or counters or taints were kept",
        devices.len()
    );
    carrier(node, false)?;
    let port = node.pfs()?.swap_remove(0);
    eventually(
        "VFs of a port without carrier are in no slice",
        SOON,
        || {
            let mut healthy = devices.clone();
            port.vfs
                .iter()
                .for_each(|vf| drop(healthy.remove(&slice_name(&vf.pci))));
            let now = slices::devices(node)?;
            let (now, healthy) = (names(&now), names(&healthy));
            ensure!(now == healthy, "listed: {now:?}, not {healthy:?}");
            Ok(())
        },
    )?;
    let before = slices::identities(node)?;
    let agents = node.agents()?;
    node.signal_agent("TERM")?;
    node.agent_is_back(&agents)?;
    let begun = Instant::now();
    while begun.elapsed() < QUIET {
        ensure!(
            slices::identities(node)? == before,
            "the slices were written, though nothing had changed"
        );
        std::thread::sleep(Duration::from_secs(1));
    }
    space.step("a port without carrier, another agent, half a minute: no slice was written");
    carrier(node, true)?;
    slices::follow(node, SOON).map(drop)
}

fn names(devices: &BTreeMap<String, slices::Published>) -> Vec<&String> {
    devices.keys().collect()
}

/// Switches the first port's carrier off or on, and waits until the node sees it.
fn carrier(node: &Node, on: bool) -> Result<()> {
    let (word, value) = if on { ("on", "1") } else { ("off", "0") };
    node.monitor(&format!("set_link igb1 {word}"))?;
    let port = node.pfs()?.swap_remove(0);
    eventually(&format!("carrier of {} is {word}", port.name), SOON, || {
        let now = node.exec("cat \"/sys/class/net/$1/carrier\"", &[&port.name])?;
        ensure!(now.trim() == value, "it is {now}");
        Ok(())
    })
}

fn vf_of_a_taken_port(node: &Node, space: &Space, port: &Pf) -> Result<()> {
    port.set_num_vfs(0)?;
    slices::follow(node, SOON)?;
    let whole = format!(
        r#"device.attributes["{DRIVER}"].pciAddress == "{}""#,
        port.pci
    );
    let first = space.run(
        node,
        "port",
        VF_POD,
        &[("class", "e2e-pf"), ("selector", &whole), ("config", "")],
    )?;
    first.ready()?;
    port.set_num_vfs(u32::try_from(port.vfs.len())?)?;
    eventually("VFs of a port in a pod are not offered", SOON, || {
        let devices = slices::devices(node)?;
        let now = devices
            .get(&slice_name(&port.pci))
            .and_then(|port| port.attributes.get("numVFs"))
            .cloned();
        ensure!(
            now == Some(Value::from(port.vfs.len())),
            "the port's numVFs is {now:?}"
        );
        let offered: Vec<_> = port
            .vfs
            .iter()
            .filter(|vf| devices.contains_key(&slice_name(&vf.pci)))
            .collect();
        ensure!(offered.is_empty(), "offered: {offered:?}");
        Ok(())
    })?;
    let second = allocated_by_hand(node, space, "forged-vf", "vf", &port.vfs[2].pci)?;
    refused(space, &second, &first)?;
    // A claim that was created by name stays allocated after its pod.
    kube::delete(&kube::path("resourceclaims", &space.name, &second.name))?;
    second.delete()?;
    first.delete()
}

fn port_of_a_taken_vf(node: &Node, space: &Space, port: &Pf) -> Result<()> {
    let vf = &port.vfs[2];
    let values = [
        ("class", "e2e-blue"),
        ("selector", &*vf.selector()),
        ("config", ""),
    ];
    let first = space.run(node, "vf", VF_POD, &values)?;
    first.ready()?;
    let second = allocated_by_hand(node, space, "forged-port", "e2e-pf", &port.pci)?;
    refused(space, &second, &first)?;
    // A claim that was created by name stays allocated after its pod.
    kube::delete(&kube::path("resourceclaims", &space.name, &second.name))?;
    second.delete()?;
    first.delete()
}

/// As another scheduler would, or this one in a race: the device is allocated to the claim, whoever
/// has it.
fn allocated_by_hand(
    node: &Node,
    space: &Space,
    name: &str,
    class: &str,
    pci: &str,
) -> Result<Pod> {
    let pod = space.run(node, name, NAMED, &[("class", class)])?;
    let device = json!({"request": "function", "driver": DRIVER, "pool": node.name, "device": slice_name(pci)});
    let status = json!({"status": {"allocation": {"devices": {"results": [device]}}}}).to_string();
    let on = ["-n", space.name.as_str(), "--type=merge", "-p"];
    let claim = ["patch", "resourceclaim", name, "--subresource=status"];
    kube::kubectl(&[&claim, &on[..], &[&status]].concat())?;
    let ungated = json!({"spec": {"schedulingGates": null}}).to_string();
    kube::kubectl(&[&["patch", "pod", name], &on[..], &[&ungated]].concat())?;
    Ok(pod)
}

fn refused(space: &Space, pod: &Pod, holder: &Pod) -> Result<()> {
    let holder = holder.claim()?.name;
    let mine = format!("cannot go to claim {}/{}", space.name, pod.name);
    let reason = pod.event(&[
        "FailedPrepareDynamicResources",
        &mine,
        &format!("held by claim {}/{holder}", space.name),
    ])?;
    space.step(format!("allocated twice: {reason}"));
    ensure!(!pod.has_started()?, "pod {} has started", pod.name);
    Ok(())
}
