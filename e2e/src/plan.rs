//! What is run, where and beside what: the table's rows that were chosen, as phases of queues.

use crate::{
    options::Options,
    scenarios::{LIMIT, Place, Slot, TABLE},
};

/// A scenario on a node, or where it needs none in particular.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) slot: &'static Slot,
    /// Numbers of the nodes that it runs on: one in a node's queue, as many as it uses when it runs
    /// alone.
    pub(crate) nodes: Vec<u8>,
}

/// Jobs that run one after the other, by the queue's name.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) name: &'static str,
    pub(crate) jobs: Vec<Job>,
}

/// Queues that run at once, all of them to their ends before the next phase begins.
pub(crate) type Phase = Vec<Queue>;

/// All that is to be run.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) phases: Vec<Phase>,
}

impl Plan {
    pub(crate) fn of(options: &Options) -> Self {
        let chosen = |slot: &&Slot| match &options.only[..] {
            [] => slot.place != Place::OtherLab && (options.full || !slot.full_only),
            only => only.contains(&slot.scenario.letter),
        };
        let mut phases: Vec<Phase> = Vec::new();
        let mut beside: Vec<&'static Slot> = Vec::new();
        for slot in TABLE.iter().filter(chosen) {
            if slot.place == Place::Alone {
                phases.extend(queues(&std::mem::take(&mut beside), options.full));
                phases.push(vec![alone(slot, options.full)]);
            } else {
                beside.push(slot);
            }
        }
        phases.extend(queues(&beside, options.full));
        Self { phases }
    }

    /// Minutes that it takes by the table.
    pub(crate) fn minutes(&self) -> f64 {
        let longest = |phase: &Phase| phase.iter().map(Queue::minutes).fold(0.0, f64::max);
        self.phases.iter().map(longest).sum()
    }

    /// One line on how long it takes and where.
    pub(crate) fn summary(&self) -> String {
        let queues: Vec<String> = ["alone", "node1", "node2", "native"]
            .iter()
            .map(|name| {
                let own = self.phases.iter().flatten().filter(|q| q.name == *name);
                format!("{name} {:.1}", own.map(Queue::minutes).sum::<f64>())
            })
            .collect();
        format!(
            "slots: {:.1} min ({}; CI has {LIMIT:.0})",
            self.minutes(),
            queues.join(", ")
        )
    }
}

impl Queue {
    fn minutes(&self) -> f64 {
        self.jobs.iter().map(|job| job.slot.minutes).sum()
    }
}

fn alone(slot: &'static Slot, full: bool) -> Queue {
    let nodes = nodes(slot, full);
    Queue {
        name: "alone",
        jobs: vec![Job { slot, nodes }],
    }
}

/// With `--full` whatever uses one node uses both.
fn nodes(slot: &Slot, full: bool) -> Vec<u8> {
    match slot.nodes {
        [_] if full => vec![1, 2],
        nodes => nodes.to_vec(),
    }
}

/// One phase, or none when there is nothing to run.
fn queues(slots: &[&'static Slot], full: bool) -> Option<Phase> {
    let of_node = |number: u8| {
        let own = slots
            .iter()
            .filter(|slot| nodes(slot, full).contains(&number));
        let job = |slot: &&'static Slot| Job {
            slot,
            nodes: vec![number],
        };
        own.map(job).collect()
    };
    let native = slots.iter().filter(|slot| slot.nodes.is_empty());
    let native = native.map(|slot| Job {
        slot,
        nodes: Vec::new(),
    });
    let all = [
        ("node1", of_node(1)),
        ("node2", of_node(2)),
        ("native", native.collect::<Vec<_>>()),
    ];
    let phase: Phase = all
        .into_iter()
        .filter(|(_, jobs)| !jobs.is_empty())
        .map(|(name, jobs)| Queue { name, jobs })
        .collect();
    (!phase.is_empty()).then_some(phase)
}

/// The table, as `--list` prints it.
pub(crate) fn list() -> String {
    let mut lines: Vec<String> = TABLE.iter().map(row).collect();
    let plan = |full| {
        let options = Options {
            full,
            ..Options::default()
        };
        Plan::of(&options).summary()
    };
    lines.push(format!("\ne2e/test         {}", plan(false)));
    lines.push(format!("e2e/test --full  {}", plan(true)));
    lines.join("\n")
}

fn row(slot: &Slot) -> String {
    let place = match (slot.place, slot.nodes) {
        (Place::Alone, [number]) => format!("alone, pods on node{number}"),
        (Place::Alone, _) => "alone, both nodes".to_owned(),
        (Place::Queue, [number]) => format!("queue of node{number}"),
        (Place::Queue, _) => "queues of both".to_owned(),
        (Place::Native, _) => "native".to_owned(),
        (Place::OtherLab, _) => "other lab".to_owned(),
    };
    let run = match (slot.safety, slot.full_only) {
        (true, _) => "safety",
        (_, true) => "--full",
        _ => "",
    };
    format!(
        "{}  {:4.1} min  {place:20}  {run:6}  {} ({})",
        slot.scenario.letter, slot.minutes, slot.scenario.title, slot.why
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(options: &Options, name: &str) -> Vec<String> {
        let phases = Plan::of(options).phases;
        let own = phases.iter().flatten().filter(|queue| queue.name == name);
        own.map(|queue| queue.jobs.iter().map(|j| j.slot.scenario.letter).collect())
            .collect()
    }

    #[test]
    fn a_run_of_ci_fits_its_minutes() {
        let plan = Plan::of(&Options::default());
        assert!(plan.minutes() <= LIMIT, "{}", plan.summary());
    }

    #[test]
    fn the_queues_are_balanced() {
        let plan = Plan::of(&Options::default());
        let minutes = |name| {
            let mut queues = plan.phases.iter().flatten();
            queues.find(|q| q.name == name).expect("a queue").minutes()
        };
        assert!((minutes("node1") - minutes("node2")).abs() < 1.0);
    }

    #[test]
    fn full_runs_all_that_this_lab_can_on_both_nodes() {
        let full = Options {
            full: true,
            ..Options::default()
        };
        assert_eq!(letters(&full, "node1"), letters(&full, "node2"));
        assert_eq!(letters(&full, "node1").len(), 1, "one phase of queues");
        let all: usize = Plan::of(&full)
            .phases
            .iter()
            .flatten()
            .map(|q| q.jobs.len())
            .sum();
        let twice = letters(&full, "node1")[0].len();
        assert_eq!(all - twice, TABLE.len() - 1, "all but the other lab's");
    }

    #[test]
    fn what_is_named_runs_where_the_table_says() {
        let named = Options {
            only: vec!['d', 'e', 'm', 's'],
            ..Options::default()
        };
        assert_eq!(letters(&named, "alone"), ["m"]);
        assert_eq!(letters(&named, "node1"), ["d", "s"]);
        assert_eq!(letters(&named, "node2"), ["e", "s"]);
    }
}
