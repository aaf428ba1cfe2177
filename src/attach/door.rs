//! The file whose presence lets containers of a claim start.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use super::error::Reason;
use crate::{
    claim::{AttachMode, ClaimUid, DeviceRecord, Record},
    files::Disk,
    metadata,
    paths::Paths,
};

/// Devices that go into the pod by the runtime's hook.
pub(super) fn hooked(record: &Record) -> impl Iterator<Item = &DeviceRecord> {
    record.devices.iter().filter(|device| is_hooked(device))
}

/// Whether the device goes into the pod by the runtime's hook.
pub(super) fn is_hooked(device: &DeviceRecord) -> bool {
    !device.admin_access && device.netdev.as_ref().is_some_and(|netdev| netdev.attach == AttachMode::Pod)
}

/// Opens the door of a claim, all of whose netdevs are in the pod.
pub(super) fn open(paths: &Paths, disk: &Disk, record: &Record) -> Result<(), Reason> {
    metadata::write(paths, disk, record).map_err(|source| failed(paths, &record.claim.uid, source))
}

/// Closes it: no further container of the claim starts.
pub(super) fn close(paths: &Paths, disk: &Disk, uid: &ClaimUid) -> Result<(), Reason> {
    metadata::remove(paths, disk, uid).map_err(|source| failed(paths, uid, source))
}

fn failed(paths: &Paths, uid: &ClaimUid, source: io::Error) -> Reason {
    Reason::Door { path: paths.attached().join(uid.as_str()), source }
}

/// The claim that a mount's source below [`Paths::attached`] is of.
pub(super) fn claim_of(attached: &Path, source: &Path) -> Option<ClaimUid> {
    let inner: PathBuf = source.strip_prefix(attached).ok()?.into();
    match inner.components().next() {
        Some(Component::Normal(uid)) => uid.to_str()?.parse().ok(),
        _ => None,
    }
}
