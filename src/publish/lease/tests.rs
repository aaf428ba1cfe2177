//! Agents of one node, each with its own descriptors of the lock files. "Killed" means that they
//! are dropped, as the kernel does.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::*;
use crate::paths::Paths;

const TICK: Duration = Duration::from_millis(250);

struct Node {
    dir: tempfile::TempDir,
    now: Instant,
}

impl Node {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            now: Instant::now(),
        }
    }

    fn paths(&self) -> Paths {
        Paths::below(self.dir.path())
    }

    /// An agent that started then, and is ready.
    fn agent(&self, started: u64) -> Lease {
        Lease::new(SliceLocks::started(&self.paths(), started), || true)
    }

    /// Time passes; the agents look every tick, and one that becomes the writer lists at once. How
    /// many ticks nobody was the writer.
    fn pass(&mut self, time: Duration, agents: &mut [&mut Lease]) -> u32 {
        let (end, mut without) = (self.now + time, 0);
        while self.now < end {
            self.now += TICK;
            for agent in &mut *agents {
                if agent.look(self.now) == Turn::Gained {
                    agent.listed();
                }
            }
            let writers = agents.iter().filter(|agent| agent.is_writer()).count();
            assert!(writers <= 1, "{writers} writers");
            without += u32::from(writers == 0);
        }
        without
    }

    /// `old` writes, and `new` has just taken `slices.next`.
    fn asked(&mut self) -> (Lease, Lease) {
        let (mut old, mut new) = (self.agent(1), self.agent(2));
        self.pass(READY, &mut [&mut old, &mut new]);
        self.now += TICK;
        assert_eq!(new.look(self.now), Turn::Same);
        assert!(new.next.is_some() && old.is_writer());
        (old, new)
    }
}

const SHORT: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

#[test]
fn the_first_agent_writes_at_once() {
    let (mut node, mut only) = (Node::new(), Node::new().agent(1));
    node.pass(TICK, &mut [&mut only]);
    assert!(only.is_writer());
}

#[test]
fn the_agent_that_started_last_takes_over_once_it_was_ready_for_ten_seconds() {
    let mut node = Node::new();
    let (mut old, mut new) = (node.agent(1), node.agent(2));
    node.pass(READY, &mut [&mut old, &mut new]);
    assert!(old.is_writer());
    assert!(node.pass(SHORT, &mut [&mut old, &mut new]) <= 1);
    assert!(new.is_writer() && new.next.is_none());
    assert_eq!(node.pass(LONG, &mut [&mut old, &mut new]), 0);
    assert!(new.is_writer(), "the older one only waits");
}

#[test]
fn of_several_the_last_ends_up_as_the_writer_whatever_their_order() {
    for order in [[1, 2, 3], [3, 1, 2], [2, 3, 1], [3, 2, 1]] {
        let mut node = Node::new();
        let [mut one, mut two, mut three] = order.map(|started| node.agent(started));
        node.pass(LONG, &mut [&mut one, &mut two, &mut three]);
        let writer = [&one, &two, &three].map(Lease::is_writer);
        assert_eq!(writer, order.map(|started| started == 3), "{order:?}");
    }
}

#[test]
fn an_agent_that_is_not_ready_does_not_take_over_and_readiness_counts_from_its_start() {
    let mut node = Node::new();
    let ready = Arc::new(AtomicBool::new(false));
    let (mut old, probe) = (node.agent(1), Arc::clone(&ready));
    let locks = SliceLocks::started(&node.paths(), 2);
    let mut new = Lease::new(locks, move || probe.load(Ordering::Relaxed));
    node.pass(LONG, &mut [&mut old, &mut new]);
    for _ in 0..3 {
        ready.store(true, Ordering::Relaxed);
        node.pass(READY - SHORT, &mut [&mut old, &mut new]);
        ready.store(false, Ordering::Relaxed);
        node.pass(SHORT, &mut [&mut old, &mut new]);
    }
    assert!(old.is_writer());
    ready.store(true, Ordering::Relaxed);
    node.pass(READY + SHORT, &mut [&mut old, &mut new]);
    assert!(new.is_writer());
}

#[test]
fn a_successor_that_is_killed_before_it_takes_over_stops_the_older_for_a_moment() {
    let mut node = Node::new();
    let (mut old, new) = node.asked();
    assert_eq!(old.look(node.now), Turn::Lost);
    assert_eq!(old.look(node.now + TICK), Turn::Same, "it waits for it");
    drop(new);
    assert_eq!(old.look(node.now + TICK * 2), Turn::Gained);
}

#[test]
fn a_successor_that_is_killed_while_it_takes_over_gives_the_lock_back() {
    let mut node = Node::new();
    let (mut old, mut new) = node.asked();
    assert_eq!(old.look(node.now), Turn::Lost);
    assert_eq!(new.look(node.now), Turn::Gained);
    assert!(new.next.is_some(), "it has not listed yet");
    assert_eq!(old.look(node.now + TICK), Turn::Same);
    drop(new);
    assert_eq!(old.look(node.now + TICK * 2), Turn::Gained);
}

#[test]
fn a_successor_that_is_killed_afterwards_gives_the_lock_back() {
    let mut node = Node::new();
    let (mut old, mut new) = node.asked();
    node.pass(LONG, &mut [&mut old, &mut new]);
    assert!(new.is_writer());
    drop(new);
    assert!(node.pass(SHORT, &mut [&mut old]) == 0 && old.is_writer());
}

#[test]
fn an_agent_asks_once() {
    let mut node = Node::new();
    let (mut one, mut two) = node.asked();
    node.pass(SHORT, &mut [&mut one, &mut two]);
    let mut three = node.agent(3);
    node.pass(READY + SHORT, &mut [&mut one, &mut two, &mut three]);
    assert!(three.is_writer());
    drop(three);
    node.pass(SHORT, &mut [&mut one, &mut two]);
    assert!(one.is_writer(), "whoever looks first");
    node.pass(LONG, &mut [&mut one, &mut two]);
    assert!(one.is_writer());
}

#[test]
fn a_successor_that_crashes_again_and_again_never_stops_the_writer_for_long() {
    let mut node = Node::new();
    let mut old = node.agent(1);
    let mut without = 0;
    for lives in [3_000, 9_750, 10_000, 10_250, 10_500, 10_750, 15_000] {
        for started in 2..12 {
            let mut new = node.agent(started);
            let life = Duration::from_millis(lives);
            without = without.max(node.pass(life, &mut [&mut old, &mut new]));
            drop(new);
            without = without.max(node.pass(SHORT, &mut [&mut old]));
            assert!(old.is_writer());
        }
    }
    assert!(without <= 1, "{without} ticks without a writer");
}

#[test]
fn a_successor_that_is_stopped_delays_the_writer_by_seconds() {
    let mut node = Node::new();
    let (mut old, mut new) = node.asked();
    let without = TICK * node.pass(STUCK + SHORT, &mut [&mut old]);
    assert!(old.is_writer() && without <= STUCK + TICK, "{without:?}");
    assert_eq!(node.pass(RESUMED - SHORT * 2, &mut [&mut old]), 0);
    node.pass(LONG, &mut [&mut old, &mut new]);
    assert!(new.is_writer(), "it goes on, and takes over");
}

#[test]
fn a_writer_whose_file_was_removed_shares_with_nobody() {
    let mut node = Node::new();
    let (mut one, mut two) = (node.agent(2), node.agent(1));
    node.pass(SHORT, &mut [&mut one, &mut two]);
    std::fs::remove_file(node.paths().slices_lock()).unwrap();
    assert_eq!(one.look(node.now), Turn::Lost);
    node.pass(SHORT, &mut [&mut one, &mut two]);
    assert!(one.is_writer());
}

#[test]
fn locks_that_cannot_be_used_let_nobody_write() {
    let mut node = Node::new();
    std::fs::create_dir_all(node.paths().slices_lock()).unwrap();
    let mut only = node.agent(1);
    node.pass(SHORT, &mut [&mut only]);
    assert!(!only.is_writer() && only.fault.is_some());
    std::fs::remove_dir(node.paths().slices_lock()).unwrap();
    node.pass(SHORT, &mut [&mut only]);
    assert!(only.is_writer() && only.fault.is_none());
}
