//! **The user** has networks with fixed addresses and with whereabouts', whose leases are objects in
//! the cluster.
//!
//! **Must hold**: pods of both nodes have different addresses of one range; whereabouts' control
//! loop, which frees what no network-status names, keeps them, and frees the address of a pod that
//! never was; with the pods gone no address is leased. Fixed addresses of both families and their
//! route are there.

use anyhow::{Context, Result, ensure};

use super::{
    super::{Run, Scenario},
    is_attached, start,
};
use crate::{
    eventually::{SLOW, SOON, eventually},
    kube,
    lab::Lab,
    log::Log,
    multus::{self, NETDEVICE},
    network::whereabouts,
    node::Node,
    pod::Pod,
    programs::{WHEREABOUTS, plugin},
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'B',
    title: "Multus: static addresses and whereabouts, with its control loop",
    run: Run::Lab(run),
};

/// As whereabouts calls the pool of the network's range.
const POOL: &str = "10.56.220.0-28";

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    multus::with(lab, log, &[plugin("static"), WHEREABOUTS], || {
        let before: Vec<_> = nodes.iter().map(Node::dump).collect::<Result<_>>()?;
        lab.space(log, "e2e-mb", |space| leased(nodes, space))?;
        lab.on_nodes(nodes, log, "mb", fixed)?;
        nodes
            .iter()
            .zip(&before)
            .try_for_each(|(node, before)| node.is_again(before))
    })
}

fn leased(nodes: &[Node], space: &Space) -> Result<()> {
    space.apply(multus::NETWORKS, &[])?;
    let on = |node: &Node| {
        let pod = start(space, node, &node.name, "whereabouts", (NETDEVICE, 1))?;
        Ok((node.clone(), pod))
    };
    let pods: Vec<(Node, Pod)> = nodes.iter().map(on).collect::<Result<_>>()?;
    let mut addresses = Vec::new();
    for (node, pod) in &pods {
        pod.ready()?;
        is_attached(node, pod, "net1", &pod.claim()?.vf(node)?)?;
        addresses.push(pod.address(node, "net1")?);
    }
    addresses.sort();
    addresses.dedup();
    ensure!(addresses.len() == nodes.len(), "{addresses:?}");
    space.step(format!("a pod on each node: {}", addresses.join(", ")));
    let result = control_loop(&nodes[0], space, &pods);
    result.and(multus::stop_control_loop())?;
    pods.iter().try_for_each(|(_, pod)| pod.delete_soon())?;
    pods.iter().try_for_each(|(_, pod)| pod.gone())?;
    let left = whereabouts(POOL)?;
    ensure!(left.is_empty(), "whereabouts still leases to {left:?}");
    Ok(())
}

fn control_loop(node: &Node, space: &Space, pods: &[(Node, Pod)]) -> Result<()> {
    let orphan = format!("{}/nobody", space.name);
    let lease = format!(
        r#"{{"spec":{{"allocations":{{"9":{{"id":"gone","ifname":"net1","podref":"{orphan}"}}}}}}}}"#
    );
    let patch = [
        "patch",
        "-n",
        "kube-system",
        "ippool",
        POOL,
        "--type=merge",
        "-p",
        &lease,
    ];
    kube::kubectl(&patch)?;
    multus::start_control_loop(node)?;
    eventually("the orphan's address is free", SLOW, || {
        let leases = whereabouts(POOL)?;
        ensure!(!leases.contains(&orphan), "{leases:?}");
        Ok(())
    })?;
    let leases = whereabouts(POOL)?;
    for (_, pod) in pods {
        let reference = format!("{}/{}", pod.namespace, pod.name);
        ensure!(
            leases.contains(&reference),
            "the control loop freed the address of {reference}, which runs: {leases:?}"
        );
    }
    space.step("the control loop freed the orphan's address and no other");
    Ok(())
}

fn fixed(node: &Node, space: &Space) -> Result<()> {
    space.apply(multus::NETWORKS, &[])?;
    let pod = start(space, node, "fixed", "fixed", (NETDEVICE, 1))?;
    pod.ready()?;
    let addresses = pod.addresses(node, "net1")?;
    ensure!(
        addresses == ["10.56.219.9/24", "fd00:56:219::9/64"],
        "{addresses:?}"
    );
    let routes = pod.with_its_network(node, "ip route show dev net1")?;
    ensure!(
        routes.contains("10.57.0.0/16 via 10.56.219.1"),
        "routes of net1: {routes}"
    );
    // An address that is still tentative cannot be used.
    eventually("the IPv6 address is usable", SOON, || {
        let tentative = pod.with_its_network(node, "ip -6 address show dev net1 tentative")?;
        ensure!(tentative.trim().is_empty(), "{tentative}");
        Ok(())
    })?;
    pod.delete().context("fixed")
}
