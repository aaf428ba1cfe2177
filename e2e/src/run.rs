//! Runs scenarios in their order, goes on after failures, and prints the outcomes at the end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{
    keep,
    lab::Lab,
    log::Log,
    options::Options,
    scenarios::{self, Scenario},
    slices,
};

struct Outcome {
    scenario: Scenario,
    took: Duration,
    result: Result<()>,
}

/// Whether all passed.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let lab = Lab::from_env(options.keep, options.out.clone())?;
    let log = Log::begin();
    log.step("the images go into the nodes");
    lab.release.import()?;
    scenarios::apply_classes()?;
    let wanted = |scenario: &Scenario| match &options.only[..] {
        [] => scenario.is_proved(),
        only => only.contains(&scenario.letter),
    };
    let outcomes: Vec<_> = scenarios::all()
        .into_iter()
        .filter(wanted)
        .map(|s| perform(&lab, &log, s))
        .collect();
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.result.is_err())
        .count();
    if failed > 0 {
        keep::lab_logs(&lab.out);
    }
    table(&outcomes);
    if failed > 0 {
        log.step(format!("logs are in {}", lab.out.display()));
    }
    log.step(format!(
        "{} passed, {failed} failed",
        outcomes.len() - failed
    ));
    Ok(failed == 0)
}

fn run(lab: &Lab, log: &Log, scenario: Scenario) -> Outcome {
    let (own, begun) = (log.of(&scenario.letter.to_string()), Instant::now());
    own.step(format!("── {} ──", scenario.title));
    let result = stage(lab, &scenario)
        .and_then(|()| (scenario.run)(lab, &own))
        .and_then(|()| nothing_is_left(lab));
    let took = begun.elapsed();
    match &result {
        Ok(()) => own.step(format!("passed in {:.0} s", took.as_secs_f32())),
        Err(why) => own.step(format!("FAILED after {:.0} s: {why:#}", took.as_secs_f32())),
    }
    Outcome {
        scenario,
        took,
        result,
    }
}

/// All but the installation itself need the driver, and full slices.
fn stage(lab: &Lab, scenario: &Scenario) -> Result<()> {
    if scenario.letter == 'a' {
        return Ok(());
    }
    if !lab.release.is_installed()? {
        lab.release.install()?;
    }
    for node in &lab.nodes {
        slices::follow(node, crate::eventually::SLOW).context("before it began")?;
    }
    Ok(())
}

fn nothing_is_left(lab: &Lab) -> Result<()> {
    if lab.keep {
        return Ok(());
    }
    lab.nodes.iter().try_for_each(|node| node.holds_no_claim())
}

#[expect(clippy::print_stdout, reason = "the outcome")]
fn table(outcomes: &[Outcome]) {
    println!();
    for Outcome {
        scenario,
        took,
        result,
    } in outcomes
    {
        let word = if result.is_ok() { "passed" } else { "FAILED" };
        println!(
            "{}  {word}  {:5.0} s  {}",
            scenario.letter,
            took.as_secs_f32(),
            scenario.title
        );
    }
    for Outcome {
        scenario, result, ..
    } in outcomes
    {
        if let Err(why) = result {
            println!("\n{}: {why:#}", scenario.letter);
        }
    }
    println!();
}
