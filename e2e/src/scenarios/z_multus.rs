//! **The user** has Multus, a network of type `sriov` and a pod that asks for it by annotation and
//! `limits: {intel.com/intel_sriov_netdevice: "1"}`: network and pod of the stack's overview, not
//! edited. **The administrator** has installed the driver with its CNI plugin and the device
//! plugin's pools.
//!
//! **Must hold**: Multus works without the driver; with it `net1` is a VF with an address of the
//! network's range and its default route, `eth0` is there, and network-status names address and
//! MAC; afterwards the address is free and the VF as before. Uninstalled, the plugin and its files
//! are gone from the nodes.

use anyhow::{Result, ensure};

use super::{
    Run, Scenario,
    multus::{is_attached, start},
};
use crate::{
    kube::{items, text},
    lab::Lab,
    log::Log,
    multus::{self, NETDEVICE},
    network::leases,
    node::Node,
    pod::Pod,
    programs::plugin,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'z',
    title: "Multus: an unchanged network and pod, by annotation and extended resource",
    run: Run::Lab(run),
};

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    let programs = [plugin("bridge"), plugin("host-local")];
    multus::alone(lab, log, &programs, || {
        lab.on_nodes(nodes, log, "z-plain", plain)?;
        multus::install(lab, log)?;
        lab.on_nodes(nodes, log, "z", unchanged)
    })
}

/// Without the driver's part: what fails here is no fault of it.
fn plain(node: &Node, space: &Space) -> Result<()> {
    space.apply(multus::NETWORKS, &[])?;
    let values = [("networks", "plain")];
    let pod = space.run(node, "plain", super::multus::PLAIN_POD, &values)?;
    pod.ready()?;
    let address = pod.address(node, "net1")?;
    ensure!(address.starts_with("10.56.227."), "net1 has {address}");
    has_default_network(node, &pod)?;
    space.step("Multus gives a pod eth0 and a network of its own");
    pod.delete()
}

fn unchanged(node: &Node, space: &Space) -> Result<()> {
    let before = node.dump()?;
    space.apply(multus::READMES, &[])?;
    let pod = start(space, node, "testpod-sriov", "sriov-net", (NETDEVICE, 1))?;
    pod.ready()?;
    let vf = pod.claim()?.vf(node)?;
    is_attached(node, &pod, "net1", &vf)?;
    has_default_network(node, &pod)?;
    let address = pod.address(node, "net1")?;
    let last: u8 = address.rsplit('.').next().unwrap_or_default().parse()?;
    ensure!(
        address.starts_with("10.56.217.") && (171..=181).contains(&last),
        "net1 has {address}, outside of the network's range"
    );
    let routes = pod.with_its_network(node, "ip route get 192.0.2.1")?;
    ensure!(
        routes.contains("dev net1") && routes.contains("via 10.56.217.1"),
        "the network's default route is not in effect: {routes}"
    );
    ensure!(
        leases(node, "sriov-net")?.contains(&address),
        "host-local does not know {address}"
    );
    space.step(format!("the pod has {} as net1 with {address}", vf.pci));
    pod.delete()?;
    let left = leases(node, "sriov-net")?;
    ensure!(left.is_empty(), "addresses are still leased: {left:?}");
    node.is_again(&before)
}

fn has_default_network(node: &Node, pod: &Pod) -> Result<()> {
    let address = pod.address(node, "eth0")?;
    let own = format!("10.88.{}.", node.number);
    ensure!(address.starts_with(&own), "eth0 has {address}");
    let status = pod.network_status("eth0")?;
    let listed = items(&status, "/ips").contains(&address.clone().into());
    ensure!(
        listed && text(&status, "/name") == "lab",
        "network-status of eth0, which has {address}: {status}"
    );
    Ok(())
}
