//! **The user** has the networks of the READMEs and one with every setting of a VF that this
//! hardware knows.
//!
//! **Must hold**: the PF shows VLAN, priority, spoof check, trust and rate of the network; pods of
//! one VLAN reach each other, and those of another do not; each VF is as before by full dump, and
//! all addresses are free.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{
    super::{Run, Scenario},
    is_attached, start,
};
use crate::{
    device::Vf,
    lab::Lab,
    log::Log,
    multus::{self, NETDEVICE},
    network::leases,
    node::Node,
    pod::Pod,
    programs::plugin,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'A',
    title: "Multus: VLAN, priority, spoof check, trust, rate of networks; ping; nothing stays",
    run: Run::Lab(run),
};

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    multus::with(lab, log, &[plugin("host-local")], || {
        lab.on_nodes(nodes, log, "ma", settings)
    })
}

fn settings(node: &Node, space: &Space) -> Result<()> {
    space.apply(multus::READMES, &[])?;
    space.apply(multus::NETWORKS, &[])?;
    let vfs = node.pfs()?.swap_remove(0).vfs;
    let before: Vec<_> = vfs.iter().map(Vf::dump).collect::<Result<_>>()?;
    let of = |name, network| start(space, node, name, network, (NETDEVICE, 1));
    let (one, two) = (of("one", "settings")?, of("two", "settings")?);
    let (other, minimal) = (of("other", "sriov-advanced")?, of("minimal", "sriov-net1")?);
    let pods = [&one, &two, &other, &minimal];
    pods.iter().try_for_each(|pod| pod.ready())?;
    let has = [
        Settings(300, 5, true, true, 200),
        Settings(300, 5, true, true, 200),
        Settings(1000, 0, false, true, 0),
        Settings(0, 0, true, false, 0),
    ];
    for (pod, expected) in pods.iter().zip(&has) {
        let vf = pod.claim()?.vf(node)?;
        is_attached(node, pod, "net1", &vf)?;
        expected.are_at_the_pf(&vf)?;
    }
    space.step("four pods have their VFs with the settings of their networks");
    pings(node, [&one, &two], &minimal)?;
    pods.iter().try_for_each(|pod| pod.delete_soon())?;
    pods.iter().try_for_each(|pod| pod.gone())?;
    for network in ["settings", "sriov-advanced", "sriov-network"] {
        let left = leases(node, network)?;
        ensure!(left.is_empty(), "{network}: still leased: {left:?}");
    }
    vfs.iter()
        .zip(&before)
        .try_for_each(|(vf, before)| vf.is_again(before))
}

fn pings(node: &Node, [one, two]: [&Pod; 2], other: &Pod) -> Result<()> {
    let address = two.address(node, "net1")?;
    ensure!(
        one.reaches("net1", &address)?,
        "one does not reach {address}, which is on its VLAN"
    );
    // An address of the same subnet: only the VLAN keeps them apart.
    let stranger = "10.56.218.200";
    let script = format!("ip address add {stranger}/24 dev net1");
    other.with_its_network(node, &script)?;
    ensure!(
        !one.reaches("net1", stranger)?,
        "one reaches a pod that is on another VLAN"
    );
    Ok(())
}

/// VLAN, priority, spoof check, trust, maximum rate.
#[derive(Debug, PartialEq, Eq)]
struct Settings(u64, u64, bool, bool, u64);

impl Settings {
    fn are_at_the_pf(&self, vf: &Vf) -> Result<()> {
        let ((vlan, priority), at_pf) = (vf.vlan()?, vf.at_pf()?);
        let on = |name: &str| at_pf[name] == Value::Bool(true);
        let rate = at_pf.pointer("/rate/max_tx").and_then(Value::as_u64);
        let seen = Self(
            vlan,
            priority,
            on("spoofchk"),
            on("trust"),
            rate.unwrap_or(0),
        );
        ensure!(seen == *self, "{}: {seen:?} instead of {self:?}", vf.pci);
        Ok(())
    }
}
