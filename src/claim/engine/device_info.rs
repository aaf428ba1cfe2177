//! Device information files of claims, written and removed.

use super::Engine;
use crate::{
    claim::{ClaimError, device_info},
    ledger::{ClaimUid, Record},
};

impl Engine {
    /// Writes those of the claim's devices.
    pub(super) fn show_device_info(&self, record: &Record) -> Result<(), ClaimError> {
        if record
            .devices
            .iter()
            .all(|device| device.extras.pool.is_none())
        {
            return Ok(());
        }
        let write = || device_info::write(&self.paths, record);
        self.disk
            .change("write device info", write)
            .map_err(ClaimError::files("device info"))
    }

    /// Removes them.
    pub(super) fn hide_device_info(&self, uid: &ClaimUid) -> Result<(), ClaimError> {
        if !device_info::exist(&self.paths, uid) {
            return Ok(());
        }
        let remove = || device_info::remove(&self.paths, uid);
        self.disk
            .change("remove device info", remove)
            .map_err(ClaimError::files("device info"))
    }
}
