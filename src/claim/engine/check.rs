//! Asked again for a prepared claim: the answer from its record, after a look whether the host
//! still matches.

use super::{Engine, Held, prepare::answer};
use crate::{
    claim::{ClaimError, PreparedDevice, plan::current},
    deadline::Deadline,
    device::{LinkSetting, Netdev, Observed, VfSetting},
    host::Netns,
    ledger::{Attachment, DeviceRecord, Record, Step},
    netdev,
};

impl Engine {
    /// The caller has the claim's lock. The pods that the claim is reserved for may be others now.
    pub(super) fn confirm(
        &self,
        mut record: Record,
        reserved_for: &[String],
        deadline: Deadline,
    ) -> Result<Vec<PreparedDevice>, ClaimError> {
        let devices = record
            .devices
            .iter()
            .filter(|device| !device.admin_access)
            .map(|device| device.id);
        let held = self.lock_devices(devices, "check", deadline)?;
        let host =
            netdev::host_netns(&*self.kernel, &self.paths).map_err(ClaimError::host("check"))?;
        let before = record.clone();
        record.owner.reserved_for = reserved_for.to_vec();
        for device in record
            .devices
            .iter_mut()
            .filter(|device| !device.admin_access)
        {
            self.fix(device, &host, &held, deadline)?;
        }
        if record != before {
            self.store.save(&record)?;
        }
        self.show_living(&record)?;
        self.failures().remove(&record.owner.claim.uid);
        Ok(answer(&record))
    }

    /// The start gate of a netdev whose pod is no more stays closed: a container that is created now
    /// belongs to another sandbox, in which it is not.
    fn show_living(&self, record: &Record) -> Result<(), ClaimError> {
        let mut living = record.clone();
        for device in &mut living.devices {
            let is_there = |there: &Attachment| {
                netdev::is_attached(&*self.kernel, &device.id, there).unwrap_or(true)
            };
            device.attachment = device.attachment.take().filter(is_there);
        }
        if living != *record {
            self.close_gates(record)?;
        }
        self.show(&living)
    }

    /// Repairs what somebody else has changed. A device in a pod keeps its netdev, so only the PF's
    /// values are set there.
    fn fix(
        &self,
        device: &mut DeviceRecord,
        host: &Netns,
        held: &Held,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        if !self.is_same(device)? {
            let reason = "is not the device that was prepared: that one was removed, or removed and made again; the pod \
                          must be deleted";
            return Err(ClaimError::refused(device.id, reason));
        }
        let observed = self.observe(&device.id)?;
        if !device
            .steps
            .iter()
            .any(|step| differs(step, &observed, observed.netdev.as_ref()))
        {
            return Ok(());
        }
        if device.attachment.is_none() {
            return self.reapply(device, host, held, deadline);
        }
        device.steps.iter().try_for_each(|step| match step {
            Step::Vf { vf, to, .. } => self.set_vf("check", vf, to, deadline),
            Step::Driver { to, .. } if observed.function.binding != **to => {
                let driver = to.driver.as_deref().unwrap_or("none");
                Err(ClaimError::refused(
                    device.id,
                    format!("somebody has taken driver {driver} away in the pod's life"),
                ))
            }
            _ => Ok(()),
        })
    }

    /// All steps once more, the ones too that needed no write then.
    fn reapply(
        &self,
        device: &mut DeviceRecord,
        host: &Netns,
        held: &Held,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        for step in &device.steps {
            match step {
                Step::Vf { vf, to, .. } => self.set_vf("check", vf, to, deadline)?,
                Step::Driver { to, .. } => netdev::retry(deadline, || {
                    self.kernel.set_driver(&device.id, to, deadline)
                })
                .map_err(ClaimError::host("check"))?,
                _ => {}
            }
        }
        self.apply(device, host, held, deadline)
    }
}

/// Whether a step is not (any more) so.
fn differs(step: &Step, observed: &Observed, netdev: Option<&Netdev>) -> bool {
    match step {
        Step::Vfs(_) | Step::Netdev(_) | Step::Reload => false,
        Step::Driver { to, .. } => observed.function.binding != **to,
        Step::Vf {
            to: VfSetting::Mac(mac),
            ..
        } if observed.unclear_mac == Some(*mac) => false,
        Step::Vf { to, .. } => {
            let now = observed.vf.and_then(|held| current(&held, to));
            now.is_some_and(|now| now != *to)
        }
        Step::Link { to, .. } => match (to, netdev) {
            (LinkSetting::Mtu(mtu), Some(netdev)) => netdev.state.mtu != *mtu,
            (LinkSetting::Mac(mac), Some(netdev)) => netdev.state.mac != Some(*mac),
            _ => false,
        },
    }
}
