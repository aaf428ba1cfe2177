//! Who has which device, and what is left of the counters that devices share.

use std::collections::BTreeMap;

use super::{
    objects::{AllocationResult, Claim, Consumption, Listed},
    snapshot::Snapshot,
};
use crate::selector::Quantity;

/// Driver, pool, device.
type Place<'a> = (&'a str, &'a str, &'a str);

/// Driver, pool, counter set, counter.
pub(super) type CounterName<'a> = (&'a str, &'a str, &'a str, &'a str);

/// What is left of each counter.
pub(super) type Left<'a> = BTreeMap<CounterName<'a>, Quantity>;

/// Who has what.
pub(super) struct Holders<'a> {
    by_device: BTreeMap<Place<'a>, &'a Claim>,
    devices: BTreeMap<Place<'a>, Listed<'a>>,
    sizes: Left<'a>,
    left: Left<'a>,
}

impl<'a> Holders<'a> {
    /// All claims count but the one that is explained: its own devices are free to it.
    pub(super) fn of(snapshot: &'a Snapshot, all: &[Listed<'a>], own: Option<&Claim>) -> Self {
        let others = snapshot
            .claims
            .iter()
            .filter(|claim| own.is_none_or(|own| own.path() != claim.path()));
        let by_device = others
            .flat_map(|claim| results(claim).map(move |result| (place_of(result), claim)))
            .collect();
        let devices: BTreeMap<Place<'a>, Listed<'a>> =
            all.iter().map(|listed| (place(listed), *listed)).collect();
        let sizes = sizes(snapshot);
        let mut holders = Self {
            by_device,
            devices,
            left: sizes.clone(),
            sizes,
        };
        for place in holders.by_device.keys() {
            let Some(listed) = holders.devices.get(place) else {
                continue;
            };
            consume(&mut holders.left, listed);
        }
        holders
    }

    /// The claim that has this device.
    pub(super) fn of_device(&self, listed: &Listed<'a>) -> Option<&'a Claim> {
        self.by_device.get(&place(listed)).copied()
    }

    /// What is left of the counters.
    pub(super) fn left(&self) -> &Left<'a> {
        &self.left
    }

    /// The first counter that has too little left for this device: how much, of how much, and who has the rest.
    pub(super) fn shortage(&self, listed: &Listed<'a>) -> Option<Shortage<'a>> {
        consumption(listed).find_map(|(counter, needs)| {
            let left = self.left.get(&counter).copied().unwrap_or_default();
            let size = self.sizes.get(&counter).copied().unwrap_or_default();
            (needs > left).then(|| Shortage {
                counter,
                needs,
                left,
                size,
                consumers: self.consumers(counter),
            })
        })
    }

    fn consumers(&self, counter: CounterName<'a>) -> Vec<(Listed<'a>, &'a Claim)> {
        let all = self
            .by_device
            .iter()
            .filter_map(|(place, claim)| Some((*self.devices.get(place)?, *claim)));
        all.filter(|(listed, _)| consumption(listed).any(|(name, _)| name == counter))
            .collect()
    }
}

/// A counter that does not have enough.
#[derive(Debug, Clone)]
pub(super) struct Shortage<'a> {
    pub(super) counter: CounterName<'a>,
    pub(super) needs: Quantity,
    pub(super) left: Quantity,
    pub(super) size: Quantity,
    pub(super) consumers: Vec<(Listed<'a>, &'a Claim)>,
}

/// Those that count: who only observes a device does not hold it.
fn results(claim: &Claim) -> impl Iterator<Item = &AllocationResult> {
    let all = claim
        .status
        .allocation
        .iter()
        .flat_map(|allocation| &allocation.devices.results);
    all.filter(|result| !result.admin_access)
}

fn place_of(result: &AllocationResult) -> Place<'_> {
    (&result.driver, &result.pool, &result.device)
}

pub(super) fn place<'a>(listed: &Listed<'a>) -> Place<'a> {
    (listed.driver, listed.pool, &listed.device.name)
}

fn sizes(snapshot: &Snapshot) -> Left<'_> {
    let mut sizes = Left::new();
    for slice in snapshot.current() {
        let (driver, pool) = (slice.spec.driver.as_str(), slice.spec.pool.name.as_str());
        for set in &slice.spec.shared_counters {
            let counters = set
                .counters
                .iter()
                .map(|(name, counter)| ((driver, pool, &*set.name, &**name), counter.value));
            sizes.extend(counters);
        }
    }
    sizes
}

/// What a device takes of which counter.
pub(super) fn consumption<'a>(
    listed: &Listed<'a>,
) -> impl Iterator<Item = (CounterName<'a>, Quantity)> + use<'a> {
    let (driver, pool) = (listed.driver, listed.pool);
    let of = move |consumption: &'a Consumption| {
        let set = consumption.counter_set.as_str();
        consumption
            .counters
            .iter()
            .map(move |(name, counter)| ((driver, pool, set, &**name), counter.value))
    };
    listed.device.consumes_counters.iter().flat_map(of)
}

/// Takes what the device needs; it may be more than there is.
pub(super) fn consume<'a>(left: &mut Left<'a>, listed: &Listed<'a>) {
    for (counter, needs) in consumption(listed) {
        let rest = left.entry(counter).or_default();
        *rest = rest.less(needs);
    }
}

/// Gives it back.
pub(super) fn release<'a>(left: &mut Left<'a>, listed: &Listed<'a>) {
    for (counter, needs) in consumption(listed) {
        let rest = left.entry(counter).or_default();
        *rest = rest.plus(needs);
    }
}
