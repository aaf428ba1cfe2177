//! **The user** runs DPDK: the pool has VFs that the administrator has bound to vfio-pci, as the
//! device plugin wants them; the network is the README's, with and without IPAM.
//!
//! **Must hold**: the container opens its VF's group; the PF shows the network's VLAN; the address is
//! only reported, in network-status, and there is no interface; afterwards the VLAN is off, the
//! address free, and the VF still bound to vfio-pci.

use anyhow::{Result, ensure};

use super::{
    super::{Run, Scenario, p_pools::bind},
    start,
};
use crate::{
    device::Vf,
    kube::items,
    lab::Lab,
    log::Log,
    multus::{self, DPDK},
    network::leases,
    node::Node,
    pod::Pod,
    programs::plugin,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'D',
    title: "Multus: DPDK, with an address that is only reported",
    run: Run::Lab(run),
};

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    let all = lab
        .nodes
        .iter()
        .map(|node| Ok([node.vf(1, 5)?, node.vf(1, 6)?]));
    let vfs = all.collect::<Result<Vec<_>>>()?.concat();
    let result = vfs
        .iter()
        .try_for_each(|vf| bind(vf, "vfio-pci"))
        .and_then(|()| {
            multus::with(lab, log, &[plugin("host-local")], || {
                lab.on_nodes(nodes, log, "md", dpdk)
            })
        });
    let back = vfs.iter().try_for_each(|vf| bind(vf, ""));
    result.and(back)
}

fn dpdk(node: &Node, space: &Space) -> Result<()> {
    space.apply(multus::READMES, &[])?;
    space.apply(multus::NETWORKS, &[])?;
    let before = node.dump()?;
    let addressed = start(space, node, "addressed", "dpdk", (DPDK, 1))?;
    let readme = start(space, node, "readme", "sriov-dpdk", (DPDK, 1))?;
    for pod in [&addressed, &readme] {
        pod.ready()?;
        serves_dpdk(node, pod)?;
    }
    let status = addressed.network_status("net1")?;
    let ips = items(&status, "/ips");
    let leased = leases(node, "dpdk")?;
    ensure!(
        ips.len() == 1 && leased.iter().any(|lease| ips[0] == **lease),
        "network-status {status}, leased {leased:?}"
    );
    space.step(format!(
        "two pods have their groups; {} is reported",
        ips[0]
    ));
    addressed.delete_soon()?;
    readme.delete()?;
    addressed.gone()?;
    let left = leases(node, "dpdk")?;
    ensure!(left.is_empty(), "still leased: {left:?}");
    node.is_again(&before)
}

fn serves_dpdk(node: &Node, pod: &Pod) -> Result<()> {
    let vf: Vf = pod.claim()?.vf(node)?;
    let vlan = vf.vlan()?;
    ensure!(vlan == (1000, 0), "{}: VLAN and QoS {vlan:?}", vf.pci);
    ensure!(
        vf.driver()? == "vfio-pci",
        "{} has {}",
        vf.pci,
        vf.driver()?
    );
    pod.exec("exec 3<>/dev/vfio/vfio 4<>/dev/vfio/[0-9]*")?;
    ensure!(
        pod.link(node, "net1").is_err(),
        "pod {} has an interface net1",
        pod.name
    );
    Ok(())
}
