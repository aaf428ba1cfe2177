//! **The administrator** has a class with an IPAM plugin of the nodes, and another that takes a
//! network's settings; there is no Multus. **The user** claims a device of each.
//!
//! **Must hold**: the pods have the plugin's addresses and routes and the network's VLAN; the claim
//! says which; an address stays when the pod's sandbox is made anew; afterwards none is leased, and
//! the VFs are as before.

use anyhow::{Context, Result, ensure};

use super::super::{ANY, Run, Scenario, VF_POD};
use crate::{
    command,
    eventually::{SLOW, SOON, eventually},
    kube,
    lab::Lab,
    log::Log,
    multus,
    network::leases,
    node::Node,
    pod::Pod,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'L',
    title: "addresses by an IPAM plugin, and a network's settings, without Multus",
    run: Run::Lab(run),
};

const OBJECTS: &str = include_str!("../../../manifests/leased.yaml");

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    multus::define_networks()?;
    lab.release.with_ipam("/usr/lib/cni")?;
    kube::apply("default", OBJECTS)?.ok("leased.yaml")?;
    let result = lab.on_nodes(nodes, log, "l", both);
    if lab.keep {
        return result;
    }
    for objects in [OBJECTS, multus::DEFINITIONS] {
        let delete = ["delete", "--ignore-not-found", "-f", "-"];
        command::run("kubectl", &delete, objects)?;
    }
    result
}

fn both(node: &Node, space: &Space) -> Result<()> {
    let before = node.dump()?;
    let own = start(node, space, "own", "e2e-leased")?;
    let network = start(node, space, "network", "e2e-of-network")?;
    own.ready()?;
    network.ready()?;
    has(node, &own, "10.56.240.", 309)?;
    has(node, &network, "10.56.241.", 310)?;
    let routes = own.with_its_network(node, "ip route show 10.60.0.0/16")?;
    ensure!(
        routes.contains("via 10.56.240.1 dev net1"),
        "routes: {routes:?}"
    );
    space.step("both pods have addresses, and the network's VLAN");
    stays(node, &own)?;
    space.step("the address is the same in another sandbox");
    own.delete_soon()?;
    network.delete()?;
    own.gone()?;
    eventually("no address is leased", SOON, || {
        for network in ["e2e-leased", "e2e-network"] {
            let left = leases(node, network)?;
            ensure!(left.is_empty(), "{network}: {left:?}");
        }
        let kept = node.exec("ls /var/lib/cni/sriov-dra/leases", &[])?;
        ensure!(kept.trim().is_empty(), "the driver has {kept}");
        Ok(())
    })?;
    node.is_again(&before)
}

fn start(node: &Node, space: &Space, name: &str, class: &str) -> Result<Pod> {
    let values = [("class", class), ("selector", ANY), ("config", "")];
    space.run(node, name, VF_POD, &values)
}

/// An address of this range, which the claim reports, on this VLAN.
fn has(node: &Node, pod: &Pod, range: &str, vlan: u64) -> Result<()> {
    let (claim, address) = (pod.claim()?, pod.addresses(node, "net1")?);
    ensure!(
        matches!(&*address, [one] if one.starts_with(range)),
        "net1 of {} has {address:?}",
        pod.name
    );
    let seen = claim.vf(node)?.vlan()?.0;
    ensure!(seen == vlan, "VLAN {seen} instead of {vlan}");
    eventually("the claim reports the address", SOON, || {
        let status = claim.status()?;
        let ips = kube::items(&status, "/networkData/ips");
        ensure!(ips == [&*address[0]], "it has {ips:?}");
        Ok(())
    })
}

/// Without its sandbox's process the kubelet makes the pod a sandbox anew.
fn stays(node: &Node, pod: &Pod) -> Result<()> {
    let (before, container) = (pod.addresses(node, "net1")?, pod.container()?);
    let script = r#"
        for p in /proc/[0-9]*; do
          if grep -qs "$1" "$p/cgroup" && ! grep -q "$2" "$p/cgroup"; then kill -KILL "${p#/proc/}"; exit; fi
        done
        exit 1
    "#;
    let uid = pod.uid()?.replace('-', "_");
    let id = container.rsplit('/').next().unwrap_or_default();
    node.exec(script, &[&uid, id])
        .context("no process of a sandbox")?;
    eventually("the pod runs in another sandbox", SLOW, || {
        ensure!(
            pod.is_ready()? && pod.container()? != container,
            "it does not"
        );
        let now = pod.addresses(node, "net1")?;
        ensure!(now == before, "net1 has {now:?}, had {before:?}");
        Ok(())
    })
}
