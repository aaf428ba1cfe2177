//! The start gate: containers of a claim start only while the claim's documents are there.

use std::io;

use super::{Attacher, error::Reason};
use crate::{
    api::AttachMode,
    claim::view,
    ledger::{DeviceRecord, Record},
};

/// Devices that go into the pod by the runtime's hook.
pub(super) fn hooked(record: &Record) -> impl Iterator<Item = &DeviceRecord> {
    record.devices.iter().filter(|device| is_hooked(device))
}

/// Devices that go into the pod, by the runtime's hook or by a CNI plugin.
pub(super) fn into_pod(record: &Record) -> impl Iterator<Item = &DeviceRecord> {
    record.devices.iter().filter(|device| {
        let plan = device.netdev.as_ref();
        !device.admin_access && plan.is_some_and(|plan| plan.attach.is_into_pod())
    })
}

/// Whether the device goes into the pod by the runtime's hook.
pub(super) fn is_hooked(device: &DeviceRecord) -> bool {
    !device.admin_access
        && device
            .netdev
            .as_ref()
            .is_some_and(|netdev| netdev.attach == AttachMode::Pod)
}

impl Attacher {
    /// Opens the start gates of the claim's requests whose netdevs are all in the pod.
    pub(super) fn open_start_gate(&self, record: &Record) -> Result<(), Reason> {
        let open = || view::open(&self.paths, record, &self.driver);
        let disk = self.store.disk();
        disk.change("write metadata", open)
            .map_err(|source| self.not_written(record, source))
    }

    /// Closes them: no further container of the claim starts.
    pub(super) fn close_start_gate(&self, record: &Record) -> Result<(), Reason> {
        let close = || view::close(&self.paths, record, false);
        let disk = self.store.disk();
        disk.change("remove metadata", close)
            .map_err(|source| self.not_written(record, source))
    }

    fn not_written(&self, record: &Record, source: io::Error) -> Reason {
        Reason::StartGate {
            path: self.paths.attached().join(record.owner.claim.uid.as_str()),
            source,
        }
    }
}
