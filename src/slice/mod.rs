//! ResourceSlices without I/O: what this driver writes in them, and what it reads back.
//!
//! `publish` plans them, `cluster` converts them to the API's objects.

mod content;
mod device_ref;
mod stored;
mod taint;

pub use content::{Consumption, CounterSet, Device, Slice};
pub use device_ref::{DeviceRef, NodePool, NotLocal};
pub use stored::{Placed, SliceChange, StoredSlice};
pub use taint::{Effect, Reason, Taint};

/// Devices in one slice at most: 128, but 64 as soon as one has a taint or consumes counters, and a
/// taint must not rearrange the slices.
pub const MAX_DEVICES: usize = 64;

/// What the API server keeps of a slice; the rest it drops without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Features {
    /// Shared counters in slices of their own (Kubernetes 1.35, DRAPartitionableDevices).
    pub counters: bool,
    /// Taints (DRADeviceTaints).
    pub taints: bool,
}

impl Features {
    /// Whether a server with these keeps anything that one with `other` does not.
    #[must_use]
    pub fn has_more_than(self, other: Self) -> bool {
        (self.counters && !other.counters) || (self.taints && !other.taints)
    }
}
