//! The server becomes another version, and the Node another object, under a running agent.

use super::*;

const PLAIN: Features = Features {
    counters: false,
    taints: false,
};
const SECOND: Duration = Duration::from_secs(1);

fn features(agent: &Agent) -> Option<Features> {
    agent.published.borrow().as_ref().map(|now| now.features)
}

#[tokio::test(start_paused = true)]
async fn slices_that_went_with_their_node_come_back_with_the_new_ones_uid() {
    for away in [1, 3, 9] {
        let agent = Agent::start(&Arc::default(), Pace::default());
        agent.desire(&case());
        agent.holds(&case()).await;
        agent.server.replace_node(None);
        tokio::time::sleep(SECOND * away).await;
        assert_eq!(agent.server.stored(), [], "nobody would own them");
        agent.server.replace_node(Some("new"));
        tokio::time::sleep(SECOND * 15).await;
        agent.holds(&case()).await;
        assert_eq!(agent.server.owners(), ["new"; 4], "{away} s away");
        agent.server.writes();
        for _ in 0..60 {
            agent.server.collect();
            tokio::time::sleep(SECOND).await;
        }
        assert_eq!(agent.server.writes(), [""; 0]);
        assert_eq!(agent.server.owners(), ["new"; 4]);
    }
}

#[tokio::test(start_paused = true)]
async fn slices_of_a_node_that_was_made_anew_are_written_again_before_they_are_collected() {
    let agent = Agent::start(&Arc::default(), FAST);
    agent.desire(&case());
    agent.holds(&case()).await;
    let before = agent.server.stored();
    agent.server.replace_node_unnoticed("new");
    agent.settle().await;
    assert_eq!(agent.server.owners(), ["new"; 4]);
    agent.server.collect();
    agent.settle().await;
    let names = |stored: &[crate::slice::StoredSlice]| {
        let names = stored.iter().map(|slice| slice.name.clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&agent.server.stored()), names(&before));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_upgraded_is_asked_again_at_the_next_relist() {
    let server = Arc::new(Memory::with(PLAIN));
    let agent = Agent::start(&server, FAST);
    agent.desire(&Case::of(host(&[(1, 7, 3)]), PLAIN));
    eventually(async || features(&agent) == Some(PLAIN)).await;
    server.upgrade(ALL);
    tokio::time::sleep(FAST.relist + SECOND).await;
    assert_eq!(features(&agent), Some(ALL));
    agent.desire(&case());
    agent.holds(&case()).await;
}

#[tokio::test(start_paused = true)]
async fn no_answer_leaves_the_features_as_they_are_and_is_asked_for_again() {
    use ErrorKind::{Forbidden, Invalid, Unreachable};
    let agent = Agent::start(&Arc::default(), FAST);
    agent.desire(&case());
    agent.holds(&case()).await;
    agent.server.upgrade(PLAIN);
    for error in [Unreachable, Invalid, Forbidden] {
        agent.server.fail(&[error]);
        agent.nudge.notify_one();
        tokio::time::sleep(FAST.settle * 2).await;
        assert_eq!(features(&agent), Some(ALL));
    }
    agent.settle().await;
    assert_eq!(features(&agent), Some(PLAIN));
}

#[tokio::test(start_paused = true)]
async fn what_a_server_drops_makes_the_agent_ask_and_what_it_keeps_later_is_sent_again() {
    let server: Arc<Memory> = Arc::default();
    let agent = Agent::start(&server, FAST);
    let mut case = case();
    agent.desire(&case);
    agent.holds(&case).await;
    let lost = Features {
        taints: false,
        ..ALL
    };
    server.upgrade(lost);
    down(&mut case, 1);
    agent.desire(&case);
    eventually(async || features(&agent) == Some(lost)).await;
    agent.settle().await;
    server.writes();
    tokio::time::sleep(SECOND * 60).await;
    assert_eq!(server.writes(), [""; 0], "not again and again");
    server.upgrade(ALL);
    tokio::time::sleep(FAST.relist + SECOND).await;
    agent.holds(&case).await;
    assert_eq!(server.writes(), ["update 1"]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_watch_makes_the_agent_ask_and_its_beginning_does_not() {
    let agent = Agent::start(&Arc::default(), FAST);
    agent.desire(&case());
    agent.holds(&case()).await;
    agent.server.upgrade(PLAIN);
    for expected in [ALL, PLAIN] {
        agent.server.interrupt();
        tokio::time::sleep(FAST.settle * 20).await;
        assert_eq!(features(&agent), Some(expected));
    }
}
