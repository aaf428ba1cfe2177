//! A sandbox ends: what it has returns to the host. Only what its own id owns.

use std::time::Duration;

use super::{
    Attacher,
    error::{AttachError, Reason},
    start_gate::is_hooked,
};
use crate::{
    deadline::Deadline,
    device::DeviceId,
    ledger::{Attachment, ClaimRef, DeviceRecord, Record, StoreError},
    netdev::is_attached,
};

/// How long taking back an attachment that failed may wait.
const TIMEOUT: Duration = Duration::from_secs(5);

fn owned<'a>(device: &'a DeviceRecord, sandbox: &str) -> Option<&'a Attachment> {
    // What the CNI binary has attached, its DEL returns.
    let attachment = device.attachment.as_ref().filter(|_| is_hooked(device));
    attachment.filter(|attachment| attachment.sandbox == sandbox)
}

impl Attacher {
    /// All sandboxes that own a netdev, as the records say.
    pub(super) fn sandboxes(&self) -> Result<Vec<String>, StoreError> {
        let records = self
            .store
            .all()?
            .into_iter()
            .filter_map(|entry| entry.record());
        let attachments = records
            .flat_map(|record| record.devices)
            .filter(is_hooked)
            .filter_map(|device| device.attachment);
        let mut ids: Vec<String> = attachments.map(|attachment| attachment.sandbox).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// Whether a netdev that the sandbox owns is not in it any more.
    pub(super) fn has_left(&self, sandbox: &str) -> bool {
        let records = self
            .store
            .all()
            .unwrap_or_default()
            .into_iter()
            .filter_map(|entry| entry.record());
        let mut devices = records.flat_map(|record| record.devices);
        devices.any(|device| {
            let there = owned(&device, sandbox)
                .map(|attachment| is_attached(&*self.kernel, &device.id, attachment));
            matches!(there, Some(Ok(false)))
        })
    }

    /// Returns all that the sandbox has to the host. Tries everything; the first error is returned.
    pub(super) fn release(&self, sandbox: &str, deadline: Deadline) -> Result<(), AttachError> {
        let mut first = Ok(());
        for record in self
            .store
            .all()?
            .into_iter()
            .filter_map(|entry| entry.record())
        {
            if record
                .devices
                .iter()
                .any(|device| owned(device, sandbox).is_some())
            {
                let done = self.release_claim(&record.owner.claim, sandbox, |_| true, deadline);
                first = first.and(done.map_err(|reason| reason.of(&record.owner.claim)));
            }
        }
        first
    }

    /// Takes back what a failed call has begun.
    pub(super) fn take_back(&self, sandbox: &str, begun: &[(ClaimRef, DeviceId)]) {
        for (claim, device) in begun.iter().rev() {
            let done =
                self.release_claim(claim, sandbox, |id| id == device, Deadline::after(TIMEOUT));
            if let Err(reason) = done {
                tracing::warn!(%claim, %device, "take back: {reason}; the end of the sandbox or of the claim will do it");
            }
        }
    }

    fn release_claim(
        &self,
        claim: &ClaimRef,
        sandbox: &str,
        which: impl Fn(&DeviceId) -> bool,
        deadline: Deadline,
    ) -> Result<(), Reason> {
        let work = format!("detach claim {claim}");
        let _claim = self.locks.claim(&claim.uid, &work, deadline)?;
        let Some(mut record) = self.store.load(&claim.uid)? else {
            return Ok(());
        };
        let ours = |device: &DeviceRecord| owned(device, sandbox).is_some() && which(&device.id);
        let indices: Vec<usize> = (0..record.devices.len())
            .filter(|index| ours(&record.devices[*index]))
            .collect();
        if indices.is_empty() {
            return Ok(());
        }
        // A gate that cannot be closed keeps no netdev in a pod that ends.
        let mut first = self.close_start_gate(&record);
        for index in indices {
            first = first.and(self.release_device(&mut record, index, &work, deadline));
        }
        first
    }

    fn release_device(
        &self,
        record: &mut Record,
        index: usize,
        work: &str,
        deadline: Deadline,
    ) -> Result<(), Reason> {
        let device = record.devices[index].clone();
        let Some(attachment) = &device.attachment else {
            return Ok(());
        };
        let _device = self.locks.device(&device.id, work, deadline)?;
        if self.kernel.observe(&device.id)?.function.incarnation == device.incarnation {
            self.mover()?.move_back(&device, attachment, deadline)?;
        }
        record.devices[index].attachment = None;
        self.store.save(record)?;
        self.report_detached(&record.owner.claim);
        Ok(())
    }
}
