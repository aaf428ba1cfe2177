//! **The administrator** comes from the SR-IOV device plugin and installs its config.json as it is:
//! the example of its README, with the ids of this card, two VFs bound to vfio-pci and served with
//! vhost-net and a token. **The users** apply the pods that they had.
//!
//! **Must hold**: each device is in the pool in which the device plugin put it, there is a
//! DeviceClass for each pool, and a pod of each pool that has devices runs and finds the
//! environment and the device nodes that the device plugin would give it. A bad config.json is
//! reported in an event of the node and changes nothing. Without pools the classes go.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Run, Scenario};
use crate::{
    device::Vf,
    eventually::{SLOW, eventually},
    kube::{self, text},
    lab::Lab,
    log::Log,
    node::Node,
    pod::Pod,
    slices,
    space::{Space, event_text},
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'p',
    title: "the device plugin's config.json: pools, classes, unchanged pods",
    run: Run::Lab(run),
};

const CONFIG: &str = include_str!("../../manifests/pools.json");
const POD: &str = include_str!("../../manifests/pool-pod.yaml");
const NETDEVICE: &str = "intel.com/intel_sriov_netdevice";
const DPDK: &str = "intel.com/intel_sriov_dpdk";
const TOKEN: &str = r#""token":"3e49019f-412f-4f02-824e-4cd195944205""#;

fn run(lab: &Lab, pods_on: &[Node], log: &Log) -> Result<()> {
    let for_dpdk: Vec<Vf> = lab
        .nodes
        .iter()
        .map(|node| Ok([node.vf(1, 5)?, node.vf(1, 6)?]))
        .collect::<Result<Vec<_>>>()?
        .concat();
    for_dpdk.iter().try_for_each(|vf| bind(vf, "vfio-pci"))?;
    let result = pools(lab, pods_on, log);
    let back = for_dpdk.iter().try_for_each(|vf| bind(vf, ""));
    result.and(back)
}

fn pools(lab: &Lab, pods_on: &[Node], log: &Log) -> Result<()> {
    log.step("helm upgrade with the config.json");
    lab.release.with_pools(CONFIG)?;
    let made = eventually("a class for each pool", SLOW, || {
        let classes = classes()?;
        ensure!(classes.len() == 8, "{classes:?}");
        Ok(classes)
    })?;
    log.step(format!("classes for {}", made.join(", ")));
    lab.nodes.iter().try_for_each(is_divided)?;
    log.step("12 VFs are in intel_sriov_netdevice, 2 in intel_sriov_dpdk, the ports in none");
    lab.on_nodes(pods_on, log, "p", pods_run)?;

    log.step("helm upgrade with a pool named `a b`");
    lab.release
        .with_pools(&CONFIG.replace("intel_fpga", "a b"))?;
    for node in &lab.nodes {
        let event = bad_configuration(node)?;
        ensure!(
            event.contains("resourceList[5].resourceName") && event.contains("\"a b\""),
            "{event}"
        );
        log.step(format!("{}: {event}", node.name));
        is_divided(node)?;
    }
    log.step("helm upgrade without pools");
    lab.release.with_pools(r#"{"resourceList": []}"#)?;
    eventually("the classes are gone", SLOW, || {
        let classes = classes()?;
        ensure!(classes.is_empty(), "{classes:?}");
        Ok(())
    })
}

/// Binds it to this driver; to its own one by `""`.
pub(super) fn bind(vf: &Vf, driver: &str) -> Result<()> {
    let script = r#"
        cd "/sys/bus/pci/devices/$1"
        echo "$2" >driver_override
        [ ! -e driver ] || echo "$1" >driver/unbind
        echo "$1" >/sys/bus/pci/drivers_probe
        udevadm settle --timeout=300
        [ -e driver ]
    "#;
    vf.node.exec(script, &[&vf.pci, driver]).map(drop)
}

/// Extended resources of the classes that the controller has created, by name.
fn classes() -> Result<Vec<String>> {
    let all = kube::list("/apis/resource.k8s.io/v1/deviceclasses")?;
    let of_pools = |class: &Value| {
        let resource = text(class, "/spec/extendedResourceName").to_owned();
        (!resource.is_empty() && resource != "intel.com/sriov").then_some(resource)
    };
    let mut names: Vec<_> = all.iter().filter_map(of_pools).collect();
    names.sort();
    Ok(names)
}

/// Waits until each device is in its pool.
fn is_divided(node: &Node) -> Result<()> {
    eventually(
        &format!("the devices of {} are in their pools", node.name),
        SLOW,
        || {
            let devices = slices::devices(node)?;
            let of = |pool: &str| {
                devices
                    .values()
                    .filter(|device| device.attributes["pool"] == pool)
                    .count()
            };
            let counts = (of(NETDEVICE), of(DPDK), of(""));
            ensure!(counts == (12, 2, 2), "{counts:?} instead of 12, 2 and 2");
            Ok(())
        },
    )
}

fn pods_run(node: &Node, space: &Space) -> Result<()> {
    let before = node.dump()?;
    let kernel = space.run(node, "kernel", POD, &[("resource", NETDEVICE)])?;
    let user = space.run(node, "user", POD, &[("resource", DPDK)])?;
    kernel.ready()?;
    user.ready()?;
    kernel.exec("ip link show net1")?;
    user.exec("exec 3<>/dev/vfio/vfio 4<>/dev/vfio/[0-9]*")?;
    let vf = user.claim()?.vf(node)?;
    finds_its_device(&kernel, NETDEVICE, &kernel.claim()?.vf(node)?)?;
    finds_its_device(&user, DPDK, &vf)?;
    user.exec("exec 3<>/dev/vhost-net 4<>/dev/net/tun")?;
    ensure!(
        environment(&user, DPDK, "_INFO")?.contains(TOKEN),
        "no additionalInfo: {}",
        environment(&user, DPDK, "_INFO")?
    );
    space.step(format!(
        "a pod of each pool runs; {} is with the second",
        vf.pci
    ));
    kernel.delete_soon()?;
    user.delete()?;
    kernel.gone()?;
    node.is_again(&before)
}

/// The device plugin's environment names the VF that it has.
fn finds_its_device(pod: &Pod, resource: &str, vf: &Vf) -> Result<()> {
    let (address, info) = (
        environment(pod, resource, "")?,
        environment(pod, resource, "_INFO")?,
    );
    ensure!(
        address == vf.pci,
        "{resource} is {address}, the claim has {}",
        vf.pci
    );
    let info: Value = serde_json::from_str(&info).with_context(|| info.clone())?;
    let id = info.pointer(&format!("/{}/generic/deviceID", vf.pci));
    ensure!(id == Some(&vf.pci.clone().into()), "{info}");
    Ok(())
}

/// `PCIDEVICE_<RESOURCE><suffix>` in the pod's container.
fn environment(pod: &Pod, resource: &str, suffix: &str) -> Result<String> {
    let name = resource.replace(['.', '/'], "_").to_uppercase();
    pod.exec(&format!("printf %s \"$PCIDEVICE_{name}{suffix}\""))
}

fn bad_configuration(node: &Node) -> Result<String> {
    let (all, name) = (kube::path("events", "default", ""), &node.name);
    let own = format!(
        "fieldSelector=involvedObject.kind=Node,involvedObject.name={name},reason=BadConfiguration"
    );
    eventually(
        &format!("an event of {name} reports the bad configuration"),
        SLOW,
        || {
            let events = kube::list(&format!("{all}?{own}"))?;
            ensure!(!events.is_empty(), "there is none");
            Ok(events.iter().map(event_text).collect::<Vec<_>>().join("; "))
        },
    )
}
