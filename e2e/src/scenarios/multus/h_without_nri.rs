//! **The administrator** has NRI switched off in the runtime, as it is by default in containerd 1.7.
//!
//! **Must hold**: the unchanged pod with network and extended resource runs all the same, since
//! nothing but the CNI plugin attaches it, and ends as it should; with NRI on again the agent is in
//! it by itself.

use anyhow::{Result, ensure};

use super::{
    super::{ANY, Run, Scenario, VF_POD},
    is_attached, start,
};
use crate::{
    lab::Lab,
    log::Log,
    multus::{self, NETDEVICE},
    network::leases,
    node::Node,
    programs::plugin,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'H',
    title: "Multus: the unchanged pod with NRI off",
    run: Run::Lab(run),
};

const CONFIG: &str = "/etc/containerd/config.toml";
const KEPT: &str = "/etc/containerd/config.toml.e2e";

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    multus::with(lab, log, &[plugin("host-local")], || {
        lab.on_nodes(nodes, log, "mh", without)
    })
}

fn without(node: &Node, space: &Space) -> Result<()> {
    space.apply(multus::READMES, &[])?;
    let before = node.dump()?;
    let result = nri_off(node).and_then(|()| unchanged(node, space));
    nri_on(node)?;
    result?;
    let values = [("class", "vf"), ("selector", ANY), ("config", "")];
    let native = space.run(node, "native", VF_POD, &values)?;
    native.ready()?;
    native.link(node, "net1")?;
    space.step("with NRI on again a pod without Multus has its VF");
    native.delete()?;
    node.is_again(&before)
}

fn unchanged(node: &Node, space: &Space) -> Result<()> {
    let pod = start(space, node, "testpod-sriov", "sriov-net", (NETDEVICE, 1))?;
    pod.ready()?;
    is_attached(node, &pod, "net1", &pod.claim()?.vf(node)?)?;
    space.step("the unchanged pod runs without NRI");
    pod.delete()?;
    let left = leases(node, "sriov-net")?;
    ensure!(left.is_empty(), "still leased: {left:?}");
    Ok(())
}

/// Either version of the configuration has its own default, so it is said outright.
fn nri_off(node: &Node) -> Result<()> {
    let script = r#"
        cp "$1" "$2"
        sed -i '/^\[plugins."io.containerd.nri.v1.nri"\]/,$d' "$1"
        printf '\n[plugins."io.containerd.nri.v1.nri"]\n  disable = true\n' >>"$1"
        rm -f /var/run/nri/nri.sock
    "#;
    node.exec(script, &[CONFIG, KEPT])?;
    node.restart("containerd")?;
    ensure!(!node.has("/var/run/nri/nri.sock")?, "NRI is still on");
    Ok(())
}

fn nri_on(node: &Node) -> Result<()> {
    let script = "[ ! -e \"$2\" ] || mv -f \"$2\" \"$1\"";
    node.exec(script, &[CONFIG, KEPT])?;
    node.restart("containerd")
}
