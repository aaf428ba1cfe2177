//! **The user** has a pod that requests from the device plugin `limits: {intel.com/sriov: "1"}` and
//! applies it unchanged; the administrator has created a DeviceClass with that
//! extendedResourceName.
//!
//! **Must hold**: the pod runs with a VF in it, and the VF is restored afterwards.

use anyhow::{Result, ensure};

use super::{Run, Scenario};
use crate::{lab::Lab, node::Node, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'e',
    title: "an unchanged pod with limits: {intel.com/sriov: \"1\"}",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let before = node.dump()?;
    let pod = space.run(
        node,
        "old",
        include_str!("../../manifests/extended-pod.yaml"),
        &[],
    )?;
    pod.ready()?;
    let vf = pod.claim()?.vf(node)?;
    let address = pod.exec("cat /sys/class/net/net1/address")?;
    ensure!(
        vf.mac()? == address.trim(),
        "net1 has {address}, {} has {}",
        vf.pci,
        vf.mac()?
    );
    space.step(format!("the pod is ready and has {} as net1", vf.pci));
    pod.delete()?;
    node.is_again(&before)
}
