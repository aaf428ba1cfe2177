//! Which devices are tainted, and why.

use std::collections::{BTreeMap, BTreeSet};

use super::PublishInput;
use crate::{
    device::{Bdf, DeviceId, Function, FunctionKind},
    slice::{Device, Reason, Taint},
};

/// The ports, and whether the link of each is down: it is set up but has no carrier. One that the
/// administrator has set down does not count, since its carrier is not known then.
#[must_use]
pub fn ports(functions: &[Function]) -> BTreeMap<Bdf, bool> {
    let is_pf = |function: &&Function| matches!(function.kind, FunctionKind::Pf { .. });
    functions
        .iter()
        .filter(is_pf)
        .map(|pf| (pf.id.pci(), pf.carrier == Some(false)))
        .collect()
}

/// Taints the ports in `down` and their VFs.
#[must_use]
pub fn link_down(
    driver: &str,
    functions: &[Function],
    down: &BTreeSet<Bdf>,
) -> BTreeMap<DeviceId, Vec<Taint>> {
    let tainted = functions
        .iter()
        .filter(|function| function.pf().is_some_and(|pf| down.contains(&pf)));
    tainted
        .map(|function| {
            (
                function.id,
                vec![Taint::no_schedule(driver, Reason::LinkDown)],
            )
        })
        .collect()
}

/// Puts the taints of the input on the devices, and `gone` on those that are listed only because a
/// claim has them.
pub(super) fn apply(devices: &mut [Device], input: &PublishInput<'_>) {
    if !input.published.features.taints {
        return;
    }
    let offered: BTreeSet<String> = input
        .inventory
        .offered()
        .map(|function| function.id.name())
        .collect();
    let by_name: BTreeMap<String, &Vec<Taint>> = input
        .taints
        .iter()
        .map(|(id, taints)| (id.name(), taints))
        .collect();
    for device in devices {
        let gone = (!offered.contains(&device.name))
            .then(|| Taint::no_schedule(input.driver, Reason::Gone));
        let all = by_name
            .get(&device.name)
            .copied()
            .into_iter()
            .flatten()
            .cloned()
            .chain(gone);
        // By key: the order in which reasons come in must not change the slice.
        let sorted: BTreeMap<String, Taint> = all.map(|taint| (taint.key.clone(), taint)).collect();
        device.taints = sorted.into_values().collect();
    }
}
