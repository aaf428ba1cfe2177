//! What restores a device: a pure function of its record.

use super::plan::neutral;
use crate::{
    device::{Binding, NetdevState, VfAddress, VfSetting},
    ledger::{DeviceRecord, Step, VfState},
};

/// One thing to do for a device that is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Set a value at the PF.
    Vf {
        /// Which VF.
        vf: VfAddress,
        /// As before; where the kernel did not report it, as every VF has it.
        to: VfSetting,
        /// Whether the kernel reported it. If not, not being able to set it is no failure.
        known: bool,
    },
    /// Bind this driver.
    Driver(Binding),
    /// Make a fresh netdev, unless one has just been made, and set it so.
    Netdev(NetdevState),
    /// Make the PF's VFs again, and set each so.
    Vfs(Vec<VfState>),
}

/// What to do, in order. Doing it twice, or for steps that never ran, is harmless.
#[must_use]
pub fn undo(device: &DeviceRecord) -> Vec<Undo> {
    // Of one value that both have set, the older one's undoing is enough: a layer never sets another
    // value than its claim.
    let layer = device.network.iter().flat_map(|layer| &layer.steps);
    let all = device.steps.iter().chain(layer);
    all.rev().filter_map(one).collect()
}

/// What takes a network attachment off a device: the values that it has set, as they were. Empty
/// without one.
#[must_use]
pub fn undo_network(device: &DeviceRecord) -> Vec<Undo> {
    let steps = device.network.iter().flat_map(|layer| layer.steps.iter());
    steps.rev().filter_map(one).collect()
}

fn one(step: &Step) -> Option<Undo> {
    match step {
        Step::Vfs(vfs) => Some(Undo::Vfs(vfs.clone())),
        Step::Netdev(state) => Some(Undo::Netdev((**state).clone())),
        Step::Driver { from, .. } => Some(Undo::Driver((**from).clone())),
        Step::Vf { from, to, .. } if from.as_ref() == Some(to) => None,
        Step::Vf { vf, from, to, .. } => Some(Undo::Vf {
            vf: **vf,
            to: from.unwrap_or_else(|| neutral(to)),
            known: from.is_some(),
        }),
        // A fresh netdev is free of both.
        Step::Reload | Step::Link { .. } => None,
    }
}
