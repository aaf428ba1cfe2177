//! Two agents of one node, as during a rolling update, and one beside an agent of a version that
//! knows no lease.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::{
    ledger::SliceLocks,
    paths::Paths,
    publish::{
        Lease,
        plan::{Write, plan},
    },
};

const SECOND: Duration = Duration::from_secs(1);

struct Node {
    dir: tempfile::TempDir,
    server: Arc<Memory>,
}

impl Node {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            server: Arc::default(),
        }
    }

    fn locks(&self, started: u64) -> SliceLocks {
        SliceLocks::started(&Paths::below(self.dir.path()), started)
    }

    fn agent(&self, started: u64) -> Agent {
        let lease = Lease::new(self.locks(started), || true);
        Agent::with(&self.server, |publisher| publisher.leased(lease))
    }

    /// The old agent's slices are there.
    async fn published(&self) -> Agent {
        let old = self.agent(1);
        old.desire(&case());
        old.holds(&case()).await;
        self.server.writes();
        old
    }
}

/// One VF fewer, as after `--exclude`.
fn excluded() -> Case {
    let mut case = case();
    case.host.functions.remove(2);
    case
}

#[tokio::test(start_paused = true)]
async fn an_update_to_other_content_writes_each_changed_slice_once() {
    let node = Node::new();
    let old = node.published().await;
    let new = node.agent(2);
    new.desire(&excluded());
    tokio::time::sleep(SECOND * 9).await;
    assert_eq!(node.server.writes(), [""; 0], "not before it is to");
    new.holds(&excluded()).await;
    tokio::time::sleep(SECOND * 60).await;
    assert_eq!(node.server.writes(), ["update 1"]);
    old.kill().await;
    tokio::time::sleep(SECOND * 60).await;
    assert_eq!(node.server.writes(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_waits_knows_what_the_server_holds() {
    let node = Node::new();
    let old = node.published().await;
    let mut new = node.agent(2);
    let count = |published: &Published| published.devices.len();
    new.published.wait_for(Option::is_some).await.unwrap();
    let before = count(new.published.borrow().as_ref().unwrap());
    old.desire(&excluded());
    eventually(async || count(new.published.borrow_and_update().as_ref().unwrap()) == before - 1)
        .await;
}

#[tokio::test(start_paused = true)]
async fn the_writer_makes_way_before_its_next_write() {
    let node = Node::new();
    let old = node.published().await;
    let next = node.locks(2).try_successor().unwrap().unwrap();
    old.desire(&excluded());
    tokio::time::sleep(SECOND * 4).await;
    assert_eq!(node.server.writes(), [""; 0]);
    let writer = node.locks(2).try_writer().unwrap().unwrap();
    drop(next);
    tokio::time::sleep(SECOND * 60).await;
    assert_eq!(node.server.writes(), [""; 0]);
    drop(writer);
    old.holds(&excluded()).await;
    assert_eq!(node.server.writes(), ["update 1"]);
}

/// The new agent is killed at `when` after its start; the older goes on.
async fn killed(when: Duration, during: impl FnOnce(&Memory)) {
    let node = Node::new();
    let old = node.published().await;
    let new = node.agent(2);
    new.desire(&excluded());
    tokio::time::sleep(SECOND * 9).await;
    during(&node.server);
    tokio::time::sleep(when - SECOND * 9).await;
    new.kill().await;
    node.server.fail(&[]);
    old.holds(&case()).await;
    let mut now = case();
    down(&mut now, 5);
    old.desire(&now);
    old.holds(&now).await;
}

#[tokio::test(start_paused = true)]
async fn the_older_goes_on_when_the_new_one_is_killed_before_it_takes_over() {
    killed(Duration::from_millis(9_900), |_| {}).await;
}

#[tokio::test(start_paused = true)]
async fn the_older_goes_on_when_the_new_one_is_killed_while_it_takes_over() {
    // It has both locks, and cannot list.
    let fail = |server: &Memory| server.fail(&[ErrorKind::Unreachable; 100]);
    killed(Duration::from_millis(11_000), fail).await;
}

#[tokio::test(start_paused = true)]
async fn the_older_goes_on_when_the_new_one_is_killed_after_it_took_over() {
    killed(SECOND * 30, |_| {}).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_agent_that_crashes_again_and_again_does_not_stop_the_older() {
    let node = Node::new();
    let old = node.published().await;
    for started in 2..8 {
        let new = node.agent(started);
        new.desire(&case());
        tokio::time::sleep(Duration::from_millis(10_200)).await;
        new.kill().await;
        let mut now = case();
        now.host.functions[2].acpi_index = u32::try_from(started).ok();
        old.desire(&now);
        tokio::time::sleep(SECOND).await;
        assert_eq!(node.server.writes().last().unwrap(), "update 1");
        old.holds(&now).await;
        old.desire(&case());
        tokio::time::sleep(SECOND).await;
        node.server.writes();
    }
}

/// An agent of a version that knows no lease: whatever differs from its slices it writes at once.
/// Counts its writes.
fn old_version(
    server: &Arc<Memory>,
    case: &Case,
) -> (Arc<AtomicUsize>, tokio::task::JoinHandle<()>) {
    let (server, desired) = (Arc::clone(server), case.desired().slices);
    let count = Arc::<AtomicUsize>::default();
    let counts = Arc::clone(&count);
    let task = tokio::spawn(async move {
        let mut changes = server.slice_changes();
        while changes.next().await.is_some() {
            tokio::time::sleep(FAST.settle).await;
            let stored = server.slices().await.unwrap();
            for write in plan(&stored, &desired, 0) {
                let done = match write {
                    Write::Delete(slice) => server.delete_slice(&slice).await,
                    Write::Update(slice, placed) => {
                        server.update_slice(&slice, &placed).await.map(drop)
                    }
                    Write::Create(placed) => server.create_slice(&placed).await.map(drop),
                };
                if done.is_err() {
                    break;
                }
                counts.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    (count, task)
}

#[tokio::test(start_paused = true)]
async fn beside_a_version_without_leases_there_is_one_write_in_ten_seconds() {
    let mut fewer = case();
    fewer.host.functions.truncate(4);
    let mut tainted = case();
    down(&mut tainted, 1);
    for other in [excluded(), fewer, tainted] {
        let node = Node::new();
        node.published().await.kill().await;
        let (theirs, old) = old_version(&node.server, &case());
        let new = node.agent(2);
        new.desire(&other);
        tokio::time::sleep(SECOND).await;
        let mut ours = node.server.writes().len() - theirs.swap(0, Ordering::Relaxed);
        assert!((1..=5).contains(&ours), "{ours} in the first round");
        for _ in 0..6 {
            tokio::time::sleep(SECOND * 10).await;
            ours = node.server.writes().len() - theirs.swap(0, Ordering::Relaxed);
            assert!(ours <= 1, "{ours} writes in ten seconds");
        }
        old.abort();
        for _ in 0..5 {
            tokio::time::sleep(SECOND * 5).await;
        }
        new.holds(&other).await;
        node.server.writes();
        tokio::time::sleep(SECOND * 60).await;
        assert_eq!(node.server.writes(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_deletes_what_replaces_deleted_slices_is_not_answered_at_once() {
    let node = Node::new();
    let agent = node.published().await;
    node.server.wipe();
    agent.holds(&case()).await;
    assert_eq!(node.server.writes().len(), 4, "the kubelet's wipe");
    let mut writes = 0;
    for _ in 0..60 {
        node.server.wipe();
        tokio::time::sleep(SECOND).await;
        writes += node.server.writes().len();
    }
    assert!(writes <= 10, "{writes} writes in a minute");
    tokio::time::sleep(SECOND * 30).await;
    agent.holds(&case()).await;
}

#[tokio::test(start_paused = true)]
async fn two_agents_that_do_not_share_locks_write_rarely() {
    let server: Arc<Memory> = Arc::default();
    let old = Agent::start(&server, Pace::default());
    let new = Agent::start(&server, Pace::default());
    old.desire(&case());
    tokio::time::sleep(SECOND * 5).await;
    server.writes();
    let mut tainted = case();
    down(&mut tainted, 1);
    let fewer = Case::of(host(&[(1, 7, 3)]), ALL);
    for other in [tainted, fewer] {
        new.desire(&other);
        tokio::time::sleep(SECOND * 60).await;
        let writes = server.writes();
        // One in ten seconds each, and now and then a round that the other answered late.
        assert!(writes.len() <= 20, "{} in a minute", writes.len());
    }
}
