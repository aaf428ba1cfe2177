//! The steps of the walkthrough.

use std::{io::Write, path::Path, time::Duration};

use anyhow::{Context, anyhow, ensure};

use super::{
    claim::{self, CLAIM, CLASS, DRIVER},
    node::{Agent, DemoNode},
    output::Output,
};
use crate::{
    api::Attribute,
    claim::AllocatedClaim,
    cli::list,
    deadline::Deadline,
    host::{Kernel, fake::Fault},
    inventory,
    publish::{self, PublishInput, Published},
    slice::{Features, Slice},
};

const POD: &str = "11111111-2222-3333-4444-555555555555";

/// The write of the second prepare before which the agent is killed.
const FATAL_WRITE: u32 = 4;

/// Runs all steps and prints them.
///
/// # Errors
/// The host does not behave as the text says.
pub(super) async fn run(out: &mut dyn Write, root: &Path) -> anyhow::Result<()> {
    let mut out = Output::new(out);
    let node = DemoNode::new(root)?;
    out.line(
        "A claim from allocation to release, on a recorded host. All files are written below",
    )?;
    out.line(&format!(
        "{}, which is removed at the end; nothing else on this machine is changed.",
        root.display()
    ))?;
    let before = node.fake.dump();
    host(&mut out, &node)?;
    let device = slices(&mut out, &node)?;
    let claim = allocate(&mut out, &device)?;
    let mut agent = node.start(&claim).await?;
    prepare(&mut out, &node, &mut agent, &claim).await?;
    attach(&mut out, &node, &agent, &claim).await?;
    release(&mut out, &node, &mut agent, &claim, &before).await?;
    let mut agent = kill(&mut out, &node, agent, &claim, &before).await?;
    retry(&mut out, &node, &mut agent, &claim, &before).await?;
    agent.serving.stop(Duration::from_secs(5)).await;
    Ok(())
}

fn host(out: &mut Output<'_>, node: &DemoNode) -> anyhow::Result<()> {
    out.section("The host: two PFs with seven VFs each (`sriov-dra list`)")?;
    Ok(out.block(&list::table(
        &inventory::observe(&node.fake)?,
        &list::PoolNames::new(),
        &list::Holders::new(),
        false,
    ))?)
}

fn slices(out: &mut Output<'_>, node: &DemoNode) -> anyhow::Result<String> {
    out.section("ResourceSlices: what the scheduler sees")?;
    let inventory = inventory::observe(&node.fake)?;
    let published = Published {
        devices: Default::default(),
        features: Features {
            counters: true,
            taints: true,
        },
    };
    let none = (Default::default(), Default::default());
    let slices = publish::slices(&PublishInput {
        driver: DRIVER,
        inventory: &inventory,
        claimed: &none.0,
        taints: &none.1,
        pools: None,
        policy_attributes: None,
        published: &published,
    })
    .slices;
    let devices: Vec<_> = slices.iter().flat_map(Slice::devices).collect();
    let first = devices
        .first()
        .context("the recorded host has no devices")?;
    out.line(&format!(
        "{} slices with {} devices. The first device:",
        slices.len(),
        devices.len()
    ))?;
    let line = |(name, value): (&String, &Attribute)| format!("{name}: {}", show(value));
    let lines: Vec<String> = first.attributes.iter().map(line).collect();
    out.block(&format!("{}\n  {}", first.name, lines.join("\n  ")))?;
    Ok(first.name.clone())
}

fn show(value: &Attribute) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| {
            value
                .as_object()
                .and_then(|object| object.values().next().map(ToString::to_string))
        })
        .unwrap_or_default()
}

fn allocate(out: &mut Output<'_>, device: &str) -> anyhow::Result<AllocatedClaim> {
    out.section("The ResourceClaim of a pod")?;
    out.line("The DeviceClass, written by the administrator, sets what users may not choose:")?;
    out.block(CLASS)?;
    out.line("The claim, written by the user, sets the rest:")?;
    out.block(CLAIM)?;
    out.line(&format!(
        "The scheduler allocates the first device that matches: {device}."
    ))?;
    claim::allocated(device, POD)
}

async fn prepare(
    out: &mut Output<'_>,
    node: &DemoNode,
    agent: &mut Agent,
    claim: &AllocatedClaim,
) -> anyhow::Result<()> {
    out.section("Prepare: the kubelet calls the driver, which configures the function")?;
    out.line(&format!(
        "NodePrepareResources over {}. Writes, in order:",
        agent.kubelet.endpoint()
    ))?;
    drop(node.fake.take_log());
    let devices = agent
        .kubelet
        .prepare(&claim.claim)
        .await
        .map_err(|error| anyhow!(error))?;
    out.steps(&node.fake.take_log())?;
    out.line("Every old value is saved in the record before the first write to the kernel. The response, which the")?;
    out.line("kubelet passes on to the container runtime:")?;
    let ids: Vec<String> = devices
        .iter()
        .flat_map(|device| device.cdi.clone())
        .collect();
    Ok(out.block(&ids.join("\n"))?)
}

async fn attach(
    out: &mut Output<'_>,
    node: &DemoNode,
    agent: &Agent,
    claim: &AllocatedClaim,
) -> anyhow::Result<()> {
    out.section(
        "Attach: the container runtime has created the pod sandbox and calls the NRI hook",
    )?;
    let (hooks, sandbox) = (node.hooks(agent), node.sandbox(POD));
    let netns = sandbox
        .netns
        .clone()
        .context("a sandbox with a namespace")?;
    let run = move || hooks.run(&sandbox, Deadline::after(Duration::from_secs(10)));
    tokio::task::spawn_blocking(run)
        .await?
        .map_err(|error| anyhow!(error))?;
    out.steps(&node.fake.take_log())?;
    let device = claim.devices[0]
        .device
        .local(&agent.engine.identity().pool())?;
    let link = node
        .fake
        .link(&device, &node.fake.open_netns(&netns)?)?
        .context("the netdev is in the pod")?;
    let netdev = &link.state;
    let (mac, up) = (
        netdev.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        if netdev.up { "up" } else { "down" },
    );
    let addresses: Vec<String> = link.addresses.iter().map(ToString::to_string).collect();
    out.line("In the pod:")?;
    out.block(&format!(
        "{}: {up}, mtu {}, {mac}, {}",
        netdev.name,
        netdev.mtu,
        addresses.join(" ")
    ))?;
    out.line("The file that the claim's containers mount exists only from now on. Had the agent died before, the")?;
    Ok(out.line(
        "runtime could not have created the containers: no pod starts without its interface.",
    )?)
}

async fn release(
    out: &mut Output<'_>,
    node: &DemoNode,
    agent: &mut Agent,
    claim: &AllocatedClaim,
    before: &str,
) -> anyhow::Result<()> {
    out.section("Release: the pod and its network namespace are deleted; the kernel has moved the netdev back as \"net1\"")?;
    node.fake.destroy_netns(&node.paths.run.join("netns/cni-1"));
    drop(node.fake.take_log());
    agent
        .kubelet
        .unprepare(&claim.claim)
        .await
        .map_err(|error| anyhow!(error))?;
    out.steps(&node.fake.take_log())?;
    check_restored(out, node, before)
}

async fn kill(
    out: &mut Output<'_>,
    node: &DemoNode,
    mut agent: Agent,
    claim: &AllocatedClaim,
    before: &str,
) -> anyhow::Result<Agent> {
    out.section(&format!(
        "Crash: the claim is prepared again, and the agent is killed (kill -9) before write {FATAL_WRITE}"
    ))?;
    node.fake.arm(Fault::Before(FATAL_WRITE));
    ensure!(
        agent.kubelet.prepare(&claim.claim).await.is_err(),
        "the agent was killed, but responded"
    );
    out.steps(&node.fake.take_log())?;
    ensure!(
        node.fake.dump() != before,
        "nothing was changed before the agent was killed"
    );
    out.line("The function is half configured and no agent runs. What is left on the host is the record:")?;
    let records = agent.engine.records()?;
    drop(agent);
    for entry in &records {
        if let crate::ledger::Entry::Readable(record) = entry {
            out.block(&format!(
                "claim {}, phase {:?}, {} devices",
                record.owner.claim,
                record.phase,
                record.devices.len()
            ))?;
        }
    }
    out.line("A new agent starts. Before it serves requests, it undoes the changes listed in the record:")?;
    node.fake.restart();
    let agent = node.start(claim).await?;
    out.steps(&node.fake.take_log())?;
    check_restored(out, node, before)?;
    Ok(agent)
}

async fn retry(
    out: &mut Output<'_>,
    node: &DemoNode,
    agent: &mut Agent,
    claim: &AllocatedClaim,
    before: &str,
) -> anyhow::Result<()> {
    out.section("Retry: the kubelet calls again, the claim is prepared, and finally released")?;
    agent
        .kubelet
        .prepare(&claim.claim)
        .await
        .map_err(|error| anyhow!(error))?;
    agent
        .kubelet
        .unprepare(&claim.claim)
        .await
        .map_err(|error| anyhow!(error))?;
    check_restored(out, node, before)
}

/// Compares every property of every function with its original value.
fn check_restored(out: &mut Output<'_>, node: &DemoNode, before: &str) -> anyhow::Result<()> {
    let now = node.fake.dump();
    ensure!(now == before, "the host was not restored:\n{now}");
    let count = now.lines().count();
    Ok(out.line(&format!(
        "All {count} properties of all functions have their original values."
    ))?)
}
