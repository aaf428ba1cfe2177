//! Either a PF or its VFs and SFs can be allocated: they share a counter set.

use std::collections::{BTreeMap, BTreeSet};

use super::chunks::is_whole;
use crate::slice::{Consumption, CounterSet, Device};

/// Counter sets in one slice at most.
pub(super) const MAX_SETS: usize = 8;

/// Sized by what the PF can have, not by what it has: a changed number of VFs does not touch it.
const VFS: &str = "vfs";

/// The kernel does not report how many SFs a PF can have, so they have a counter of their own,
/// which is more than any card has.
const SFS: &str = "sfs";
const MANY: u64 = 65_536;

/// Lets each PF consume all of its set, each VF or SF one. Those of a PF that is not offered need
/// none.
pub(super) fn apply(devices: &mut [Device]) -> Vec<CounterSet> {
    let with_sfs: BTreeSet<String> = devices
        .iter()
        .filter(|device| device.text("type") == "sf")
        .map(|sf| pf_of(sf).to_owned())
        .collect();
    let wholes = devices.iter().filter(|device| is_whole(device));
    let sets: BTreeMap<String, CounterSet> = wholes
        .filter_map(|pf| Some((pf_of(pf).to_owned(), set(pf, with_sfs.contains(pf_of(pf)))?)))
        .collect();
    for device in devices {
        if let Some(set) = sets.get(pf_of(device)) {
            let counters = if is_whole(device) {
                set.counters.clone()
            } else {
                one_of(device)
            };
            device.consumes = vec![Consumption {
                set: set.name.clone(),
                counters,
            }];
        }
    }
    sets.into_values().collect()
}

fn pf_of(device: &Device) -> &str {
    device.text("pfPciAddress")
}

/// None for a PF that is never in parts.
fn set(pf: &Device, with_sfs: bool) -> Option<CounterSet> {
    let vfs = u64::try_from(pf.number("totalVFs"))
        .ok()
        .filter(|total| *total > 0)
        .map(|total| (VFS, total));
    let sfs = with_sfs.then_some((SFS, MANY));
    let counters: BTreeMap<String, u64> = vfs
        .into_iter()
        .chain(sfs)
        .map(|(name, amount)| (name.to_owned(), amount))
        .collect();
    (!counters.is_empty()).then(|| CounterSet {
        name: format!("pf-{}", pf.name),
        counters,
    })
}

fn one_of(part: &Device) -> BTreeMap<String, u64> {
    let counter = if part.text("type") == "sf" { SFS } else { VFS };
    [(counter.to_owned(), 1)].into()
}
