use proptest::prelude::*;

use super::*;
use crate::slice::{Device, Effect};

fn taint(time_added: Option<i64>) -> Taint {
    let time_added = time_added.map(|second| jiff::Timestamp::from_second(second).unwrap());
    Taint {
        key: "sriov-dra.io/link-down".into(),
        value: String::new(),
        effect: Effect::NoSchedule,
        time_added,
    }
}

/// A slice of devices with these names; a `!` behind one taints it.
fn slice(names: &[&str]) -> Slice {
    let device = |name: &&str| Device {
        name: name.trim_end_matches('!').into(),
        taints: if name.ends_with('!') {
            vec![taint(None)]
        } else {
            Vec::new()
        },
        ..Device::default()
    };
    Slice::Devices(names.iter().map(device).collect())
}

fn stored(index: usize, generation: i64, count: i64, content: Slice) -> StoredSlice {
    StoredSlice {
        name: format!("{index:05x}-x"),
        uid: "u".into(),
        version: "1".into(),
        index: Some(index),
        own_pool: true,
        generation,
        count,
        content,
        foreign: false,
    }
}

fn pool() -> Vec<StoredSlice> {
    vec![
        stored(0, 4, 2, slice(&["a", "b"])),
        stored(1, 4, 2, slice(&["c"])),
    ]
}

/// The writes in short: verb, index, generation.
fn said(writes: &[Write]) -> Vec<String> {
    let text = |write: &Write| match write {
        Write::Delete(slice) => format!("delete {}", slice.name),
        Write::Update(_, placed) => format!(
            "update {} g{} of {}",
            placed.index, placed.generation, placed.count
        ),
        Write::Create(placed) => format!(
            "create {} g{} of {}",
            placed.index, placed.generation, placed.count
        ),
    };
    writes.iter().map(text).collect()
}

fn planned(stored: &[StoredSlice], desired: &[Slice]) -> Vec<String> {
    said(&plan(stored, desired, 0))
}

#[test]
fn what_is_there_already_is_not_written() {
    assert_eq!(
        planned(&pool(), &[slice(&["a", "b"]), slice(&["c"])]),
        [""; 0]
    );
}

#[test]
fn one_changed_slice_is_written_in_place() {
    assert_eq!(
        planned(&pool(), &[slice(&["a", "b!"]), slice(&["c"])]),
        ["update 0 g4 of 2"]
    );
    assert_eq!(
        planned(&pool(), &[slice(&["a"]), slice(&["c"])]),
        ["update 0 g4 of 2"]
    );
}

#[test]
fn taints_on_several_slices_are_written_in_place_too() {
    let desired = [slice(&["a!", "b"]), slice(&["c!"])];
    assert_eq!(
        planned(&pool(), &desired),
        ["update 0 g4 of 2", "update 1 g4 of 2"]
    );
}

#[test]
fn members_that_come_and_go_in_several_slices_are_written_in_place() {
    for desired in [
        [slice(&["a"]), slice(&["c", "d"])],
        [slice(&["a"]), slice(&[])],
        [slice(&["b", "a", "d"]), slice(&["e"])],
    ] {
        assert_eq!(
            planned(&pool(), &desired),
            ["update 0 g4 of 2", "update 1 g4 of 2"]
        );
    }
}

/// A slice of counter sets with these names and sizes.
fn counters(sets: &[(&str, u64)]) -> Slice {
    let set = |(name, size): &(&str, u64)| crate::slice::CounterSet {
        name: (*name).into(),
        counters: [("vfs".to_owned(), *size)].into(),
    };
    Slice::SharedCounters(sets.iter().map(set).collect())
}

#[test]
fn counter_sets_come_before_their_consumers_and_go_after_them() {
    let pool = [
        stored(0, 4, 2, counters(&[("p", 8), ("q", 8)])),
        stored(1, 4, 2, slice(&["a", "b"])),
    ];
    let fewer = [counters(&[("p", 8)]), slice(&["a"])];
    assert_eq!(
        planned(&pool, &fewer),
        ["update 1 g4 of 2", "update 0 g4 of 2"]
    );
    let more = [
        counters(&[("p", 8), ("q", 8), ("r", 8)]),
        slice(&["a", "b", "c"]),
    ];
    assert_eq!(
        planned(&pool, &more),
        ["update 0 g4 of 2", "update 1 g4 of 2"]
    );
    let other = [counters(&[("p", 9), ("q", 8)]), slice(&["a"])];
    assert_eq!(
        planned(&pool, &other),
        ["update 0 g5 of 2", "update 1 g5 of 2"]
    );
}

#[test]
fn a_device_that_moves_to_another_slice_needs_a_new_generation() {
    let desired = [slice(&["a"]), slice(&["b", "c"])];
    assert_eq!(
        planned(&pool(), &desired),
        ["update 0 g5 of 2", "update 1 g5 of 2"]
    );
}

#[test]
fn a_changed_count_writes_every_slice() {
    let desired = [slice(&["a", "b"]), slice(&["c"]), slice(&["d"])];
    assert_eq!(
        planned(&pool(), &desired),
        ["update 0 g5 of 3", "update 1 g5 of 3", "create 2 g5 of 3"]
    );
    assert_eq!(
        planned(&pool(), &desired[..1]),
        ["delete 00001-x", "update 0 g5 of 1"]
    );
}

#[test]
fn a_wiped_pool_comes_back_above_its_last_generation() {
    assert_eq!(said(&plan(&[], &[slice(&["a"])], 4)), ["create 0 g5 of 1"]);
    assert_eq!(planned(&[], &[slice(&["a"])]), ["create 0 g1 of 1"]);
}

#[test]
fn obsolete_ones_go_first_and_cost_nothing_else() {
    let mut all = pool();
    all.push(StoredSlice {
        name: "random".into(),
        index: None,
        generation: 3,
        ..all[0].clone()
    });
    all.push(StoredSlice {
        name: "00000-twin".into(),
        generation: 3,
        ..all[0].clone()
    });
    assert_eq!(
        planned(&all, &[slice(&["a", "b"]), slice(&["c"])]),
        ["delete 00000-twin", "delete random"]
    );
}

#[test]
fn a_write_of_all_that_was_cut_off_in_the_middle_is_finished() {
    let mut all = pool();
    all[0].generation = 5;
    let desired = [slice(&["a", "b"]), slice(&["c"])];
    assert_eq!(
        planned(&all, &desired),
        ["update 0 g6 of 2", "update 1 g6 of 2"]
    );
}

#[test]
fn a_foreign_edit_is_repaired_in_place() {
    let mut all = pool();
    all[1].foreign = true;
    assert_eq!(
        planned(&all, &[slice(&["a", "b"]), slice(&["c"])]),
        ["update 1 g4 of 2"]
    );
}

#[test]
fn the_time_of_a_taint_is_kept() {
    let mut all = vec![stored(0, 1, 1, slice(&["a!", "b"]))];
    let Slice::Devices(devices) = &mut all[0].content else {
        unreachable!()
    };
    devices[0].taints = vec![taint(Some(1_000))];
    assert_eq!(planned(&all, &[slice(&["a!", "b"])]), [""; 0]);
    let writes = plan(&all, &[slice(&["a!", "b!"])], 0);
    let [Write::Update(_, placed)] = &writes[..] else {
        panic!("{writes:?}")
    };
    let times: Vec<_> = placed
        .content
        .devices()
        .iter()
        .map(|device| device.taints[0].time_added)
        .collect();
    assert_eq!(times, [taint(Some(1_000)).time_added, None]);
}

fn contents() -> impl Strategy<Value = Vec<Slice>> {
    let names = prop::collection::vec(prop::sample::select(vec!["a", "a!", "b", "c", "c!"]), 0..3);
    prop::collection::vec(names.prop_map(|names| slice(&names)), 1..5)
}

fn messy() -> impl Strategy<Value = Vec<StoredSlice>> {
    let one = (
        prop::option::of(0usize..5),
        0i64..4,
        0i64..5,
        contents(),
        any::<bool>(),
    );
    let slice = one.prop_map(
        |(index, generation, count, mut content, foreign)| StoredSlice {
            index,
            foreign,
            ..stored(0, generation, count, content.remove(0))
        },
    );
    prop::collection::vec(slice, 0..7).prop_map(|mut all| {
        all.iter_mut()
            .enumerate()
            .for_each(|(number, slice)| slice.name = format!("s{number}"));
        all
    })
}

proptest! {
    /// From any mess one round leads to what is desired, with one generation and one count, and the
    /// next writes nothing.
    #[test]
    fn one_round_is_enough(mut all in messy(), desired in contents()) {
        for write in plan(&all, &desired, 0) {
            applied(&mut all, &write);
        }
        all.sort_by_key(|slice| slice.index);
        prop_assert_eq!(all.iter().map(|slice| slice.content.clone()).collect::<Vec<_>>(), desired.clone());
        prop_assert!(all.iter().all(|slice| slice.generation == all[0].generation));
        prop_assert!(all.iter().all(|slice| slice.count == i64::try_from(desired.len()).unwrap() && !slice.foreign));
        prop_assert_eq!(plan(&all, &desired, 0), vec![]);
    }

    /// Readers see what is desired only once the last write is done: none before makes a complete
    /// newer pool.
    #[test]
    fn a_new_generation_is_complete_only_at_the_end(mut all in messy(), desired in contents()) {
        let writes = plan(&all, &desired, 0);
        let before = all.iter().map(|slice| slice.generation).max().unwrap_or(0);
        for (number, write) in writes.iter().enumerate() {
            applied(&mut all, write);
            let newer = all.iter().filter(|slice| slice.generation > before).count();
            prop_assert!(newer < desired.len() || number + 1 == writes.len());
        }
    }
}

/// `existing` after this write, as a server would have it.
fn applied(existing: &mut Vec<StoredSlice>, write: &Write) {
    let of = |placed: &Placed, name: String| StoredSlice {
        name,
        ..stored(
            placed.index,
            placed.generation,
            i64::try_from(placed.count).unwrap(),
            placed.content.clone(),
        )
    };
    match write {
        Write::Delete(gone) => existing.retain(|slice| slice.name != gone.name),
        Write::Create(placed) => existing.push(of(placed, format!("new{}", placed.index))),
        Write::Update(old, placed) => {
            existing.retain(|slice| slice.name != old.name);
            existing.push(of(placed, old.name.clone()));
        }
    }
}

/// A generation that nothing can follow: whoever wrote it, its slice is not this agent's.
#[test]
fn a_generation_that_cannot_be_followed_is_deleted_and_not_counted_from() {
    for generation in [i64::MAX, i64::MAX - 1] {
        let desired = [slice(&["a", "b"]), slice(&["c"])];
        let mut stored = pool();
        stored[0].generation = generation;
        let writes = plan(&stored, &desired, 0);
        assert_eq!(writes[0], Write::Delete(stored[0].clone()));
        let written = writes.iter().filter_map(|write| match write {
            Write::Delete(_) => None,
            Write::Update(_, placed) | Write::Create(placed) => Some(placed.generation),
        });
        assert_eq!(written.collect::<Vec<_>>(), [5, 5]);
    }
}
