//! **The users** take every VF of a port at once, five by one claim and the others one by one, and
//! then one more.
//!
//! **Must hold**: all run, each with VFs of its own; the one more stays Pending and its event says
//! why; as soon as one of the others is deleted, it runs.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::{Run, Scenario, VF_POD};
use crate::{lab::Lab, node::Node, space::Space};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'f',
    title: "all VFs of a port taken at once; the next pod waits for one",
    run: Run::Node(run),
};

const MANY_VFS: &str = include_str!("../../manifests/many-vfs.yaml");
/// All of a port but two.
const MANY: &str = "5";

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let port = node.pfs()?.swap_remove(1);
    let before = node.dump()?;
    let selector = format!(
        r#"device.attributes["sriov-dra.io"].pfName == "{}""#,
        port.name
    );
    let values = [
        ("class", "e2e-blue"),
        ("selector", selector.as_str()),
        ("config", ""),
    ];
    let many = [
        ("class", "e2e-blue"),
        ("selector", selector.as_str()),
        ("count", MANY),
    ];
    let mut pods = vec![space.run(node, "many", MANY_VFS, &many)?];
    for name in ["one", "two"] {
        pods.push(space.run(node, name, VF_POD, &values)?);
    }
    let mut taken = BTreeSet::new();
    for pod in &pods {
        pod.ready()?;
        taken.extend(pod.claim()?.devices()?);
    }
    ensure!(
        taken.len() == port.vfs.len(),
        "{} pods share {taken:?}",
        pods.len()
    );
    for name in ["net1", "net2", "net3", "net4", "net5"] {
        pods[0].link(node, name)?;
    }

    let waiting = space.run(node, "waiting", VF_POD, &values)?;
    let reason = waiting.event(&["FailedScheduling", "cannot allocate all claims"])?;
    space.step(format!("all run; the next waits: {reason}"));
    ensure!(!waiting.is_ready()?, "the pod runs without a VF");
    pods[1].delete()?;
    waiting.ready()?;
    space.step("one goes, and it runs");
    pods.iter().try_for_each(|pod| pod.delete_soon())?;
    waiting.delete()?;
    pods.iter().try_for_each(|pod| pod.gone())?;
    node.is_again(&before)
}
