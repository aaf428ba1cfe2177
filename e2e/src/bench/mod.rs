//! Figures of the driver in the lab, without thresholds: an emulated node is slow, and slower on a
//! busy machine.
//!
//! Prepare and Unprepare are what the agent itself measured and logged; all else is measured from
//! outside.

mod figures;

use std::{
    env, fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{
    command,
    eventually::{SLOW, SLOWER, eventually},
    kube,
    lab::Lab,
    log::Log,
    node::Node,
    options::Options,
    pod::Pod,
    release,
    scenarios::{self, ANY, VF_POD},
    slices,
    space::Space,
};
use figures::Figures;

const PLAIN_POD: &str = include_str!("../../manifests/plain-pod.yaml");

/// Measures all and prints a table.
pub(crate) fn run(options: &Options) -> Result<()> {
    let lab = Lab::from_env(options.keep, options.out.clone())?;
    let log = Log::begin();
    lab.release.import()?;
    scenarios::apply_classes()?;
    lab.release.install()?;
    let mut figures = Figures::default();
    for node in &lab.nodes {
        slices::follow(node, SLOW)?;
        let log = log.of(&node.name);
        lab.space(&log, "e2e-bench", |space| {
            pods(node, space, options.rounds, &mut figures)?;
            hooks(node, space, options.rounds.div_ceil(5), &mut figures)
        })?;
        agent_start(node, &mut figures)?;
        kubelet_restart(node, &mut figures)?;
        memory(node, &mut figures)?;
    }
    if let Ok(archive) = env::var("IMAGE_ARCHIVE") {
        let size = fs::metadata(&archive)
            .with_context(|| archive.clone())?
            .len();
        figures.add("image, KiB", size as f64 / 1024.0);
    }
    figures.print();
    Ok(())
}

/// One pod after another, of each kind.
fn pods(node: &Node, space: &Space, rounds: u32, figures: &mut Figures) -> Result<()> {
    let vlan: &[(&str, &str)] = &[
        ("class", "e2e-blue"),
        ("selector", ANY),
        ("config", "addresses: [10.79.0.1/24]"),
    ];
    let vfio: &[(&str, &str)] = &[("class", "e2e-vfio"), ("selector", ANY), ("config", "")];
    let kinds = [
        ("no VF", PLAIN_POD, &[][..]),
        ("netdev with VLAN", VF_POD, vlan),
        ("vfio", VF_POD, vfio),
    ];
    for (kind, yaml, values) in kinds {
        space.step(format!("{rounds} pods: {kind}"));
        let since = logged(node)?.len();
        for round in 0..rounds {
            let name = format!(
                "{}{round}",
                kind.split(' ').next().unwrap_or_default().to_lowercase()
            );
            let begun = Instant::now();
            let pod = space.run(node, &name, yaml, values)?;
            let object = format!("pod/{name}");
            kube::kubectl(&[
                "wait",
                "--for=condition=Ready",
                "--timeout=300s",
                "-n",
                &space.name,
                &object,
            ])?;
            figures.add(
                &format!("{}: pod create → Ready, ms: {kind}", node.name),
                millis(begun.elapsed()),
            );
            pod.delete()?;
        }
        for line in logged(node)?.into_iter().skip(since) {
            let verb = if line.message == "prepared" {
                "Prepare"
            } else {
                "Unprepare"
            };
            figures.add(&format!("{}: {verb}, ms: {kind}", node.name), line.ms);
        }
    }
    Ok(())
}

/// What the hook adds to a pod's start, step by step: one pod alone, and a VF of each index of a port
/// at once.
fn hooks(node: &Node, space: &Space, rounds: u32, figures: &mut Figures) -> Result<()> {
    for count in [1, 7] {
        space.step(format!("{rounds} times {count} pods at once"));
        for round in 0..rounds {
            let since = lines(node)?.len();
            let values = [("class", "e2e-blue"), ("selector", ANY), ("config", "")];
            let pods: Vec<Pod> = (0..count)
                .map(|number| {
                    let name = format!("hook{round}-{number}");
                    space.run(node, &name, VF_POD, &values)
                })
                .collect::<Result<_>>()?;
            pods.iter().try_for_each(Pod::ready)?;
            for line in lines(node)?.iter().skip(since) {
                for (step, ms) in attached(line) {
                    let name = format!("{}: hook, ms: {count} at once: {step}", node.name);
                    figures.add(&name, ms);
                }
            }
            pods.iter().try_for_each(Pod::delete_soon)?;
            pods.iter().try_for_each(Pod::gone)?;
        }
    }
    Ok(())
}

/// The steps of `{"message":"attached","ms":7.1,"locks_ms":0.2,…}`, and all of it.
fn attached(line: &str) -> Vec<(String, f64)> {
    let Ok(line) = serde_json::from_str::<Value>(line) else {
        return vec![];
    };
    let fields = line.get("fields").unwrap_or(&line);
    if kube::text(fields, "/message") != "attached" {
        return vec![];
    }
    let step = |(name, value): (&String, &Value)| {
        let step = match name.as_str() {
            "ms" => "all",
            name => name.strip_suffix("_ms")?,
        };
        Some((step.to_owned(), value.as_f64()?))
    };
    fields
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(step)
        .collect()
}

/// A line of the agent's log with a duration.
struct Timed {
    message: String,
    ms: f64,
}

/// `{"message":"prepared","ms":12,…}` and `"unprepared"`, flat or below `fields`.
fn logged(node: &Node) -> Result<Vec<Timed>> {
    Ok(lines(node)?.iter().filter_map(|line| timed(line)).collect())
}

/// The agent's log.
fn lines(node: &Node) -> Result<Vec<String>> {
    let pods = release::agent_pods(&node.name)?;
    let pod = pods
        .first()
        .with_context(|| format!("no agent on {}", node.name))?;
    let log = kube::kubectl(&[
        "logs",
        "-n",
        release::NAMESPACE,
        kube::text(pod, "/metadata/name"),
        "--tail=-1",
    ])?;
    Ok(log.lines().map(str::to_owned).collect())
}

fn timed(line: &str) -> Option<Timed> {
    let line: Value = serde_json::from_str(line).ok()?;
    let fields = line.get("fields").unwrap_or(&line);
    let message = kube::text(fields, "/message").to_owned();
    let ms = fields.get("ms")?.as_f64()?;
    matches!(message.as_str(), "prepared" | "unprepared").then_some(Timed { message, ms })
}

/// From the process's start until its slices are complete, when there were none.
fn agent_start(node: &Node, figures: &mut Figures) -> Result<()> {
    let before = node.agents()?;
    node.signal_agent("KILL")?;
    let here = format!("spec.driver={},spec.nodeName={}", slices::DRIVER, node.name);
    command::run(
        "kubectl",
        &["delete", "resourceslices", "--field-selector", &here],
        "",
    )?;
    eventually("the agent starts again", SLOW, || {
        ensure!(
            node.agents()?.iter().any(|pid| !before.contains(pid)),
            "not yet"
        );
        Ok(())
    })?;
    let begun = Instant::now();
    complete(node)?;
    figures.add(
        &format!("{}: agent start → all slices, ms", node.name),
        millis(begun.elapsed()),
    );
    release::agent_is_ready(&node.name)
}

/// How long the kubelet's restart leaves the node without slices.
fn kubelet_restart(node: &Node, figures: &mut Figures) -> Result<()> {
    let before = slices::identities(node)?;
    node.restart("kubelet")?;
    eventually("the kubelet deletes the node's slices", SLOWER, || {
        ensure!(slices::identities(node)? != before, "still there");
        Ok(())
    })?;
    let wiped = Instant::now();
    complete(node)?;
    figures.add(
        &format!("{}: slices missing after kubelet restart, ms", node.name),
        millis(wiped.elapsed()),
    );
    Ok(())
}

fn complete(node: &Node) -> Result<()> {
    eventually("all slices are there", SLOW, || {
        let devices = slices::devices(node)?.len();
        ensure!(devices == 16, "{devices} devices");
        Ok(())
    })
}

fn memory(node: &Node, figures: &mut Figures) -> Result<()> {
    let pid = node.agents()?.first().context("no agent")?.to_string();
    let size = node.exec("awk '/^VmRSS/ {print $2}' \"/proc/$1/status\"", &[&pid])?;
    figures.add(
        &format!("{}: resident memory of the agent, KiB", node.name),
        size.trim().parse()?,
    );
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_from_flat_and_nested_lines() {
        for line in [
            r#"{"message":"prepared","ms":12.5}"#,
            r#"{"level":"INFO","fields":{"message":"prepared","ms":12.5}}"#,
        ] {
            assert_eq!(
                timed(line).map(|t| (t.message, t.ms)),
                Some(("prepared".to_owned(), 12.5))
            );
        }
        let steps = attached(r#"{"message":"attached","pod":"a/b","ms":7.5,"start_gate_ms":0.2}"#);
        assert_eq!(
            steps,
            [("all".to_owned(), 7.5), ("start_gate".to_owned(), 0.2)]
        );
        assert!(attached(r#"{"message":"prepared","ms":7.5}"#).is_empty());
        assert!(timed(r#"{"message":"published","ms":3}"#).is_none() && timed("no JSON").is_none());
    }
}
