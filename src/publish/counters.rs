//! Either a PF or its VFs can be given away: they share a counter set.

use std::collections::BTreeMap;

use super::{Consumption, CounterSet, Device};

/// Counter sets in one slice at most.
pub(super) const MAX_SETS: usize = 8;

/// Sized by what the PF can have, not by what it has: a changed number of VFs does not touch it.
const COUNTER: &str = "vfs";

/// Lets each PF consume all of its set, each VF one. VFs of a PF that is not offered need none.
pub(super) fn apply(devices: &mut [Device]) -> Vec<CounterSet> {
    let sets: BTreeMap<String, (String, u64)> = devices
        .iter()
        .filter(|device| device.text("type") == "pf")
        .filter_map(|pf| {
            let total = u64::try_from(pf.number("totalVFs")).ok().filter(|total| *total > 0)?;
            Some((pf.text("pciAddress").to_owned(), (format!("pf-{}", pf.name), total)))
        })
        .collect();
    for device in devices {
        if let Some((set, total)) = sets.get(device.text("pfPciAddress")) {
            let amount = if device.text("type") == "pf" { *total } else { 1 };
            device.consumes = vec![Consumption { set: set.clone(), counters: amounts(amount) }];
        }
    }
    sets.into_values().map(|(name, total)| CounterSet { name, counters: amounts(total) }).collect()
}

fn amounts(amount: u64) -> BTreeMap<String, u64> {
    [(COUNTER.to_owned(), amount)].into()
}
