//! Which claim holds which device, and what remains of shared counters.

use std::collections::BTreeMap;

use super::{
    objects::{AllocationResult, Claim, Consumption, Listed},
    snapshot::Snapshot,
};
use crate::{selector::Quantity, slice::DeviceRef};

type DeviceKey<'a> = DeviceRef<&'a str>;

/// Driver, pool, counter set, counter.
pub(super) type CounterName<'a> = (&'a str, &'a str, &'a str, &'a str);

/// What remains of each counter.
pub(super) type Left<'a> = BTreeMap<CounterName<'a>, Quantity>;

/// Allocated devices and their claims.
pub(super) struct Holders<'a> {
    by_device: BTreeMap<DeviceKey<'a>, &'a Claim>,
    devices: BTreeMap<DeviceKey<'a>, Listed<'a>>,
    sizes: Left<'a>,
    left: Left<'a>,
}

impl<'a> Holders<'a> {
    /// Considers all claims except the explained one (`own`), whose devices are available to it.
    pub(super) fn of(snapshot: &'a Snapshot, all: &[Listed<'a>], own: Option<&Claim>) -> Self {
        let others = snapshot
            .claims
            .iter()
            .filter(|claim| own.is_none_or(|own| own.path() != claim.path()));
        let by_device = others
            .flat_map(|claim| results(claim).map(move |result| (result.device.borrowed(), claim)))
            .collect();
        let devices: BTreeMap<DeviceKey<'a>, Listed<'a>> =
            all.iter().map(|listed| (listed.name(), *listed)).collect();
        let sizes = sizes(snapshot);
        let mut holders = Self {
            by_device,
            devices,
            left: sizes.clone(),
            sizes,
        };
        for key in holders.by_device.keys() {
            let Some(listed) = holders.devices.get(key) else {
                continue;
            };
            consume(&mut holders.left, listed);
        }
        holders
    }

    /// The claim that holds this device.
    pub(super) fn of_device(&self, listed: &Listed<'a>) -> Option<&'a Claim> {
        self.by_device.get(&listed.name()).copied()
    }

    /// What remains of the counters.
    pub(super) fn left(&self) -> &Left<'a> {
        &self.left
    }

    /// The first counter with too little left for this device, and who consumes the rest.
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
            .filter_map(|(key, claim)| Some((*self.devices.get(key)?, *claim)));
        all.filter(|(listed, _)| consumption(listed).any(|(name, _)| name == counter))
            .collect()
    }
}

/// A counter with too little left.
#[derive(Debug, Clone)]
pub(super) struct Shortage<'a> {
    pub(super) counter: CounterName<'a>,
    pub(super) needs: Quantity,
    pub(super) left: Quantity,
    pub(super) size: Quantity,
    pub(super) consumers: Vec<(Listed<'a>, &'a Claim)>,
}

/// The devices that a claim holds. A result with `adminAccess` does not hold its device.
fn results(claim: &Claim) -> impl Iterator<Item = &AllocationResult> {
    let all = claim
        .status
        .allocation
        .iter()
        .flat_map(|allocation| &allocation.devices.results);
    all.filter(|result| !result.admin_access)
}

fn sizes(snapshot: &Snapshot) -> Left<'_> {
    let mut sizes = Left::new();
    for slice in snapshot.current() {
        let (driver, pool) = (
            slice.spec.driver.as_str(),
            slice.spec.slice_pool.name.as_str(),
        );
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

/// The counters that a device consumes, and how much.
pub(super) fn consumption<'a>(
    listed: &Listed<'a>,
) -> impl Iterator<Item = (CounterName<'a>, Quantity)> + use<'a> {
    let (driver, pool) = (listed.driver, listed.slice_pool);
    let of = move |consumption: &'a Consumption| {
        let set = consumption.counter_set.as_str();
        consumption
            .counters
            .iter()
            .map(move |(name, counter)| ((driver, pool, set, &**name), counter.value))
    };
    listed.device.consumes_counters.iter().flat_map(of)
}

/// Subtracts what a device consumes. The result may be negative: allocations made before the
/// counters were published are not rejected here.
pub(super) fn consume<'a>(left: &mut Left<'a>, listed: &Listed<'a>) {
    for (counter, needs) in consumption(listed) {
        let rest = left.entry(counter).or_default();
        *rest = rest.less(needs);
    }
}

/// Reverts [`consume`].
pub(super) fn release<'a>(left: &mut Left<'a>, listed: &Listed<'a>) {
    for (counter, needs) in consumption(listed) {
        let rest = left.entry(counter).or_default();
        *rest = rest.plus(needs);
    }
}
