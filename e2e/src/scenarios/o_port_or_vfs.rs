//! **Two users** want the same port: one a VF of it, one the whole port, its VFs with it.
//!
//! **Must hold**: whoever comes first has it, and the other waits, both ways round; when the port
//! is released its VFs are created again, each as it was, and so is one that an administrator had
//! configured.

use anyhow::{Context, Result, ensure};

use super::{Run, Scenario, VF_POD};
use crate::{
    device::{Pf, Vf},
    lab::Lab,
    node::Node,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'o',
    title: "a port or its VFs, and the port comes back with them",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let (port, vf) = (node.pfs()?.swap_remove(1), node.vf(1, 3)?);
    vlan(&vf, 7)?;
    let result = each_in_turn(node, space, &port, &vf);
    result.and(vlan(&vf, 0))
}

fn each_in_turn(node: &Node, space: &Space, port: &Pf, vf: &Vf) -> Result<()> {
    let before = (node.dump()?, vf.dump()?);
    let whole = format!(
        r#"device.attributes["sriov-dra.io"].pciAddress == "{}""#,
        port.pci
    );
    let whole = [
        ("class", "e2e-pf"),
        ("selector", whole.as_str()),
        ("config", ""),
    ];
    let selector = vf.selector();
    let part = [
        ("class", "e2e-blue"),
        ("selector", selector.as_str()),
        ("config", ""),
    ];

    let first = space.run(node, "vf", VF_POD, &part)?;
    first.ready()?;
    let second = space.run(node, "port", VF_POD, &whole)?;
    let reason = second.event(&["FailedScheduling", "cannot allocate all claims"])?;
    space.step(format!("a VF is taken; who wants the port waits: {reason}"));
    first.delete()?;
    second.ready()?;
    let link = second.link(node, "net1")?;
    ensure!(
        link["parentdev"] == port.pci.as_str(),
        "the pod's net1 is not the port: {link}"
    );

    let third = space.run(node, "vf-again", VF_POD, &part)?;
    let reason = third.event(&["FailedScheduling", "cannot allocate all claims"])?;
    space.step(format!("the port is taken; who wants a VF waits: {reason}"));
    second.delete()?;
    third.ready()?;
    space.step("the port came back, and the VF runs in its pod");
    third.delete()?;
    vf.is_again(&before.1)
        .context("the VF that the administrator had set")?;
    node.is_again(&before.0)
}

fn vlan(vf: &Vf, id: u16) -> Result<()> {
    let script = "ip link set dev \"$1\" vf \"$2\" vlan \"$3\"";
    vf.node
        .exec(script, &[&vf.pf, &vf.index.to_string(), &id.to_string()])
        .map(drop)
}
