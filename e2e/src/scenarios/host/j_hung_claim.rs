//! **Another program** holds a VF's lock for good while the agent starts again: the claim that has
//! the VF cannot be recovered.
//!
//! **Must hold**: the agent serves other claims all the same, and the status of the claim says why;
//! the pod that has the VF runs on; when the lock is free, all is as before.

use anyhow::{Result, ensure};

use super::super::{Run, Scenario, VF_POD};
use crate::{
    device::Vf,
    eventually::{SLOW, eventually},
    lab::Lab,
    node::Node,
    pod::Pod,
    space::Space,
};

pub(in super::super) const SCENARIO: Scenario = Scenario {
    letter: 'J',
    title: "an agent that starts with one hung claim serves the others",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let (hung, other) = (node.vf(1, 0)?, node.vf(1, 1)?);
    let before = (hung.dump()?, other.dump()?);
    let pod = start(node, space, "hung", &hung)?;
    pod.ready()?;
    let holder = lock(node, &hung)?;
    let result = others_are_served(node, space, &other, &pod);
    result.and(node.exec("kill -KILL \"-$1\"", &[&holder]).map(drop))?;
    ensure!(
        pod.is_ready()? && pod.restarts()? == 0,
        "the pod of the hung claim was hurt"
    );
    pod.delete()?;
    hung.is_again(&before.0)?;
    other.is_again(&before.1)
}

/// Takes the VF's lock, which is that of the Go CNI plugin too; returns its process group.
fn lock(node: &Node, vf: &Vf) -> Result<String> {
    let script = r#"
        setsid flock "/var/lib/cni/sriov/pci/vf_lock/$1.lock" sleep 1000000 >/dev/null 2>&1 &
        holder=$!
        while flock -n "/var/lib/cni/sriov/pci/vf_lock/$1.lock" true; do sleep 0.1; done
        echo $holder
    "#;
    Ok(node.exec(script, &[&vf.pci])?.trim().to_owned())
}

fn others_are_served(node: &Node, space: &Space, vf: &Vf, hung: &Pod) -> Result<()> {
    let agents = node.agents()?;
    node.signal_agent("KILL")?;
    eventually("another agent runs", SLOW, || {
        let now = node.agents()?;
        ensure!(
            now.iter().any(|pid| !agents.contains(pid)),
            "agents {now:?}"
        );
        Ok(())
    })?;
    let pod = start(node, space, "other", vf)?;
    pod.ready()?;
    space.step("another pod has its VF while the claim hangs");
    let claim = hung.claim()?;
    eventually("the claim says why", SLOW, || {
        let status = claim.status()?;
        ensure!(
            status.to_string().contains("recovery has not ended"),
            "its status is {status}"
        );
        Ok(())
    })?;
    space.step("and the claim's status says that its recovery has not ended");
    pod.delete()
}

fn start(node: &Node, space: &Space, name: &str, vf: &Vf) -> Result<Pod> {
    let values = [
        ("class", "e2e-blue"),
        ("selector", &*vf.selector()),
        ("config", ""),
    ];
    space.run(node, name, VF_POD, &values)
}
