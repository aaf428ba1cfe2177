//! **The agent** is killed, and another time frozen by SIGSTOP, after it has answered the kubelet's
//! Prepare and before it has answered the runtime's hook: the moment at which a runtime goes on
//! without the pod's network.
//!
//! **Must hold**: no container that uses the claim starts without its interface, however long the
//! agent is away; when it is back the pod runs, by itself.

use std::thread;

use anyhow::{Result, anyhow, ensure};

use super::{ANY, Run, Scenario, VF_POD};
use crate::{
    eventually::{SLOW, eventually},
    lab::Lab,
    node::Node,
    pod::Pod,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'h',
    title: "agent killed or frozen between Prepare and the hook: no pod starts without its VF",
    run: Run::Node(run),
};

fn run(_: &Lab, node: &Node, space: &Space) -> Result<()> {
    let agents = node.agents()?;
    let pod = start_and_signal(node, space, "killed", "KILL")?;
    space.step("killed before the hook");
    node.agent_is_back(&agents)?;
    started_whole(&pod)?;
    space.step("the agent is back, the pod runs with its interface");

    let pod = start_and_signal(node, space, "frozen", "STOP")?;
    let refused = stays_refused(&pod);
    // Whatever the result, the agent goes on.
    node.signal_agent("CONT")?;
    space.step(format!(
        "frozen before the hook, and the runtime says: {}",
        refused?
    ));
    started_whole(&pod)?;
    space.step("the agent goes on, the pod runs with its interface");
    pod.delete()
}

/// Creates the pod and, in the moment when the runtime has created its network namespace, sends the
/// agent a signal.
fn start_and_signal(node: &Node, space: &Space, name: &str, signal: &str) -> Result<Pod> {
    thread::scope(|scope| {
        let trap = scope.spawn(|| node.signal_agent_before_the_hook(signal));
        node.is_armed()?;
        let config = "ifName: data0, addresses: [10.78.0.1/24]";
        let pod = space.run(
            node,
            name,
            VF_POD,
            &[("class", "e2e-blue"), ("selector", ANY), ("config", config)],
        )?;
        let sprung = eventually("the runtime creates the pod's namespace", SLOW, || {
            ensure!(
                !node.has("/run/e2e-armed")?,
                "pod events: {:?}",
                pod.events()?
            );
            Ok(())
        });
        node.disarm()?;
        trap.join().unwrap_or_else(|_| Err(anyhow!("panicked")))?;
        sprung.map(|()| pod)
    })
}

/// Waits until the runtime has refused to create the container; until then and then it has not run.
fn stays_refused(pod: &Pod) -> Result<String> {
    let refused = eventually("the runtime refuses the container", SLOW, || {
        ensure!(
            !pod.has_started()?,
            "a container of {} started while the agent was frozen",
            pod.name
        );
        let failed = pod
            .events()?
            .into_iter()
            .find(|event| event.starts_with("Failed"));
        failed.ok_or_else(|| anyhow!("nothing has failed yet"))
    })?;
    ensure!(
        !pod.has_started()?,
        "a container of {} started while the agent was frozen",
        pod.name
    );
    Ok(refused)
}

fn started_whole(pod: &Pod) -> Result<()> {
    pod.ready()?;
    // The kubelet counts refused containers as restarts; the pod itself knows whether one has run.
    let starts = pod.exec("cat /starts/all")?;
    ensure!(
        starts.matches(" lo: ").count() == 1,
        "its container ran more than once:\n{starts}"
    );
    ensure!(
        starts.contains("data0") && starts.contains("10.78.0.1/24"),
        "at its start it saw only:\n{starts}"
    );
    Ok(())
}
