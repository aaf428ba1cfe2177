//! **The users** start a pod for every VF of a port at once, and then one more.
//!
//! **Must hold**: all run, each with a VF of its own; the one more stays Pending and its event says why; as soon as one
//! of the others is deleted, it runs.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};

use super::{Scenario, VF_POD};
use crate::{lab::Lab, story::Story};

pub(super) const SCENARIO: Scenario =
    Scenario { letter: 'f', title: "all VFs of a port taken at once; the next pod waits for one", tell };

fn tell(lab: &Lab, story: &Story) -> Result<()> {
    lab.on_each_node(story, "f", |node, space| {
        let port = node.pfs()?.swap_remove(1);
        let before = node.dump()?;
        let selector = format!(r#"device.attributes["sriov-dra.io"].pfName == "{}""#, port.name);
        let values = [("class", "e2e-blue"), ("selector", selector.as_str()), ("config", "")];
        let pods = port.vfs.iter().map(|vf| space.run(node, &format!("pod{}", vf.index), VF_POD, &values));
        let pods = pods.collect::<Result<Vec<_>>>()?;
        space.step(format!("{} pods at once", pods.len()));
        let mut taken = BTreeSet::new();
        for pod in &pods {
            pod.ready()?;
            taken.extend(pod.claim()?.devices()?);
        }
        ensure!(taken.len() == port.vfs.len(), "{} pods share {taken:?}", pods.len());

        let waiting = space.run(node, "waiting", VF_POD, &values)?;
        let reason = waiting.event(&["FailedScheduling", "cannot allocate all claims"])?;
        space.step(format!("all run; the next waits: {reason}"));
        ensure!(!waiting.is_ready()?, "the pod runs without a VF");
        pods[0].delete()?;
        waiting.ready()?;
        space.step("one goes, and it runs");
        pods.iter().try_for_each(|pod| pod.delete_soon())?;
        waiting.delete()?;
        pods.iter().try_for_each(|pod| pod.gone())?;
        node.is_again(&before)
    })
}
