//! **The administrator** comes from the Go DRA driver and applies its SriovResourcePolicy and
//! DeviceAttributes as they are. **The users** request the policy's pool as an extended resource,
//! and for its attribute by a class.
//!
//! **Must hold**: exactly the policy's VFs have its pool and attribute, on both nodes; both pods
//! run on such a VF; the policy's status says what it selects where. A broken policy is reported in
//! its event and status and changes nothing. Without the policy pool, attribute and class go.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{ANY, Run, Scenario, VF_POD};
use crate::{
    device::slice_name,
    eventually::{SLOW, eventually},
    kube::{self, items, text},
    lab::Lab,
    log::Log,
    manifest::fill,
    node::Node,
    release::NAMESPACE,
    slices,
    space::{Space, event_text},
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 't',
    title: "the Go DRA driver's policies: pools, attributes, status",
    run: Run::Lab(run),
};

const OBJECTS: &str = include_str!("../../manifests/policies.yaml");
const POD: &str = include_str!("../../manifests/pool-pod.yaml");
const POOL: &str = "intel.com/blue";
const CLASS: &str = "/apis/resource.k8s.io/v1/deviceclasses/blue.intel.com";
const GROUP: &str = "/apis/sriovnetwork.k8snetworkplumbingwg.io/v1alpha1/namespaces";

fn run(lab: &Lab, pods_on: &[Node], log: &Log) -> Result<()> {
    lab.release.with_pools(r#"{"resourceList": []}"#)?;
    let result = policies(lab, pods_on, log);
    let gone = delete_all();
    result.and(gone)
}

fn policies(lab: &Lab, pods_on: &[Node], log: &Log) -> Result<()> {
    log.step("kubectl apply of a policy: VFs 0 to 2 of the first port");
    apply("ens1#0-2")?;
    for node in &lab.nodes {
        takes(node, &[0, 1, 2])?;
    }
    eventually("the pool has its class", SLOW, || {
        kube::get(CLASS).map(drop)
    })?;
    log.step(status(|status| {
        let (nodes, devices) = (status.get("matchedNodes"), status.get("matchedDevices"));
        ensure!(
            nodes == Some(&2.into()) && devices == Some(&6.into()),
            "{status}"
        );
        Ok(())
    })?);
    lab.on_nodes(pods_on, log, "t", pods_run)?;

    log.step("the policy's range is broken");
    apply("ens1#x")?;
    log.step(bad_policy()?);
    log.step(status(|status| {
        let condition = &items(status, "/conditions")[0];
        ensure!(
            text(condition, "/status") == "False" && text(condition, "/message").contains("ens1#x"),
            "{status}"
        );
        Ok(())
    })?);
    for node in &lab.nodes {
        takes(node, &[0, 1, 2])?;
    }
    log.step("the policy goes");
    delete_all()?;
    for node in &lab.nodes {
        takes(node, &[])?;
    }
    eventually("the class is gone", SLOW, || {
        ensure!(kube::find(CLASS)?.is_none(), "it is there");
        Ok(())
    })
}

fn apply(range: &str) -> Result<()> {
    kube::apply(NAMESPACE, &fill(OBJECTS, &[("range", range)])?)?
        .ok("kubectl apply")
        .map(drop)
}

fn delete_all() -> Result<()> {
    for kind in ["sriovresourcepolicies", "deviceattributes"] {
        kube::delete(&format!("{GROUP}/{NAMESPACE}/{kind}/e2e-blue"))?;
    }
    kube::delete("/apis/resource.k8s.io/v1/deviceclasses/e2e-rack")
}

/// Waits until exactly these VFs of the first port have the policy's pool and attribute.
fn takes(node: &Node, indexes: &[usize]) -> Result<()> {
    let port = node.pfs()?.swap_remove(0);
    let mut wanted: Vec<_> = indexes
        .iter()
        .map(|index| slice_name(&port.vfs[*index].pci))
        .collect();
    wanted.sort();
    eventually(
        &format!("{} VFs of {} are the policy's", wanted.len(), node.name),
        SLOW,
        || {
            let devices = slices::devices(node)?;
            let having = |name: &str, value: &str| -> Vec<String> {
                let has = devices
                    .iter()
                    .filter(|(_, device)| device.attributes.get(name) == Some(&value.into()));
                has.map(|(name, _)| name.clone()).collect()
            };
            let (pool, rack) = (having("pool", POOL), having("example.com/rack", "a7"));
            ensure!(
                pool == wanted && rack == wanted,
                "pool: {pool:?}, rack: {rack:?}"
            );
            Ok(())
        },
    )
}

fn pods_run(node: &Node, space: &Space) -> Result<()> {
    let before = node.dump()?;
    let by_pool = space.run(node, "by-pool", POD, &[("resource", POOL)])?;
    let values = [("class", "e2e-rack"), ("selector", ANY), ("config", "")];
    let by_class = space.run(node, "by-class", VF_POD, &values)?;
    for pod in [&by_pool, &by_class] {
        pod.ready()?;
        let vf = pod.claim()?.vf(node)?;
        ensure!(
            vf.pf == "ens1" && vf.index < 3,
            "{} has VF {} of {}",
            pod.name,
            vf.index,
            vf.pf
        );
    }
    let address = by_pool.exec("printf %s \"$PCIDEVICE_INTEL_COM_BLUE\"")?;
    ensure!(
        address == by_pool.claim()?.vf(node)?.pci,
        "PCIDEVICE_INTEL_COM_BLUE is {address:?}"
    );
    space.step("a pod by the pool and one by the attribute run");
    by_pool.delete_soon()?;
    by_class.delete()?;
    by_pool.gone()?;
    node.is_again(&before)
}

/// Waits until the policy's status is as wanted.
fn status(wanted: impl Fn(&Value) -> Result<()>) -> Result<String> {
    eventually("the policy's status", SLOW, || {
        let policy = kube::get(&format!(
            "{GROUP}/{NAMESPACE}/sriovresourcepolicies/e2e-blue"
        ))?;
        let status = policy.get("status").context("it has none")?;
        wanted(status)?;
        Ok(format!("its status: {status}"))
    })
}

fn bad_policy() -> Result<String> {
    let all = kube::path("events", NAMESPACE, "");
    let own = "fieldSelector=involvedObject.kind=SriovResourcePolicy,involvedObject.name=e2e-blue";
    eventually("an event reports the bad policy", SLOW, || {
        let events: Vec<String> = kube::list(&format!("{all}?{own}"))?
            .iter()
            .map(event_text)
            .collect();
        let found = events
            .into_iter()
            .find(|event| event.contains("BadConfiguration") && event.contains("ens1#x"));
        found.context("there is none")
    })
}
