//! The claim's documents as a door: containers of the claim start only while they are there.

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

/// Whether the device goes into the pod by the runtime's hook.
pub(super) fn is_hooked(device: &DeviceRecord) -> bool {
    !device.admin_access
        && device
            .netdev
            .as_ref()
            .is_some_and(|netdev| netdev.attach == AttachMode::Pod)
}

impl Attacher {
    /// Opens the doors of the claim's requests whose netdevs are all in the pod.
    pub(super) fn open_door(&self, record: &Record) -> Result<(), Reason> {
        view::open(&self.paths, record, &self.driver).map_err(|source| self.no_door(record, source))
    }

    /// Closes them: no further container of the claim starts.
    pub(super) fn close_door(&self, record: &Record) -> Result<(), Reason> {
        view::close(&self.paths, record, false).map_err(|source| self.no_door(record, source))
    }

    fn no_door(&self, record: &Record, source: io::Error) -> Reason {
        Reason::Door {
            path: self.paths.attached().join(record.owner.claim.uid.as_str()),
            source,
        }
    }
}
