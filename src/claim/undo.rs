//! What restores a device: pure functions of its record.

use super::plan::neutral;
use crate::{
    device::{Binding, NetdevState, VfAddress, VfSetting},
    ledger::{DeviceRecord, Step, VfState},
};

/// A value that a PF is to hold for a VF again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Which VF.
    pub vf: VfAddress,
    /// As before; where the kernel did not report it, as every VF has it.
    pub to: VfSetting,
    /// Whether the kernel reported it. If not, not being able to set it is no failure.
    pub known: bool,
}

/// One thing to do for a device that is restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undo {
    /// Bind this driver.
    Driver(Binding),
    /// Make a fresh netdev, unless one has just been made, and set it so.
    Netdev(NetdevState),
    /// Make the PF's VFs again, and set each so.
    Vfs(Vec<VfState>),
}

/// The values to set at the PF, in order; before all else.
#[must_use]
pub fn values_before(device: &DeviceRecord) -> Vec<Value> {
    // Of one value that both have set, the older one's undoing is enough: a layer never sets another
    // value than its claim.
    let layer = device.network.iter().flat_map(|layer| &layer.steps);
    let all = device.steps.iter().chain(layer);
    all.rev().filter_map(value).collect()
}

/// The values to set when a network attachment is taken off a device. Empty without one.
#[must_use]
pub fn network_values(device: &DeviceRecord) -> Vec<Value> {
    let steps = device.network.iter().flat_map(|layer| layer.steps.iter());
    steps.rev().filter_map(value).collect()
}

/// What else to do, in order. Doing it twice, or for steps that never ran, is harmless.
#[must_use]
pub fn undo(device: &DeviceRecord) -> Vec<Undo> {
    device.steps.iter().rev().filter_map(one).collect()
}

fn value(step: &Step) -> Option<Value> {
    match step {
        Step::Vf { vf, from, to, .. } if from.as_ref() != Some(to) => Some(Value {
            vf: **vf,
            to: from.unwrap_or_else(|| neutral(to)),
            known: from.is_some(),
        }),
        _ => None,
    }
}

fn one(step: &Step) -> Option<Undo> {
    match step {
        Step::Vfs(vfs) => Some(Undo::Vfs(vfs.clone())),
        Step::Netdev(state) => Some(Undo::Netdev((**state).clone())),
        Step::Driver { from, .. } => Some(Undo::Driver((**from).clone())),
        // A fresh netdev is free of the last two.
        Step::Vf { .. } | Step::Reload | Step::Link { .. } => None,
    }
}
