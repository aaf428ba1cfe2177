//! Runs a plan: phase after phase, a phase's queues at once. A failure ends neither its queue nor
//! the others.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, anyhow};

use crate::{
    cpu::Cpu,
    eventually::SLOW,
    keep,
    lab::Lab,
    log::Log,
    node::Node,
    options::Options,
    outcome::{Outcome, Outcomes},
    plan::{Job, Phase, Plan, Queue},
    scenarios::{self, Run, Scenario},
    slices,
};

/// Whether all passed.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let plan = Plan::of(options);
    let lab = Lab::from_env(options.keep, options.out.clone())?;
    let log = Log::begin();
    log.step(plan.summary());
    log.step("the images go into the nodes");
    lab.release.import()?;
    lab.nodes.iter().try_for_each(Node::is_at_rest)?;
    scenarios::apply_classes()?;
    let (begun, before) = (Instant::now(), Cpu::now()?);
    let mut all = Vec::new();
    for phase in &plan.phases {
        all.extend(perform(&lab, &log, phase));
    }
    let outcomes = Outcomes {
        all,
        took: begun.elapsed(),
        idle: Cpu::now()?.idle_since(before),
        planned: plan.minutes(),
    };
    let failed = outcomes.failed();
    if failed > 0 {
        keep::lab_logs(&lab.out);
    }
    outcomes.print();
    if failed > 0 {
        log.step(format!("logs are in {}", lab.out.display()));
    }
    log.step(format!("{} passed, {failed} failed", outcomes.passed()));
    Ok(failed == 0)
}

fn perform(lab: &Lab, log: &Log, phase: &Phase) -> Vec<Outcome> {
    // Once for all queues, since Helm changes a release for one at a time.
    let installed = release_is_ready(lab, phase).map_err(|why| format!("{why:#}"));
    thread::scope(|scope| {
        let running: Vec<_> = phase
            .iter()
            .map(|queue| scope.spawn(|| one_after_the_other(lab, log, queue, &installed)))
            .collect();
        // No panic gets out of a job.
        let ended = running.into_iter().filter_map(|queue| queue.join().ok());
        ended.flatten().collect()
    })
}

/// All but the installation itself need the driver, and all but those that configure it need its
/// defaults.
fn release_is_ready(lab: &Lab, phase: &Phase) -> Result<()> {
    let mut jobs = phase.iter().flat_map(|queue| &queue.jobs);
    if jobs.clone().any(|job| !job.slot.own_release) {
        return lab.release.install();
    }
    if jobs.any(|job| job.slot.scenario.letter != 'a') && !lab.release.is_installed()? {
        return lab.release.install();
    }
    Ok(())
}

fn one_after_the_other(
    lab: &Lab,
    log: &Log,
    queue: &Queue,
    installed: &Result<(), String>,
) -> Vec<Outcome> {
    let outcome = |job| outcome(lab, log, queue.name, job, installed);
    queue.jobs.iter().map(outcome).collect()
}

fn outcome(
    lab: &Lab,
    log: &Log,
    queue: &'static str,
    job: &Job,
    installed: &Result<(), String>,
) -> Outcome {
    let scenario = &job.slot.scenario;
    let nodes = lab.numbered(&job.nodes);
    let log = log.of(&who(scenario.letter, &nodes));
    log.step(format!("── {} ──", scenario.title));
    let (begun, before) = (Instant::now(), Cpu::now().ok());
    let result = installed
        .clone()
        .map_err(|why| anyhow!("the release is not installed: {why}"))
        .and_then(|()| no_panic(|| whole(lab, &log, scenario, &nodes)));
    let took = begun.elapsed();
    let idle = before
        .zip(Cpu::now().ok())
        .map_or(f64::NAN, |(before, now)| now.idle_since(before));
    match &result {
        Ok(()) => log.step(format!("passed in {:.0} s", took.as_secs_f32())),
        Err(why) => log.step(format!("FAILED after {:.0} s: {why:#}", took.as_secs_f32())),
    }
    Outcome {
        slot: job.slot,
        queue,
        took,
        idle,
        result,
    }
}

fn who(letter: char, nodes: &[Node]) -> String {
    match nodes {
        [node] => format!("{letter} {}", node.name),
        _ => letter.to_string(),
    }
}

fn no_panic(work: impl FnOnce() -> Result<()>) -> Result<()> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(anyhow!("panicked")))
}

/// Namespaces are lower case: `ii` is of scenario I.
fn space_name(letter: char) -> String {
    let lower = letter.to_ascii_lowercase();
    match letter.is_ascii_uppercase() {
        true => format!("{lower}{lower}"),
        false => lower.to_string(),
    }
}

/// A scenario with what holds before and after each: full slices, and no claim left.
fn whole(lab: &Lab, log: &Log, scenario: &Scenario, nodes: &[Node]) -> Result<()> {
    if lab.release.is_installed()? {
        for node in nodes {
            slices::follow(node, SLOW).context("before it began")?;
        }
    }
    match scenario.run {
        Run::Lab(run) => run(lab, nodes, log)?,
        Run::Node(run) => {
            let name = space_name(scenario.letter);
            lab.on_nodes(nodes, log, &name, |node, space| run(lab, node, space))?;
        }
    }
    if lab.keep {
        return Ok(());
    }
    nodes.iter().try_for_each(Node::holds_no_claim)
}
