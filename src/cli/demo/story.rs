//! The chapters.

use std::{io::Write, path::Path, time::Duration};

use anyhow::{Context, anyhow, ensure};

use super::{
    claim::{self, CLAIM, CLASS, DRIVER},
    stage::{Agent, Stage},
    tell::Teller,
};
use crate::{
    api::Attribute,
    claim::AllocatedClaim,
    cli::list,
    deadline::Deadline,
    device::DeviceId,
    host::{Kernel, fake::Fault},
    inventory,
    publish::{self, PublishInput, Published},
    slice::{Features, Slice},
};

const POD: &str = "11111111-2222-3333-4444-555555555555";

/// Which write of the second prepare is the last that the killed agent begins.
const FATAL_WRITE: u32 = 4;

/// Tells it all; an error where the host did not behave as told.
pub(super) async fn tell(out: &mut dyn Write, root: &Path) -> anyhow::Result<()> {
    let mut tell = Teller::new(out);
    let stage = Stage::new(root)?;
    tell.say("The life of a claim, on a recorded host. Nothing of this machine is touched: all files are in")?;
    tell.say(&format!("{}, which goes away at the end.", root.display()))?;
    let before = stage.fake.dump();
    host(&mut tell, &stage)?;
    let device = slices(&mut tell, &stage)?;
    let claim = ask(&mut tell, &device)?;
    let mut agent = stage.start(&claim).await?;
    prepare(&mut tell, &stage, &mut agent, &claim).await?;
    attach(&mut tell, &stage, &agent, &claim).await?;
    release(&mut tell, &stage, &mut agent, &claim, &before).await?;
    let mut agent = kill(&mut tell, &stage, agent, &claim, &before).await?;
    again(&mut tell, &stage, &mut agent, &claim, &before).await?;
    agent.serving.stop(Duration::from_secs(5)).await;
    Ok(())
}

fn host(tell: &mut Teller<'_>, stage: &Stage) -> anyhow::Result<()> {
    tell.chapter("The host: two ports, seven virtual functions each (`sriov-dra list`)")?;
    Ok(tell.show(&list::table(
        &stage.fake.functions()?,
        &list::Pools::new(),
        &list::Holders::new(),
        false,
    ))?)
}

fn slices(tell: &mut Teller<'_>, stage: &Stage) -> anyhow::Result<String> {
    tell.chapter("What the scheduler sees: ResourceSlices")?;
    let inventory = inventory::observe(&stage.fake)?;
    let published = Published {
        devices: Default::default(),
        features: Features {
            counters: true,
            taints: true,
        },
    };
    let nothing = (Default::default(), Default::default());
    let slices = publish::slices(&PublishInput {
        driver: DRIVER,
        inventory: &inventory,
        claimed: &nothing.0,
        taints: &nothing.1,
        pools: None,
        given: None,
        published: &published,
    })
    .slices;
    let devices: Vec<_> = slices.iter().flat_map(Slice::devices).collect();
    let first = devices
        .first()
        .context("the recorded host has no devices")?;
    tell.say(&format!(
        "{} slices with {} devices. The first of them:",
        slices.len(),
        devices.len()
    ))?;
    let line = |(name, value): (&String, &Attribute)| format!("{name}: {}", show(value));
    let lines: Vec<String> = first.attributes.iter().map(line).collect();
    tell.show(&format!("{}\n  {}", first.name, lines.join("\n  ")))?;
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

fn ask(tell: &mut Teller<'_>, device: &str) -> anyhow::Result<AllocatedClaim> {
    tell.chapter("A pod's claim")?;
    tell.say("The administrator's DeviceClass says what is not for users to choose:")?;
    tell.show(CLASS)?;
    tell.say("The user's claim says the rest:")?;
    tell.show(CLAIM)?;
    tell.say(&format!(
        "The scheduler takes the first function that fits: {device}."
    ))?;
    claim::allocated(device, POD)
}

async fn prepare(
    tell: &mut Teller<'_>,
    stage: &Stage,
    agent: &mut Agent,
    claim: &AllocatedClaim,
) -> anyhow::Result<()> {
    tell.chapter("Prepare: the kubelet calls, and the function is made what the claim says")?;
    tell.say(&format!(
        "NodePrepareResources over {}. Written, in this order:",
        agent.kubelet.endpoint()
    ))?;
    drop(stage.fake.take_log());
    let answer = agent
        .kubelet
        .prepare(&claim.claim)
        .await
        .map_err(|error| anyhow!(error))?;
    tell.steps(&stage.fake.take_log())?;
    tell.say("Every old value is in the record before the first write to the kernel. The answer, which the kubelet")?;
    tell.say("passes on to the container runtime:")?;
    let ids: Vec<String> = answer
        .iter()
        .flat_map(|device| device.cdi.clone())
        .collect();
    Ok(tell.show(&ids.join("\n"))?)
}

async fn attach(
    tell: &mut Teller<'_>,
    stage: &Stage,
    agent: &Agent,
    claim: &AllocatedClaim,
) -> anyhow::Result<()> {
    tell.chapter("Attach: the runtime has made the pod's sandbox and calls the NRI hook")?;
    let (hooks, sandbox) = (stage.hooks(agent), stage.sandbox(POD));
    let netns = sandbox
        .netns
        .clone()
        .context("a sandbox with a namespace")?;
    let run = move || hooks.run(&sandbox, Deadline::after(Duration::from_secs(10)));
    tokio::task::spawn_blocking(run)
        .await?
        .map_err(|error| anyhow!(error))?;
    tell.steps(&stage.fake.take_log())?;
    let device = DeviceId::from_name(&claim.devices[0].device)?;
    let link = stage
        .fake
        .link(&device, &stage.fake.open_netns(&netns)?)?
        .context("the netdev is in the pod")?;
    let state = &link.state;
    let (mac, up) = (
        state.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        if state.up { "up" } else { "down" },
    );
    let addresses: Vec<String> = link.addresses.iter().map(ToString::to_string).collect();
    tell.say("The pod has:")?;
    tell.show(&format!(
        "{}: {up}, mtu {}, {mac}, {}",
        state.name,
        state.mtu,
        addresses.join(" ")
    ))?;
    tell.say("Only now does the file exist that the claim's containers mount. Had the agent died before, the runtime")?;
    Ok(tell.say("would have refused the container: no pod starts without its interface.")?)
}

async fn release(
    tell: &mut Teller<'_>,
    stage: &Stage,
    agent: &mut Agent,
    claim: &AllocatedClaim,
    before: &str,
) -> anyhow::Result<()> {
    tell.chapter("Release: the pod is gone, with its namespace; the kernel has returned the netdev as \"net1\"")?;
    stage
        .fake
        .destroy_netns(&stage.paths.run.join("netns/cni-1"));
    drop(stage.fake.take_log());
    agent
        .kubelet
        .unprepare(&claim.claim)
        .await
        .map_err(|error| anyhow!(error))?;
    tell.steps(&stage.fake.take_log())?;
    as_before(tell, stage, before)
}

async fn kill(
    tell: &mut Teller<'_>,
    stage: &Stage,
    mut agent: Agent,
    claim: &AllocatedClaim,
    before: &str,
) -> anyhow::Result<Agent> {
    tell.chapter(&format!(
        "The same again, and the agent is killed (kill -9) before write {FATAL_WRITE}"
    ))?;
    stage.fake.arm(Fault::Before(FATAL_WRITE));
    ensure!(
        agent.kubelet.prepare(&claim.claim).await.is_err(),
        "the agent was killed, yet it answered"
    );
    tell.steps(&stage.fake.take_log())?;
    ensure!(
        stage.fake.dump() != before,
        "nothing was changed before the kill"
    );
    tell.say("The function is half prepared, and nobody is alive. What is left on the host is the record:")?;
    let records = agent.engine.records()?;
    drop(agent);
    for entry in &records {
        if let crate::ledger::Entry::Readable(record) = entry {
            tell.show(&format!(
                "claim {}, phase {:?}, {} devices",
                record.owner.claim,
                record.phase,
                record.devices.len()
            ))?;
        }
    }
    tell.say("A new agent starts. Before it serves anybody it undoes what the record says:")?;
    stage.fake.restart();
    let agent = stage.start(claim).await?;
    tell.steps(&stage.fake.take_log())?;
    as_before(tell, stage, before)?;
    Ok(agent)
}

async fn again(
    tell: &mut Teller<'_>,
    stage: &Stage,
    agent: &mut Agent,
    claim: &AllocatedClaim,
    before: &str,
) -> anyhow::Result<()> {
    tell.chapter("The kubelet asks again, as it always does, and the claim is prepared; then released for good")?;
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
    as_before(tell, stage, before)
}

/// The promise: every property of every function, compared.
fn as_before(tell: &mut Teller<'_>, stage: &Stage, before: &str) -> anyhow::Result<()> {
    let now = stage.fake.dump();
    ensure!(now == before, "the host is not as it was before:\n{now}");
    let count = now.lines().count();
    Ok(tell.say(&format!(
        "All {count} properties of all functions are as they were before the claim."
    ))?)
}
