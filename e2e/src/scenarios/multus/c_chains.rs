//! **The user** chains other plugins to `sriov`: tuning, vrf, sbr; has a VLAN of another network on
//! top of net1; and, by mistake, bandwidth.
//!
//! **Must hold**: each plugin of the chain finds what it needs in the result before it, and the pod
//! has what the network asks for; bandwidth, which needs a veth, fails with a message that says by
//! which setting a VF's rate is limited; afterwards every VF is as before and no address is leased.

use anyhow::{Result, ensure};

use super::{
    super::{Run, Scenario},
    is_attached, start,
};
use crate::{
    eventually::{SLOW, eventually},
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
    letter: 'C',
    title: "Multus: tuning, vrf, sbr chained; a VLAN on net1; bandwidth is refused",
    run: Run::Lab(run),
};

const PLUGINS: [&str; 6] = ["host-local", "tuning", "vrf", "sbr", "vlan", "bandwidth"];

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    multus::with(lab, log, &PLUGINS.map(plugin), || {
        lab.on_nodes(nodes, log, "mc", chains)
    })
}

fn chains(node: &Node, space: &Space) -> Result<()> {
    space.apply(multus::READMES, &[])?;
    space.apply(multus::NETWORKS, &[])?;
    let before = node.dump()?;
    let of = |name, networks| start(space, node, name, networks, (NETDEVICE, 1));
    let sbr = of("sbr", "sbr")?;
    let vrf = of("vrf", "vrf")?;
    let operator = of("operator", "example-network")?;
    let on_top = of("on-top", "sriov-net1,on-top")?;
    let pods = [&sbr, &vrf, &operator, &on_top];
    for pod in pods {
        pod.ready()?;
        is_attached(node, pod, "net1", &pod.claim()?.vf(node)?)?;
    }
    routed_by_source(node, &sbr)?;
    in_a_vrf(node, &vrf, "blue")?;
    in_a_vrf(node, &operator, "red")?;
    let limit = operator.exec("cat /proc/sys/net/core/somaxconn")?;
    ensure!(limit.trim() == "500", "somaxconn is {limit}");
    has_a_vlan(node, &on_top)?;
    space.step("sbr, vrf, tuning and a VLAN on net1 are as the networks ask");
    let limited = of("limited", "bandwidth")?;
    let event = limited.event(&["max_tx_rate"])?;
    space.step(event);
    ensure!(!limited.has_started()?, "a pod with bandwidth has started");
    limited.delete_soon()?;
    pods.iter().try_for_each(|pod| pod.delete_soon())?;
    pods.iter().try_for_each(|pod| pod.gone())?;
    limited.gone()?;
    all_is_free(node)?;
    node.is_again(&before)
}

fn routed_by_source(node: &Node, pod: &Pod) -> Result<()> {
    let address = pod.address(node, "net1")?;
    let rules = pod.with_its_network(node, "ip rule show")?;
    ensure!(
        rules.contains(&format!("from {address}")),
        "no rule for {address}: {rules}"
    );
    let route = pod.with_its_network(node, &format!("ip route get 192.0.2.1 from {address}"))?;
    ensure!(route.contains("dev net1"), "from {address}: {route}");
    let filter = pod.exec("cat /proc/sys/net/ipv4/conf/net1/arp_filter")?;
    ensure!(filter.trim() == "1", "arp_filter of net1 is {filter}");
    Ok(())
}

fn in_a_vrf(node: &Node, pod: &Pod, name: &str) -> Result<()> {
    let link = pod.link(node, "net1")?;
    ensure!(
        link["master"] == name,
        "net1's master is {}",
        link["master"]
    );
    Ok(())
}

fn has_a_vlan(node: &Node, pod: &Pod) -> Result<()> {
    let link = pod.link(node, "net2")?;
    let id = link.pointer("/linkinfo/info_data/id");
    ensure!(
        link["link"] == "net1" && id == Some(&77.into()),
        "net2 is no VLAN 77 on net1: {link}"
    );
    pod.address(node, "net2").map(drop)
}

fn all_is_free(node: &Node) -> Result<()> {
    let networks = [
        "sbr",
        "vrf",
        "example-network",
        "sriov-network",
        "on-top",
        "bandwidth",
    ];
    // A pod that never started is cleaned up by the kubelet's own repetitions.
    eventually("no address is leased", SLOW, || {
        for network in networks {
            let left = leases(node, network)?;
            ensure!(left.is_empty(), "{network}: {left:?}");
        }
        Ok(())
    })
}
