//! Functions → ResourceSlices, and the loop that keeps the server's copy so.
//!
//! ```text
//!  functions, claims, health ─► slices() ─► Desired ─► Publisher ─ plan() ─► delete, update, create
//!          ▲                                               │
//!          └───────────── Published: last-known values, what the server can ◄──┘
//! ```
//!
//! The first half is pure: the same input gives the same slices, and a change of one device changes
//! one slice. The second knows what the server holds, and writes what differs, if this agent is the
//! one that writes on this node ([`Lease`]) and nobody else rewrites it.

mod attributes;
mod chunks;
mod contest;
mod counters;
mod gate;
mod lease;
mod plan;
mod publisher;
mod sync;
mod taints;
#[cfg(test)]
mod tests;
mod validate;

pub use lease::Lease;
pub use publisher::{Pace, Publisher};
pub use taints::{link_down, ports};

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::Attribute,
    device::{DeviceId, Function},
    inventory::Inventory,
    pool::Assignment,
    slice::{Device, Features, Placed, Slice, StoredSlice, Taint},
};

/// What the server holds of this node's devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Those of this node's pool by name, as last published.
    pub devices: BTreeMap<String, Device>,
    /// What it keeps.
    pub features: Features,
}

/// All that slices are planned from.
#[derive(Debug, Clone, Copy)]
pub struct PublishInput<'a> {
    /// The driver's name, the domain of its taints.
    pub driver: &'a str,
    /// The functions of the host. Those that it uses itself are not published, but may be the PF of
    /// an offered VF.
    pub inventory: &'a Inventory,
    /// Devices under a claim, with the driver that they have when they rest, if the claim changed
    /// it (the record's first `Driver` step). They stay listed, whatever happens to them.
    pub claimed: &'a BTreeMap<DeviceId, Option<String>>,
    /// Further taints, those of [`link_down`] among them.
    pub taints: &'a BTreeMap<DeviceId, Vec<Taint>>,
    /// Which device is in which pool; none: not known, and each stays in that in which it is
    /// published.
    pub pools: Option<&'a Assignment>,
    /// Attributes that policies give to devices; none: not known, and each keeps those with which
    /// it is published, and its pool unless config.json has it.
    pub policy_attributes: Option<&'a BTreeMap<DeviceId, BTreeMap<String, Attribute>>>,
    /// What the server holds now: last-known values, devices that have vanished, what it can keep.
    pub published: &'a Published,
}

/// What is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// At least one; the index is the place.
    pub slices: Vec<Slice>,
    /// What is left out, for the log: what the API would have refused, and devices whose taint the
    /// server does not keep.
    pub warnings: Vec<String>,
}

/// Makes the slices: counters first, since their number never changes; then VFs PF by PF; then PFs,
/// last, because the scheduler takes the first device that fits.
#[must_use]
pub fn slices(input: &PublishInput<'_>) -> Desired {
    let facts = attributes::Facts::of(input);
    let parents: BTreeSet<DeviceId> = input
        .inventory
        .functions
        .iter()
        .filter(|function| function.is_part())
        .filter_map(parent)
        .collect();
    let mut devices: Vec<Device> = input
        .inventory
        .offered()
        .filter(|function| is_offerable(function, &parents, input))
        .map(|function| facts.device(function))
        .collect();
    devices.extend(vanished(input));
    let mut warnings = taints::apply(&mut devices, input);
    let (mut devices, refused) = validate::valid(devices);
    warnings.extend(refused);
    let sets = if input.published.features.counters {
        counters::apply(&mut devices)
    } else {
        Vec::new()
    };
    let mut slices: Vec<Slice> = sets
        .chunks(counters::MAX_SETS)
        .map(|sets| Slice::SharedCounters(sets.to_vec()))
        .collect();
    let chunks = chunks::chunks(devices);
    if chunks.is_empty() {
        // An empty slice is published too: the driver runs and has no devices.
        slices.push(Slice::Devices(Vec::new()));
    }
    slices.extend(chunks.into_iter().map(Slice::Devices));
    Desired { slices, warnings }
}

/// The slices that have to be written so that the server holds what is desired; none when it does.
#[must_use]
pub fn writes(stored: &[StoredSlice], desired: &Desired) -> Vec<Placed> {
    let writes = plan::plan(stored, &desired.slices, 0).into_iter();
    let placed = writes.filter_map(|write| match write {
        plan::Write::Delete(_) => None,
        plan::Write::Update(_, placed) | plan::Write::Create(placed) => Some(placed),
    });
    placed.collect()
}

/// Without counters nothing keeps the scheduler from giving away both a PF and a VF or SF of it:
/// then the PF is offered only while it has none, and VFs and SFs that are created while a claim
/// has the PF are not.
fn is_offerable(
    function: &Function,
    parents: &BTreeSet<DeviceId>,
    input: &PublishInput<'_>,
) -> bool {
    if input.published.features.counters || input.claimed.contains_key(&function.id) {
        return true;
    }
    match function.is_part() {
        true => !parent(function).is_some_and(|pf| input.claimed.contains_key(&pf)),
        false => !(has_vfs(function) || parents.contains(&function.id)),
    }
}

fn has_vfs(function: &Function) -> bool {
    function.vfs().is_some_and(|(_, num_vfs)| num_vfs > 0)
}

fn parent(part: &Function) -> Option<DeviceId> {
    part.pf().map(DeviceId::Pci)
}

/// Devices under a claim that are not offered any more: listed as they last were, until the claim
/// is gone.
fn vanished(input: &PublishInput<'_>) -> Vec<Device> {
    let offered: BTreeSet<DeviceId> = input
        .inventory
        .offered()
        .map(|function| function.id)
        .collect();
    let gone = input.claimed.keys().filter(|id| !offered.contains(id));
    gone.filter_map(|id| input.published.devices.get(&id.name()))
        .map(|device| Device {
            taints: Vec::new(),
            consumes: Vec::new(),
            ..device.clone()
        })
        .collect()
}
