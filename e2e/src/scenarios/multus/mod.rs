//! Scenarios with Multus in both guests. Their letters are upper case, and those of their files.

pub(super) mod a_settings;
pub(super) mod b_ipam;
pub(super) mod c_chains;
pub(super) mod d_dpdk;
pub(super) mod e_which_device;
pub(super) mod f_many;
pub(super) mod g_multus_away;
pub(super) mod h_without_nri;

use anyhow::{Result, ensure};

use crate::{
    device::Vf,
    kube::{items, text},
    multus::POD,
    node::Node,
    pod::Pod,
    space::Space,
};

/// A pod with networks that need no device.
pub(super) const PLAIN_POD: &str = include_str!("../../../manifests/multus/plain-pod.yaml");

/// A pod with these networks and so many of a pool's devices.
pub(super) fn start(
    space: &Space,
    node: &Node,
    name: &str,
    networks: &str,
    (resource, count): (&str, u8),
) -> Result<Pod> {
    let values = [
        ("networks", networks),
        ("resource", resource),
        ("count", &*count.to_string()),
        ("hostNetwork", "false"),
    ];
    space.run(node, name, POD, &values)
}

/// The interface is this VF, and Multus' network-status says what the pod has.
pub(super) fn is_attached(node: &Node, pod: &Pod, interface: &str, vf: &Vf) -> Result<()> {
    let script = format!("basename \"$(readlink /sys/class/net/{interface}/device)\"");
    let device = pod.exec(&script)?;
    ensure!(
        device.trim() == vf.pci,
        "{interface} of pod {} is {}, the claim has {}",
        pod.name,
        device.trim(),
        vf.pci
    );
    let (link, status) = (pod.link(node, interface)?, pod.network_status(interface)?);
    ensure!(
        text(&status, "/mac") == text(&link, "/address"),
        "network-status has MAC {}, {interface} has {}",
        text(&status, "/mac"),
        text(&link, "/address")
    );
    let addresses = pod.addresses(node, interface)?;
    let listed: Vec<&str> = items(&status, "/ips")
        .iter()
        .filter_map(|ip| ip.as_str())
        .collect();
    let has = |ip: &&str| {
        addresses
            .iter()
            .any(|own| own.split('/').next() == Some(*ip))
    };
    ensure!(
        listed.len() == addresses.len() && listed.iter().all(has),
        "network-status has {listed:?}, {interface} has {addresses:?}"
    );
    Ok(())
}
