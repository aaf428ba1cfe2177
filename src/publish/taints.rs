//! Which devices are tainted, and why.

use std::collections::{BTreeMap, BTreeSet};

use super::PublishInput;
use crate::{
    device::{Bdf, DeviceId, Function, FunctionKind},
    slice::{Device, Effect, Reason, Taint},
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
/// claim has them. Where the server keeps no taints, what nobody should get is left out instead;
/// returns a warning for each reason.
pub(super) fn apply(devices: &mut Vec<Device>, input: &PublishInput<'_>) -> Vec<String> {
    let all = by_device(devices, input);
    if input.published.features.taints {
        for device in devices {
            device.taints = all.get(&device.name).cloned().unwrap_or_default();
        }
        return Vec::new();
    }
    let held: BTreeSet<String> = input.claimed.keys().map(DeviceId::name).collect();
    let given_back = Taint::no_schedule(input.driver, Reason::UndoFailed).key;
    let mut left_out = BTreeMap::<String, Vec<String>>::new();
    devices.retain(|device| {
        // Of a device that a claim has given back only the undoing is still to be done.
        let keeps_away = |taint: &&Taint| {
            taint.effect != Effect::None
                && (!held.contains(&device.name) || taint.key == given_back)
        };
        let taint = all
            .get(&device.name)
            .and_then(|all| all.iter().find(keeps_away));
        if let Some(taint) = taint {
            let devices = left_out.entry(taint.key.clone()).or_default();
            devices.push(device.name.clone());
        }
        taint.is_none()
    });
    let warning = |(key, devices): (String, Vec<String>)| {
        let devices = devices.join(", ");
        format!("left out, since the API server keeps no taints: {key}: {devices}")
    };
    left_out.into_iter().map(warning).collect()
}

/// The taints of each device that has any. By key: the order in which reasons come in must not
/// change the slice.
fn by_device(devices: &[Device], input: &PublishInput<'_>) -> BTreeMap<String, Vec<Taint>> {
    let offered: BTreeSet<String> = input
        .inventory
        .offered()
        .map(|function| function.id.name())
        .collect();
    let gone = devices
        .iter()
        .filter(|device| !offered.contains(&device.name))
        .map(|device| {
            let taint = Taint::no_schedule(input.driver, Reason::Gone);
            (device.name.clone(), taint)
        });
    let given = input
        .taints
        .iter()
        .flat_map(|(id, taints)| taints.iter().map(|taint| (id.name(), taint.clone())));
    let mut by_key = BTreeMap::<String, BTreeMap<String, Taint>>::new();
    for (device, taint) in given.chain(gone) {
        let taints = by_key.entry(device).or_default();
        taints.insert(taint.key.clone(), taint);
    }
    let sorted =
        |(name, taints): (String, BTreeMap<String, Taint>)| (name, taints.into_values().collect());
    by_key.into_iter().map(sorted).collect()
}
