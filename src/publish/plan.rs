//! What to write so that the server holds the desired slices: pure, and nothing when it does
//! already.
//!
//! Readers use the slices of a pool's highest generation only, and wait until there are as many as
//! `resourceSliceCount` says. So a slice is written in place as long as readers may see the pool
//! between two writes: no device is in two slices or, having moved, in none, and none consumes from
//! a counter set that is not there. Whatever else changes gets a new generation, which every slice
//! must carry.
//!
//! Source of the rules: `resourceslicecontroller.go` of `k8s.io/dynamic-resource-allocation`.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::slice::{Placed, Slice, StoredSlice, Taint};

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Write {
    /// It does not follow this driver's rules, or is one too many.
    Delete(StoredSlice),
    /// It holds something else.
    Update(StoredSlice, Placed),
    /// There is none.
    Create(Placed),
}

impl Write {
    /// Whether it is of a slice of counters.
    pub(super) fn is_of_counters(&self) -> bool {
        match self {
            Self::Delete(slice) => is_counters(&slice.content),
            Self::Update(_, placed) | Self::Create(placed) => is_counters(&placed.content),
        }
    }
}

/// The writes in their order: away with the obsolete, then updates, then new ones. `floor` is the
/// highest generation that is known to have been used.
pub(super) fn plan(stored: &[StoredSlice], desired: &[Slice], floor: i64) -> Vec<Write> {
    let (matched, obsolete) = by_index(stored, desired.len());
    let newest = stored
        .iter()
        .map(|slice| slice.generation)
        .filter(|generation| is_followed(*generation))
        .max()
        .unwrap_or(0)
        .max(floor);
    let differs = |index: &usize, slice: &&StoredSlice| {
        let content = with_times(&desired[*index], &slice.content);
        slice.foreign
            || slice.content != content
            || slice.count != count(desired)
            || slice.generation != newest
    };
    let changed: Vec<usize> = matched
        .iter()
        .filter(|(index, slice)| differs(index, slice))
        .map(|(index, _)| *index)
        .collect();
    let complete = matched.len() == desired.len();
    let counters = counters_change(&changed, &matched, desired);
    let in_place = complete
        && counters != CountersChange::Mixed
        && changed.iter().all(|index| {
            matched[index].generation == newest && matched[index].count == count(desired)
        })
        && !moves_devices(&changed, &matched, desired);
    let generation = if in_place { newest } else { newest + 1 };
    let mut writes: Vec<Write> = obsolete.into_iter().cloned().map(Write::Delete).collect();
    let placed = |index: usize, content| Placed {
        index,
        generation,
        count: desired.len(),
        content,
    };
    let mut order: Vec<(&usize, &&StoredSlice)> = matched.iter().collect();
    if counters == CountersChange::Removed {
        // Their consumers go first.
        order.sort_by_key(|(index, _)| is_counters(&desired[**index]));
    }
    for (index, slice) in order {
        if !in_place || changed.contains(index) {
            let content = with_times(&desired[*index], &slice.content);
            writes.push(Write::Update((*slice).clone(), placed(*index, content)));
        }
    }
    let missing = (0..desired.len()).filter(|index| !matched.contains_key(index));
    writes.extend(missing.map(|index| Write::Create(placed(index, desired[index].clone()))));
    writes
}

/// Whether another generation can follow. No agent counts as far as that: such a slice is somebody
/// else's, and readers would look at it alone for ever.
pub(super) fn is_followed(generation: i64) -> bool {
    generation < i64::MAX / 2
}

/// Slices by their place; the rest is obsolete: of another rule or pool, beyond the end, there twice,
/// or of a generation that none can follow.
fn by_index(
    stored: &[StoredSlice],
    places: usize,
) -> (BTreeMap<usize, &StoredSlice>, Vec<&StoredSlice>) {
    let (mut matched, mut obsolete) = (BTreeMap::<usize, &StoredSlice>::new(), Vec::new());
    let mut newest_first: Vec<&StoredSlice> = stored.iter().collect();
    newest_first.sort_by(|one, two| (two.generation, &one.name).cmp(&(one.generation, &two.name)));
    for slice in newest_first {
        match slice
            .index
            .filter(|index| *index < places && !matched.contains_key(index))
            .filter(|_| is_followed(slice.generation))
        {
            Some(index) => drop(matched.insert(index, slice)),
            None => obsolete.push(slice),
        }
    }
    (matched, obsolete)
}

/// Whether a device of a changed slice was in another one.
fn moves_devices(
    changed: &[usize],
    matched: &BTreeMap<usize, &StoredSlice>,
    desired: &[Slice],
) -> bool {
    let before: BTreeMap<&str, usize> = matched
        .iter()
        .flat_map(|(index, slice)| {
            let devices = slice.content.devices().iter();
            devices.map(|device| (device.name.as_str(), *index))
        })
        .collect();
    changed.iter().any(|index| {
        let mut devices = desired[*index].devices().iter();
        devices.any(|device| {
            before
                .get(device.name.as_str())
                .is_some_and(|at| at != index)
        })
    })
}

/// What becomes of the counter sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CountersChange {
    /// Nothing, or some are added: before the devices that consume from them.
    Added,
    /// Some are removed: after those.
    Removed,
    /// Others are there, or not the only ones of a slice that changes.
    Mixed,
}

fn counters_change(
    changed: &[usize],
    matched: &BTreeMap<usize, &StoredSlice>,
    desired: &[Slice],
) -> CountersChange {
    let sets = |slice: &Slice| match slice {
        Slice::SharedCounters(sets) => sets.clone(),
        Slice::Devices(_) => vec![],
    };
    let (mut added, mut removed) = (false, false);
    for index in changed {
        let (old, new) = (sets(&matched[index].content), sets(&desired[*index]));
        added |= new.iter().any(|set| !old.contains(set));
        removed |= old.iter().any(|set| !new.contains(set));
    }
    match (added, removed) {
        // Alone it is seen at once.
        (true, true) if changed.len() > 1 => CountersChange::Mixed,
        (_, true) => CountersChange::Removed,
        (_, false) => CountersChange::Added,
    }
}

fn is_counters(slice: &Slice) -> bool {
    matches!(slice, Slice::SharedCounters(_))
}

fn count(desired: &[Slice]) -> i64 {
    i64::try_from(desired.len()).unwrap_or(i64::MAX)
}

/// The desired slice, with the times at which the server first saw its taints: without them every
/// taint would differ.
pub(super) fn with_times(desired: &Slice, stored: &Slice) -> Slice {
    let Slice::Devices(devices) = desired else {
        return desired.clone();
    };
    let old: BTreeMap<&str, &[Taint]> = stored
        .devices()
        .iter()
        .map(|device| (device.name.as_str(), device.taints.as_slice()))
        .collect();
    let mut devices = devices.clone();
    for device in &mut devices {
        let old = old.get(device.name.as_str()).copied().unwrap_or_default();
        for taint in device
            .taints
            .iter_mut()
            .filter(|taint| taint.time_added.is_none())
        {
            let same = |old: &&Taint| {
                (&old.key, &old.value, old.effect) == (&taint.key, &taint.value, taint.effect)
            };
            taint.time_added = old.iter().find(same).and_then(|taint| taint.time_added);
        }
    }
    Slice::Devices(devices)
}
