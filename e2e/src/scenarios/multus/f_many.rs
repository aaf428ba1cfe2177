//! **The user** has a Deployment of 7 replicas, as many as the pool has VFs on the node, and a pod on
//! the host's network with the same annotation and resource.
//!
//! **Must hold**: all start at once, each with a VF and an address of its own; the pod on the host's
//! network runs, and its VF stays in the host with what it had; afterwards all is as before.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::{
    super::{Run, Scenario},
    is_attached,
};
use crate::{
    eventually::{SLOW, eventually},
    kube::{self, text},
    lab::Lab,
    log::Log,
    multus::{self, NETDEVICE, POD},
    network::leases,
    node::Node,
    pod::Pod,
    programs::plugin,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'F',
    title: "Multus: 7 replicas at once; a pod on the host's network",
    run: Run::Lab(run),
};

const DEPLOYMENT: &str = include_str!("../../../manifests/multus/deployment.yaml");
const REPLICAS: usize = 7;

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    multus::with(lab, log, &[plugin("host-local")], || {
        lab.on_nodes(nodes, log, "mf", |node, space| {
            space.apply(multus::NETWORKS, &[])?;
            let before = node.dump()?;
            on_the_hosts_network(node, space)?;
            node.is_again(&before)?;
            many(node, space)?;
            node.is_again(&before)
        })
    })
}

fn many(node: &Node, space: &Space) -> Result<()> {
    space.apply(DEPLOYMENT, &[("node", &node.name)])?;
    let pods = eventually("all replicas are there", SLOW, || {
        let pods = replicas(space)?;
        ensure!(pods.len() == REPLICAS, "{} pods", pods.len());
        Ok(pods)
    })?;
    let mut addresses = BTreeSet::new();
    for pod in &pods {
        pod.ready()?;
        is_attached(node, pod, "net1", &pod.claim()?.vf(node)?)?;
        addresses.insert(pod.address(node, "net1")?);
    }
    ensure!(addresses.len() == REPLICAS, "addresses {addresses:?}");
    space.step(format!("{REPLICAS} replicas have a VF and an address each"));
    kube::kubectl(&["delete", "deployment", "many", "-n", &space.name])?;
    pods.iter().try_for_each(Pod::gone)?;
    let left = leases(node, "settings")?;
    ensure!(left.is_empty(), "still leased: {left:?}");
    Ok(())
}

fn replicas(space: &Space) -> Result<Vec<Pod>> {
    let all = kube::path("pods", &space.name, "");
    let pods = kube::list(&format!("{all}?labelSelector=app=many"))?;
    Ok(pods
        .iter()
        .map(|pod| space.pod(text(pod, "/metadata/name")))
        .collect())
}

fn on_the_hosts_network(node: &Node, space: &Space) -> Result<()> {
    let before = node.dump()?;
    let values = [
        ("networks", "settings"),
        ("resource", NETDEVICE),
        ("count", "1"),
        ("hostNetwork", "true"),
    ];
    let pod = space.run(node, "host", POD, &values)?;
    pod.ready()?;
    node.is(&before)?;
    space.step("a pod on the host's network runs, and no VF has changed");
    pod.delete()
}
