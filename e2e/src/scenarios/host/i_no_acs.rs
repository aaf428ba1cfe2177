//! **The administrator** has put a card behind a root port without ACS: the port and all its VFs
//! are one IOMMU group. A user claims one of its VFs for vfio-pci.
//!
//! **Must hold**: the claim is refused, the event names the port that is in the group, and no driver
//! has changed.

use anyhow::{Result, ensure};

use super::super::{Run, Scenario, VF_POD};
use crate::{
    device::Pf,
    eventually::{SLOW, SOON, eventually},
    lab::Lab,
    node::Node,
    slices,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'I',
    title: "an IOMMU group with its port: vfio-pci is refused, no driver changes",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let before = node.dump()?;
    let number = node.number;
    node.monitor(&format!(
        "device_add igb,id=igb3,bus=rp3,mac=52:54:00:aa:0{number}:03"
    ))?;
    let result = port(node, 3).and_then(|port| refused(node, space, &port));
    let result = result.and(node.monitor("device_del igb3"));
    result.and(port(node, 2).map(drop))?;
    slices::follow(node, SOON)?;
    node.is_again(&before)
}

/// The last port, once there are so many.
fn port(node: &Node, ports: usize) -> Result<Pf> {
    eventually(&format!("{} has {ports} ports", node.name), SLOW, || {
        let mut all = node.pfs()?;
        ensure!(all.len() == ports, "it has {}", all.len());
        Ok(all.remove(ports - 1))
    })
}

fn refused(node: &Node, space: &Space, port: &Pf) -> Result<()> {
    // VFs whose port is down are not served by it.
    node.exec("ip link set dev \"$1\" up", &[&port.name])?;
    port.set_num_vfs(2)?;
    slices::follow(node, SOON)?;
    let vf = node.vf(2, 0)?;
    let values = [
        ("class", "e2e-vfio"),
        ("selector", &*vf.selector()),
        ("config", ""),
    ];
    let pod = space.run(node, "whole-group", VF_POD, &values)?;
    space.step(pod.event(&["FailedPrepareDynamicResources", &port.pci])?);
    ensure!(!pod.has_started()?, "the pod has started");
    ensure!(
        vf.driver()? == "igbvf",
        "{} is bound to {}",
        vf.pci,
        vf.driver()?
    );
    let script = r#"basename "$(readlink "/sys/bus/pci/devices/$1/driver")""#;
    let driver = node.exec(script, &[&port.pci])?;
    ensure!(driver.trim() == "igb", "{} is bound to {driver}", port.pci);
    pod.delete()
}
