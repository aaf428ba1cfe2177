//! **The administrator** has given a VF a MAC; pods without and with a MAC of their own come and
//! go. Two pods end at once. The namespace of another is held open from outside, with a VLAN on top
//! of its interface, and something that sends through it.
//!
//! **Must hold**: the administrator's MAC is there again each time; both VFs are as they were; the
//! kubelet is answered within two seconds, and the VF of the held namespace comes back by itself.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Run, Scenario, VF_POD};
use crate::{
    device::Vf,
    dump::Dump,
    eventually::{SOON, eventually},
    kube,
    lab::Lab,
    node::Node,
    pod::Pod,
    release,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'y',
    title: "a release converges: an administrator's MAC, two at once, a held namespace with a VLAN",
    run: Run::Node(run),
};

/// Milliseconds.
pub(super) const ANSWER: u64 = 2000;

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let vf = node.vf(1, 0)?;
    set_mac(&vf, "02:00:5e:00:53:a1")?;
    let result = the_mac_stays(node, space, &vf);
    result.and(set_mac(&vf, "00:00:00:00:00:00"))?;
    two_at_once(node, space)?;
    held_with_a_vlan(node, space)
}

/// At the PF, and read by the VF's driver.
fn set_mac(vf: &Vf, mac: &str) -> Result<()> {
    let script = r#"
        ip link set dev "$1" vf "$2" mac "$3"
        echo "$4" >"/sys/bus/pci/devices/$4/driver/unbind"
        echo "$4" >/sys/bus/pci/drivers/igbvf/bind
        udevadm settle --timeout=60
    "#;
    let index = vf.index.to_string();
    vf.node
        .exec(script, &[&vf.pf, &index, mac, &vf.pci])
        .map(drop)
}

fn the_mac_stays(node: &Node, space: &Space, vf: &Vf) -> Result<()> {
    let before = vf.dump()?;
    for (name, class) in [
        ("without", "e2e-blue"),
        ("with", "e2e-all-settings"),
        ("again", "e2e-blue"),
    ] {
        let pod = start(node, space, name, class, vf)?;
        pod.ready()?;
        pod.delete()?;
        is_as(vf, &before).with_context(|| format!("after pod {name}"))?;
    }
    space.step("the administrator's MAC is there after claims without one, with one, without one");
    Ok(())
}

fn two_at_once(node: &Node, space: &Space) -> Result<()> {
    let vfs = [node.vf(1, 1)?, node.vf(1, 2)?];
    let before = [vfs[0].dump()?, vfs[1].dump()?];
    let pods = [
        start(node, space, "one", "e2e-blue", &vfs[0])?,
        start(node, space, "two", "e2e-blue", &vfs[1])?,
    ];
    pods.iter().try_for_each(Pod::ready)?;
    pods.iter().try_for_each(Pod::delete_soon)?;
    pods.iter().try_for_each(Pod::gone)?;
    for (vf, before) in vfs.iter().zip(&before) {
        is_as(vf, before)?;
    }
    space.step("two VFs that were released at once are as they were");
    Ok(())
}

fn held_with_a_vlan(node: &Node, space: &Space) -> Result<()> {
    let vf = node.vf(1, 3)?;
    let before = vf.dump()?;
    let pod = start(node, space, "held", "e2e-blue", &vf)?;
    pod.ready()?;
    let uid = kube::text(&pod.claim()?.get()?, "/metadata/uid").to_owned();
    let pin = pin(node, &pod)?;
    let result = pod
        .delete()
        .and_then(|()| answered(node, &uid))
        .and_then(|ms| {
            space.step(format!("the kubelet was answered in {ms} ms"));
            ensure!(ms <= ANSWER, "the answer took {ms} ms");
            is_as(&vf, &before)
        });
    // Its process group: the shell, and what sends.
    result.and(node.exec("kill -KILL \"-$1\"", &[&pin]).map(drop))?;
    space.step("the VF came back while its namespace was held");
    Ok(())
}

/// Something outside that holds the pod's namespace, with a VLAN on its interface through which it
/// sends: its process group.
fn pin(node: &Node, pod: &Pod) -> Result<String> {
    let vlan = "
        ip link add link net1 name net1.100 type vlan id 100
        ip link set dev net1.100 up
        ip address add 198.51.100.1/24 dev net1.100
    ";
    pod.with_its_network(node, vlan)?;
    let script = r#"
        setsid nsenter -t "$1" -n sh -c '
          while :; do ping -c 1 -W 1 198.51.100.2 || sleep 1; done' >/dev/null 2>&1 &
        echo $!
    "#;
    Ok(node.exec(script, &[&pod.process(node)?])?.trim().to_owned())
}

/// How long the Unprepare of a claim took, as the agent's log has it.
pub(super) fn answered(node: &Node, uid: &str) -> Result<u64> {
    let pods = release::agent_pods(&node.name)?;
    let name = pods.first().map(|pod| kube::text(pod, "/metadata/name"));
    let name = name.context("no agent")?;
    let log = kube::kubectl(&["logs", "-n", release::NAMESPACE, name, "--tail=-1"])?;
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let of_claim = |line: &Value| {
        kube::text(line, "/uid") == uid && kube::text(line, "/message") == "unprepared"
    };
    let line: Option<Value> = lines.into_iter().find(of_claim);
    let ms = line.as_ref().and_then(|line| line.get("ms")?.as_u64());
    ms.with_context(|| format!("the agent's log has no unprepare of {uid}"))
}

pub(super) fn start(node: &Node, space: &Space, name: &str, class: &str, vf: &Vf) -> Result<Pod> {
    let values = [
        ("class", class),
        ("selector", &*vf.selector()),
        ("config", ""),
    ];
    space.run(node, name, VF_POD, &values)
}

pub(super) fn is_as(vf: &Vf, before: &Dump) -> Result<()> {
    eventually(&format!("vf {} is as before", vf.pci), SOON, || {
        before.equals(&vf.dump()?)
    })
}
