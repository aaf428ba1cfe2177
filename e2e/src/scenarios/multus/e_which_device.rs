//! **The user** has two networks of one pool in a pod; networks of two pools; an annotation in JSON
//! with interface, addresses, MAC and default route; and one claim by name with two devices for two
//! networks, in two containers.
//!
//! **Must hold**: each interface is a device of its own, with the settings of its network; devices of
//! a pool go to its networks in the order of their addresses; all that the JSON asks for is so.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{
    super::{Run, Scenario},
    is_attached, start,
};
use crate::{
    device::Vf,
    kube::text,
    lab::Lab,
    log::Log,
    multus::{self, NETDEVICE},
    node::Node,
    pod::Pod,
    programs::plugin,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'E',
    title: "Multus: which device is which interface: two of a pool, JSON, one claim for two",
    run: Run::Lab(run),
};

const PAIR: &str = include_str!("../../../manifests/multus/pair.yaml");
const TWO_POOLS: &str = include_str!("../../../manifests/multus/two-pools.yaml");
const MAC: &str = "02:00:5e:00:53:0e";

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    let programs = [plugin("host-local"), plugin("static")];
    multus::with(lab, log, &programs, || {
        lab.on_nodes(nodes, log, "me", devices)
    })
}

fn devices(node: &Node, space: &Space) -> Result<()> {
    space.apply(multus::READMES, &[])?;
    space.apply(multus::NETWORKS, &[])?;
    let before = node.dump()?;
    let two = start(space, node, "two", "settings,sriov-net1", (NETDEVICE, 2))?;
    let json = start(space, node, "json", &selection(space), (NETDEVICE, 1))?;
    let pair = space.run(node, "pair", PAIR, &[])?;
    let pools = space.run(node, "pools", TWO_POOLS, &[])?;
    let pods = [&two, &json, &pair, &pools];
    pods.iter().try_for_each(|pod| pod.ready())?;
    has_in_order(node, &two, [300, 0])?;
    space.step("two networks of a pool have a VF each, in the order of their addresses");
    has_what_json_asks(node, &json)?;
    space.step("the annotation in JSON is followed");
    has_in_order(node, &pair, [310, 311])?;
    space.step("the two devices of a claim are one network each");
    has_of_either_pool(node, &pools)?;
    space.step("the networks of two pools have a VF of their own pool");
    pods.iter().try_for_each(|pod| pod.delete_soon())?;
    pods.iter().try_for_each(|pod| pod.gone())?;
    node.is_again(&before)
}

/// The devices of its claim, in the order of their addresses.
fn sorted(node: &Node, pod: &Pod) -> Result<Vec<Vf>> {
    let mut vfs = pod.claim()?.vfs(node)?;
    vfs.sort_by(|a, b| a.pci.cmp(&b.pci));
    ensure!(vfs.len() == 2, "{} devices instead of two", vfs.len());
    Ok(vfs)
}

/// net1 is of the second port, and net2 of the first.
fn has_of_either_pool(node: &Node, pod: &Pod) -> Result<()> {
    let vfs = sorted(node, pod)?;
    is_attached(node, pod, "net1", &vfs[1])?;
    is_attached(node, pod, "net2", &vfs[0])?;
    let vlans = [vfs[1].vlan()?.0, vfs[0].vlan()?.0];
    ensure!(vlans == [303, 300], "VLANs {vlans:?}");
    Ok(())
}

/// net1 and net2 are the claim's devices in the order of their addresses, on these VLANs.
fn has_in_order(node: &Node, pod: &Pod, vlans: [u64; 2]) -> Result<()> {
    let vfs = sorted(node, pod)?;
    for (number, (vf, vlan)) in vfs.iter().zip(vlans).enumerate() {
        is_attached(node, pod, &format!("net{}", number + 1), vf)?;
        let seen = vf.vlan()?.0;
        ensure!(seen == vlan, "{} has VLAN {seen} instead of {vlan}", vf.pci);
    }
    Ok(())
}

fn selection(space: &Space) -> String {
    let network = json!({
        "name": "static",
        "namespace": space.name,
        "interface": "data0",
        "ips": ["10.56.219.7/24"],
        "mac": MAC,
        "default-route": ["10.56.219.1"],
    });
    json!([network]).to_string()
}

fn has_what_json_asks(node: &Node, pod: &Pod) -> Result<()> {
    let vf = pod.claim()?.vf(node)?;
    is_attached(node, pod, "data0", &vf)?;
    let link = pod.link(node, "data0")?;
    ensure!(
        text(&link, "/address") == MAC,
        "MAC {}",
        text(&link, "/address")
    );
    ensure!(vf.mac()? == MAC, "the PF has MAC {}", vf.mac()?);
    let addresses = pod.addresses(node, "data0")?;
    ensure!(addresses == ["10.56.219.7/24"], "{addresses:?}");
    let route = pod.with_its_network(node, "ip route get 192.0.2.1")?;
    ensure!(
        route.contains("via 10.56.219.1 dev data0"),
        "to the world: {route}"
    );
    Ok(())
}
