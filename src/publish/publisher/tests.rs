//! The loop against a server in memory.

mod lease;
mod server;

use std::collections::BTreeMap;

use super::*;
use crate::{
    cluster::Memory,
    device::DeviceId,
    publish::tests::{ALL, Case, host},
    slice::{Reason, Slice, Taint},
};

const FAST: Pace = Pace {
    settle: Duration::from_millis(5),
    settle_max: Duration::from_millis(50),
    retry_min: Duration::from_millis(5),
    retry_max: Duration::from_millis(50),
    relist: Duration::from_secs(600),
    lease: Duration::from_millis(250),
};

struct Agent {
    server: Arc<Memory>,
    desired: watch::Sender<Option<Desired>>,
    published: watch::Receiver<Option<Published>>,
    nudge: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Agent {
    fn start(server: &Arc<Memory>, pace: Pace) -> Self {
        Self::with(server, |publisher| Publisher { pace, ..publisher })
    }

    /// At the pace of tests, unless `change` makes it another.
    fn with(server: &Arc<Memory>, change: impl FnOnce(Publisher) -> Publisher) -> Self {
        let (desired, receiver) = watch::channel(None);
        let publisher = change(Publisher::new(server.clone(), receiver, FAST));
        let (published, nudge) = (publisher.published(), publisher.nudge());
        Self {
            server: server.clone(),
            desired,
            published,
            nudge,
            task: tokio::spawn(publisher.run()),
        }
    }

    fn desire(&self, case: &Case) {
        self.desired.send_replace(Some(case.desired()));
    }

    /// Waits until the server holds it.
    async fn holds(&self, case: &Case) {
        let desired = case.desired().slices;
        eventually(async || {
            let mut stored = self.server.stored();
            stored.sort_by_key(|slice| slice.index);
            let without_times = |slice: &Slice| {
                let mut slice = slice.clone();
                if let Slice::Devices(devices) = &mut slice {
                    devices
                        .iter_mut()
                        .flat_map(|d| &mut d.taints)
                        .for_each(|taint| taint.time_added = None);
                }
                slice
            };
            stored
                .iter()
                .map(|slice| without_times(&slice.content))
                .eq(desired.iter().cloned())
                && stored.iter().all(|slice| {
                    !slice.foreign && usize::try_from(slice.count) == Ok(desired.len())
                })
        })
        .await;
    }

    /// Makes the loop do a whole round that it can only do after everything before.
    async fn settle(&self) {
        self.nudge.notify_one();
        tokio::time::sleep(FAST.settle * 20).await;
    }

    /// Dies as with kill -9.
    async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..2_000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never");
}

fn case() -> Case {
    Case::of(host(&[(1, 7, 3), (2, 7, 2)]), ALL)
}

fn down(case: &mut Case, number: usize) {
    let id: DeviceId = case.host.functions[number].id;
    case.taints = BTreeMap::from([(
        id,
        vec![Taint::no_schedule("sriov-dra.io", Reason::LinkDown)],
    )]);
}

#[tokio::test(start_paused = true)]
async fn all_is_created_and_then_nothing_is_written() {
    let agent = Agent::start(&Arc::default(), FAST);
    let case = case();
    agent.desire(&case);
    agent.holds(&case).await;
    assert_eq!(
        agent.server.writes(),
        ["create 0", "create 1", "create 2", "create 3"]
    );
    agent.desire(&case);
    agent.settle().await;
    assert_eq!(agent.server.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn one_taint_is_one_write_of_the_same_generation_and_so_is_its_end() {
    let agent = Agent::start(&Arc::default(), FAST);
    let mut case = case();
    agent.desire(&case);
    agent.holds(&case).await;
    agent.server.writes();
    down(&mut case, 1);
    agent.desire(&case);
    agent.holds(&case).await;
    agent.settle().await;
    assert_eq!(agent.server.writes(), ["update 1"]);
    case.taints.clear();
    agent.desire(&case);
    agent.holds(&case).await;
    assert_eq!(agent.server.writes(), ["update 1"]);
    assert!(
        agent
            .server
            .stored()
            .iter()
            .all(|slice| slice.generation == 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_taint_keeps_its_time_when_its_neighbour_changes() {
    let agent = Agent::start(&Arc::default(), FAST);
    let mut case = case();
    down(&mut case, 1);
    agent.desire(&case);
    agent.holds(&case).await;
    let long_ago = jiff::Timestamp::from_second(1_000).unwrap();
    agent.server.edit(1, |slice| {
        if let Slice::Devices(devices) = &mut slice.content {
            devices[0].taints[0].time_added = Some(long_ago);
        }
    });
    agent.settle().await;
    agent.server.writes();
    case.host.functions[2].acpi_index = Some(9);
    agent.desire(&case);
    agent.holds(&case).await;
    assert_eq!(agent.server.writes(), ["update 1"]);
    let stored = agent.server.stored();
    assert_eq!(
        stored[1].content.devices()[0].taints[0].time_added,
        Some(long_ago)
    );
}

#[tokio::test(start_paused = true)]
async fn slices_come_back_after_the_kubelets_wipe() {
    let agent = Agent::start(&Arc::default(), FAST);
    let case = case();
    agent.desire(&case);
    agent.holds(&case).await;
    agent.server.wipe();
    agent.holds(&case).await;
    assert!(
        agent
            .server
            .stored()
            .iter()
            .all(|slice| slice.generation == 2)
    );
}

#[tokio::test(start_paused = true)]
async fn what_others_do_to_a_slice_is_repaired() {
    let agent = Agent::start(&Arc::default(), FAST);
    let case = case();
    agent.desire(&case);
    agent.holds(&case).await;
    let edits: [fn(&mut crate::slice::StoredSlice); 3] = [
        |slice| slice.content = Slice::Devices(Vec::new()),
        |slice| slice.foreign = true,
        |slice| slice.count = 17,
    ];
    for edit in edits {
        // An edit that follows at once would be another writer's.
        tokio::time::sleep(Duration::from_secs(60)).await;
        agent.server.edit(2, edit);
        agent.settle().await;
        agent.holds(&case).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_successor_adopts_the_slices_and_writes_nothing() {
    let old = Agent::start(&Arc::default(), FAST);
    let (case, server) = (case(), old.server.clone());
    old.desire(&case);
    old.holds(&case).await;
    old.kill().await;
    let before = server.stored();
    server.writes();
    let new = Agent::start(&server, FAST);
    new.settle().await;
    assert_eq!(
        server.writes(),
        [""; 0],
        "nothing is deleted before the inventory is known"
    );
    new.desire(&case);
    new.settle().await;
    assert_eq!(server.stored(), before);
    drop(new.desired);
    new.task.await.unwrap();
    assert_eq!(server.stored(), before, "nor when the agent ends");
}

#[tokio::test(start_paused = true)]
async fn a_successor_knows_what_was_last_published() {
    let old = Agent::start(&Arc::default(), FAST);
    let (mut case, server) = (case(), old.server.clone());
    old.desire(&case);
    old.holds(&case).await;
    old.kill().await;
    let before = server.stored();
    let mut new = Agent::start(&server, FAST);
    new.published.wait_for(Option::is_some).await.unwrap();
    case.host.functions[0].link_speed = None;
    case.published = new.published.borrow().clone().unwrap();
    new.desire(&case);
    new.settle().await;
    assert_eq!(server.stored(), before);
}

#[tokio::test(start_paused = true)]
async fn dropped_fields_are_noticed_and_do_not_make_a_loop() {
    let server = Arc::new(Memory::with(Features {
        counters: true,
        taints: false,
    }));
    let agent = Agent::start(&server, FAST);
    let mut case = case();
    down(&mut case, 1);
    // As if the gate had been turned off after we had asked.
    agent.desire(&case);
    eventually(async || server.stored().len() == 4).await;
    assert_eq!(server.writes().len(), 4);
    for _ in 0..3 {
        agent.settle().await;
    }
    assert_eq!(server.writes(), [""; 0]);
    case.host.functions[2].acpi_index = Some(9);
    agent.desire(&case);
    agent.settle().await;
    assert_eq!(server.writes(), ["update 1"]);
}

#[tokio::test(start_paused = true)]
async fn what_the_server_lacks_is_read_and_passed_on_to_whoever_plans_slices() {
    let server = Arc::new(Memory::with(Features {
        counters: false,
        taints: false,
    }));
    let mut agent = Agent::start(&server, FAST);
    agent.published.wait_for(Option::is_some).await.unwrap();
    let mut case = case();
    case.published = agent.published.borrow().clone().unwrap();
    agent.desire(&case);
    agent.holds(&case).await;
    assert_eq!(server.writes(), ["create 0", "create 1"]);
}

#[tokio::test(start_paused = true)]
async fn errors_are_retried_until_they_end() {
    use ErrorKind::{Conflict, Forbidden, Unreachable};
    let server = Arc::new(Memory::default());
    server.fail(&[Unreachable, Forbidden]);
    let agent = Agent::start(&server, FAST);
    let mut case = case();
    agent.desire(&case);
    agent.holds(&case).await;
    server.fail(&[Conflict, Unreachable, Conflict, Forbidden]);
    case.host.functions.truncate(2);
    agent.desire(&case);
    agent.holds(&case).await;
}

#[tokio::test(start_paused = true)]
async fn a_burst_of_reasons_is_one_round() {
    let pace = Pace {
        settle: Duration::from_millis(100),
        settle_max: Duration::from_secs(2),
        ..FAST
    };
    let agent = Agent::start(&Arc::default(), pace);
    let mut case = case();
    agent.desire(&case);
    agent.holds(&case).await;
    agent.server.writes();
    for number in 0..20 {
        case.host.functions[1].acpi_index = Some(number);
        agent.desire(&case);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    agent.holds(&case).await;
    assert_eq!(agent.server.writes(), ["update 1"]);
}

/// A webhook, a quota: one slice is refused, and what the others say of their devices is not kept
/// back with it.
#[tokio::test(start_paused = true)]
async fn a_slice_that_is_refused_keeps_no_other_from_being_written() {
    for kind in [ErrorKind::Invalid, ErrorKind::Forbidden] {
        let agent = Agent::start(&Arc::default(), FAST);
        let mut case = case();
        agent.desire(&case);
        agent.holds(&case).await;
        agent.server.writes();
        // One of each PF.
        for number in [1, 5] {
            case.host.functions[number].acpi_index = Some(9);
        }
        agent.server.refuse_update(1, Some(kind));
        agent.desire(&case);
        eventually(async || agent.server.writes().contains(&"update 2".to_owned())).await;
        agent.server.refuse_update(1, None);
        agent.holds(&case).await;
        agent.kill().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_foreign_slice_of_the_last_generation_is_replaced() {
    let agent = Agent::start(&Arc::default(), FAST);
    let case = case();
    agent.desire(&case);
    agent.holds(&case).await;
    // Long after the last write: no contest of two writers.
    tokio::time::sleep(Duration::from_secs(30)).await;
    agent.server.edit(1, |slice| slice.generation = i64::MAX);
    eventually(async || {
        let stored = agent.server.stored();
        stored.len() == 4 && stored.iter().all(|slice| slice.generation < 10)
    })
    .await;
    agent.holds(&case).await;
    agent.settle().await;
    agent.server.writes();
    agent.settle().await;
    assert_eq!(agent.server.writes(), [""; 0]);
}
