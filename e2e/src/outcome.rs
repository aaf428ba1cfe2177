//! The results of a run, and their tables: each scenario, each queue, and whether the machine was
//! busy.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use anyhow::Result;

use crate::scenarios::Slot;

/// Of a scenario in a queue.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) slot: &'static Slot,
    pub(crate) queue: &'static str,
    pub(crate) took: Duration,
    /// Percentage of the processors' time that nobody used meanwhile.
    pub(crate) idle: f64,
    pub(crate) result: Result<()>,
}

/// Of all.
#[derive(Debug)]
pub(crate) struct Outcomes {
    pub(crate) all: Vec<Outcome>,
    pub(crate) took: Duration,
    pub(crate) idle: f64,
    /// Minutes by the table.
    pub(crate) planned: f64,
}

impl Outcomes {
    /// Scenarios that failed on a node at least.
    pub(crate) fn failed(&self) -> usize {
        let failed = self.all.iter().filter(|outcome| outcome.result.is_err());
        failed.map(letter).collect::<BTreeSet<_>>().len()
    }

    /// Scenarios that passed wherever they ran.
    pub(crate) fn passed(&self) -> usize {
        let all: BTreeSet<_> = self.all.iter().map(letter).collect();
        all.len() - self.failed()
    }

    #[expect(clippy::print_stdout, reason = "the outcome")]
    pub(crate) fn print(&self) {
        println!("\n{}\n", self.text());
    }

    fn text(&self) -> String {
        let mut lines: Vec<String> = self.all.iter().map(row).collect();
        lines.push(String::new());
        lines.extend(self.queues());
        lines.push(format!(
            "scenarios took {:.1} min of {:.1} in their slots, processors idle {:.0} % of it",
            minutes(self.took),
            self.planned,
            self.idle
        ));
        for outcome in &self.all {
            if let Err(why) = &outcome.result {
                lines.push(format!("\n{} {}: {why:#}", letter(outcome), outcome.queue));
            }
        }
        lines.join("\n")
    }

    /// How long each queue's scenarios took together.
    fn queues(&self) -> Vec<String> {
        let mut queues: BTreeMap<&str, (usize, Duration, f64)> = BTreeMap::new();
        for outcome in &self.all {
            let (count, took, idle) = queues.entry(outcome.queue).or_default();
            *count += 1;
            *took += outcome.took;
            *idle += outcome.idle * outcome.took.as_secs_f64();
        }
        let line = |(name, (count, took, idle)): (&str, (usize, Duration, f64))| {
            format!(
                "{name:6}  {count:2} scenarios  {:5.1} min  idle {:3.0} %",
                minutes(took),
                idle / took.as_secs_f64().max(f64::MIN_POSITIVE)
            )
        };
        queues.into_iter().map(line).collect()
    }
}

fn row(outcome: &Outcome) -> String {
    let word = if outcome.result.is_ok() {
        "passed"
    } else {
        "FAILED"
    };
    format!(
        "{}  {:6}  {word}  {:5.0} s of {:4.0}  idle {:3.0} %  {}",
        letter(outcome),
        outcome.queue,
        outcome.took.as_secs_f64(),
        outcome.slot.minutes * 60.0,
        outcome.idle,
        outcome.slot.scenario.title
    )
}

fn letter(outcome: &Outcome) -> char {
    outcome.slot.scenario.letter
}

fn minutes(time: Duration) -> f64 {
    time.as_secs_f64() / 60.0
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;
    use crate::scenarios::TABLE;

    fn of(index: usize, queue: &'static str, idle: f64, result: Result<()>) -> Outcome {
        Outcome {
            slot: &TABLE[index],
            queue,
            took: Duration::from_secs(60),
            idle,
            result,
        }
    }

    #[test]
    fn a_scenario_passes_when_it_does_on_every_node() {
        let outcomes = Outcomes {
            all: vec![
                of(0, "alone", 0.0, Ok(())),
                of(1, "node1", 10.0, Ok(())),
                of(1, "node2", 20.0, Err(anyhow!("no ping"))),
                of(2, "node2", 40.0, Ok(())),
            ],
            took: Duration::from_secs(180),
            idle: 15.0,
            planned: 4.0,
        };
        assert_eq!((outcomes.passed(), outcomes.failed()), (2, 1));
        let text = outcomes.text();
        assert!(
            text.contains("node2    2 scenarios    2.0 min  idle  30 %"),
            "{text}"
        );
        assert!(text.ends_with("\nc node2: no ping"), "{text}");
    }
}
