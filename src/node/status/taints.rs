//! Taints of devices that claims hold: whoever holds one should know.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    device::DeviceId,
    slice::{Effect, Taint},
};

/// The taints as last reported.
#[derive(Debug, Default)]
pub(super) struct Taints(BTreeMap<DeviceId, BTreeSet<String>>);

/// Devices whose taints have changed, and their new ones by key.
pub(super) type Changed = BTreeMap<DeviceId, BTreeSet<String>>;

impl Taints {
    /// Takes all taints as they are now.
    pub(super) fn replace(&mut self, taints: BTreeMap<DeviceId, Vec<Taint>>) -> Changed {
        let keys = |taints: Vec<Taint>| {
            let effective = taints
                .into_iter()
                .filter(|taint| taint.effect != Effect::None);
            effective.map(|taint| taint.key).collect::<BTreeSet<_>>()
        };
        let now: BTreeMap<_, _> = taints
            .into_iter()
            .map(|(id, taints)| (id, keys(taints)))
            .filter(|(_, keys)| !keys.is_empty())
            .collect();
        let before = std::mem::replace(&mut self.0, now);
        let all: BTreeSet<DeviceId> = before.keys().chain(self.0.keys()).copied().collect();
        let changed = all
            .into_iter()
            .filter(|id| before.get(id) != self.0.get(id));
        changed
            .map(|id| (id, self.0.get(&id).cloned().unwrap_or_default()))
            .collect()
    }

    /// Devices that are not there any more.
    pub(super) fn gone(&self) -> BTreeSet<DeviceId> {
        let is_gone = |keys: &BTreeSet<String>| keys.iter().any(|key| key.ends_with("/gone"));
        let devices = self.0.iter().filter(|(_, keys)| is_gone(keys));
        devices.map(|(id, _)| *id).collect()
    }
}

/// What the event says of a device; none: it has no taint any more.
pub(super) fn note(device: &DeviceId, keys: &BTreeSet<String>) -> Option<String> {
    let texts: Vec<String> = keys.iter().map(|key| text(key)).collect();
    (!texts.is_empty()).then(|| format!("device {device}: {}", texts.join("; ")))
}

fn text(key: &str) -> String {
    let why = match key.rsplit('/').next().unwrap_or_default() {
        "link-down" => "its port has no carrier",
        "gone" => "it is not on this host any more, or another is at its address",
        "undo-failed" => "what a claim changed could not all be undone",
        _ => "no new claim gets it",
    };
    format!("tainted {key}: {why}")
}
