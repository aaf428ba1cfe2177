//! Runs scenarios in their order, goes on after failures, and tells the outcome at the end.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::{
    keep,
    lab::Lab,
    options::Options,
    scenarios::{self, Scenario},
    slices,
    story::Story,
};

struct Outcome {
    scenario: Scenario,
    took: Duration,
    told: Result<()>,
}

/// Whether all passed.
pub(crate) fn run(options: &Options) -> Result<bool> {
    let lab = Lab::from_env(options.keep, options.out.clone())?;
    let story = Story::begin();
    story.step("the images go into the nodes");
    lab.release.import()?;
    scenarios::apply_classes()?;
    let wanted = |scenario: &Scenario| match &options.only[..] {
        [] => scenario.is_proved(),
        only => only.contains(&scenario.letter),
    };
    let outcomes: Vec<_> = scenarios::all()
        .into_iter()
        .filter(wanted)
        .map(|s| tell(&lab, &story, s))
        .collect();
    let failed = outcomes
        .iter()
        .filter(|outcome| outcome.told.is_err())
        .count();
    if failed > 0 {
        keep::lab_logs(&lab.out);
    }
    table(&outcomes);
    if failed > 0 {
        story.step(format!("logs are in {}", lab.out.display()));
    }
    story.step(format!(
        "{} passed, {failed} failed",
        outcomes.len() - failed
    ));
    Ok(failed == 0)
}

fn tell(lab: &Lab, story: &Story, scenario: Scenario) -> Outcome {
    let (own, begun) = (story.of(&scenario.letter.to_string()), Instant::now());
    own.step(format!("── {} ──", scenario.title));
    let told = stage(lab, &scenario)
        .and_then(|()| (scenario.tell)(lab, &own))
        .and_then(|()| nothing_is_left(lab));
    let took = begun.elapsed();
    match &told {
        Ok(()) => own.step(format!("passed in {:.0} s", took.as_secs_f32())),
        Err(why) => own.step(format!("FAILED after {:.0} s: {why:#}", took.as_secs_f32())),
    }
    Outcome {
        scenario,
        took,
        told,
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
        told,
    } in outcomes
    {
        let word = if told.is_ok() { "passed" } else { "FAILED" };
        println!(
            "{}  {word}  {:5.0} s  {}",
            scenario.letter,
            took.as_secs_f32(),
            scenario.title
        );
    }
    for Outcome { scenario, told, .. } in outcomes {
        if let Err(why) = told {
            println!("\n{}: {why:#}", scenario.letter);
        }
    }
    println!();
}
