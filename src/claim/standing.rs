//! Whether what was done for a claim is what its allocation asks for now. Pure.

use std::collections::BTreeSet;

use super::AllocatedClaim;
use crate::{
    ledger::Record,
    slice::{DeviceRef, NodePool},
};

impl AllocatedClaim {
    /// Whether the allocation still has, on this node, every device that was prepared, each for the same request. A device
    /// of another node never counts, though an earlier version prepared it.
    #[must_use]
    pub fn has_all_of(&self, record: &Record, here: NodePool<'_>) -> bool {
        let allocated: BTreeSet<(DeviceRef<&str>, &str)> = self
            .devices
            .iter()
            .map(|result| (result.device.borrowed(), &*result.request))
            .collect();
        record.devices.iter().all(|device| {
            let name = here.name(&device.id);
            device.slice_pool == here.node
                && allocated.contains(&(name.borrowed(), &*device.request))
        })
    }
}
