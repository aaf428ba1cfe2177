//! **The administrator** upgrades the release to one that excludes a VF, which both nodes have, and
//! back; then deletes a Node object by mistake and applies the saved one again.
//!
//! **Must hold**: during the upgrade the old and the new agent do not write against each other:
//! each slice whose content changes (that of the VF; that of its PF, which would take the excluded
//! VF with it; that of the PF's counters) is written once, no other at all, and nothing once the
//! upgrade is through. The slices of the deleted Node are collected; those of the new one name its UID and
//! stay, and the agent is not restarted for it.

use std::{
    collections::BTreeMap,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Run, Scenario};
use crate::{
    device::slice_name,
    eventually::{SLOW, SOON, eventually},
    kube,
    lab::Lab,
    log::Log,
    node::Node,
    release, slices,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'w',
    title: "an upgrade to other content and a Node that is made anew: one writer",
    run: Run::Lab(run),
};

/// How long nobody may write after an upgrade.
const QUIET: Duration = Duration::from_secs(30);
/// How long slices of a new Node object must stay.
const STAY: Duration = Duration::from_secs(60);
/// The Node is applied again as soon as a slice has gone, at the latest so long after its deletion.
const AWAY: Duration = Duration::from_secs(8);

fn run(lab: &Lab, nodes: &[Node], log: &Log) -> Result<()> {
    lab.release.install()?;
    at_rest(lab)?;
    let excluded = one_vf_excluded(lab, log);
    let back = back_again(lab, log);
    excluded.and(back)?;
    nodes.iter().try_for_each(|node| {
        let saved = kube::get(&path(node))?;
        let made_anew = node_made_anew(node, &saved, log);
        // Whatever the result, there is a Node.
        let there = exists(node, &saved);
        made_anew.and(there)
    })
}

fn at_rest(lab: &Lab) -> Result<()> {
    for node in &lab.nodes {
        release::agent_is_ready(&node.name)?;
        slices::follow(node, SLOW)?;
    }
    Ok(())
}

/// The excluded VF, by its number at the second port. Both nodes have it at the same address.
const INDEX: u32 = 2;

fn one_vf_excluded(lab: &Lab, log: &Log) -> Result<()> {
    let vf = lab.nodes[0].vf(1, INDEX)?;
    log.step(format!("helm upgrade with agent.exclude {}", vf.pci));
    written_once(lab, log, || lab.release.excluding(&vf.pci), false)
}

fn back_again(lab: &Lab, log: &Log) -> Result<()> {
    log.step("helm upgrade without it");
    written_once(lab, log, || lab.release.install(), true)?;
    at_rest(lab)
}

/// Before a change: where a node's history begins, and the slices' contents.
struct Before {
    version: String,
    contents: BTreeMap<String, Value>,
}

fn before(node: &Node) -> Result<Before> {
    Ok(Before {
        version: slices::version(node)?,
        contents: contents(node)?,
    })
}

/// What each slice says, whatever its generation.
fn contents(node: &Node) -> Result<BTreeMap<String, Value>> {
    let own = |slice: &Value| {
        let spec = ["devices", "sharedCounters"].map(|field| slice["spec"][field].clone());
        let name = kube::text(slice, "/metadata/name").to_owned();
        (name, Value::from(spec.to_vec()))
    };
    Ok(slices::slices(node)?.iter().map(own).collect())
}

/// The slices that changed, and those among them that have the VF's neighbours.
fn changed(node: &Node, before: &Before) -> Result<Vec<String>> {
    let now = contents(node)?;
    let same = |(name, content): &(&String, &Value)| before.contents.get(*name) == Some(content);
    let changed: Vec<String> = now
        .iter()
        .filter(|slice| !same(slice))
        .map(|(name, _)| name.clone())
        .collect();
    let port = node.pfs()?.swap_remove(1);
    let neighbour = port.vfs.iter().find(|vf| vf.index != INDEX);
    let neighbour = slice_name(&neighbour.context("the port has one VF")?.pci);
    let of_the_vf = slices::writes(node)?
        .into_iter()
        .find(|(_, (_, devices))| devices.contains(&neighbour))
        .map(|(name, _)| name);
    ensure!(
        of_the_vf.is_some_and(|name| changed.contains(&name)),
        "the slice of {neighbour} is not among {changed:?}"
    );
    ensure!(
        changed.len() < now.len(),
        "all {} slices changed, so that nothing is seen",
        now.len()
    );
    Ok(changed)
}

/// Upgrades; then the VF is published or not, and each slice that this changes was written once.
fn written_once(
    lab: &Lab,
    log: &Log,
    upgrade: impl FnOnce() -> Result<()>,
    published: bool,
) -> Result<()> {
    let all: Vec<Before> = lab.nodes.iter().map(before).collect::<Result<_>>()?;
    upgrade()?;
    for node in &lab.nodes {
        let device = slice_name(&node.vf(1, INDEX)?.pci);
        let what = format!("{device} of {} is published: {published}", node.name);
        eventually(&what, SOON, || {
            let now = slices::devices(node)?.contains_key(&device);
            ensure!(now == published, "it is: {now}");
            Ok(())
        })?;
    }
    sleep(QUIET);
    for (node, before) in lab.nodes.iter().zip(&all) {
        let writes = slices::history(node, &before.version)?;
        let mut written: Vec<String> = writes.iter().map(|write| write.slice.clone()).collect();
        written.sort();
        let changed = changed(node, before)?;
        ensure!(
            written == changed && writes.iter().all(|write| write.verb == "MODIFIED"),
            "{}: {} writes, {writes:?}; changed are {changed:?}",
            node.name,
            writes.len()
        );
        log.step(format!(
            "{}: {} writes of as many slices",
            node.name,
            writes.len()
        ));
    }
    Ok(())
}

fn path(node: &Node) -> String {
    format!("/api/v1/nodes/{}", node.name)
}

fn node_made_anew(node: &Node, saved: &Value, log: &Log) -> Result<()> {
    let (agents, count) = (node.agents()?, slices::slices(node)?.len());
    log.step(format!("kubectl delete node {}", node.name));
    kube::delete(&path(node))?;
    let deleted = Instant::now();
    while deleted.elapsed() < AWAY && slices::slices(node)?.len() == count {
        sleep(Duration::from_millis(250));
    }
    exists(node, saved)?;
    let away = deleted.elapsed();
    ensure!(away < Duration::from_secs(10), "{away:?} without a Node");
    let uid = kube::text(&kube::get(&path(node))?, "/metadata/uid").to_owned();
    let old = kube::text(saved, "/metadata/uid");
    ensure!(uid != old, "the Node was not made anew");
    let what = format!("the slices of {} name the new Node", node.name);
    eventually(&what, SOON, || owned_by(node, &uid, count))?;
    let (back, before) = (deleted.elapsed(), slices::identities(node)?);
    log.step(format!(
        "{}: without a Node for {:.1} s, its slices are back after {:.1} s",
        node.name,
        away.as_secs_f32(),
        back.as_secs_f32()
    ));
    let begun = Instant::now();
    while begun.elapsed() < STAY {
        owned_by(node, &uid, count)?;
        ensure!(
            slices::identities(node)? == before,
            "they were written again"
        );
        sleep(Duration::from_secs(1));
    }
    slices::follow(node, SOON)?;
    let now = node.agents()?;
    ensure!(now == agents, "agents {now:?}, before {agents:?}");
    Ok(())
}

fn owned_by(node: &Node, uid: &str, count: usize) -> Result<()> {
    let slices = slices::slices(node)?;
    let owners: Vec<&str> = slices
        .iter()
        .map(|slice| kube::text(slice, "/metadata/ownerReferences/0/uid"))
        .collect();
    ensure!(
        owners.len() == count && owners.iter().all(|owner| *owner == uid),
        "{count} slices of {uid} wanted, owners are {owners:?}"
    );
    Ok(())
}

/// Applies the saved Node, unless there is one.
fn exists(node: &Node, saved: &Value) -> Result<()> {
    if kube::find(&path(node))?.is_some() {
        return Ok(());
    }
    let mut object = saved.clone();
    let metadata = object
        .pointer_mut("/metadata")
        .and_then(Value::as_object_mut)
        .context("the Node has no metadata")?;
    for of_the_old_one in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "managedFields",
    ] {
        metadata.remove(of_the_old_one);
    }
    let made = kube::create("/api/v1/nodes", &object)?;
    made.map(drop).map_err(|refusal| anyhow::anyhow!(refusal))
}
