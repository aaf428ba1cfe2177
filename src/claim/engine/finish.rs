//! The rest of a release: devices as they were before their claim, and then the record goes.
//!
//! ```text
//!   per device, all at once:  isolated? ─► PF values ─► driver ─► netdev ─► VFs of a PF
//!                             each: look, write what differs, look again
//! ```
//!
//! Success means that what is seen is what was. Every call goes on where the last one ended, since
//! what is so already is not written again.

use super::{Engine, Held, isolate::Cut};
use crate::{
    claim::{
        ClaimError,
        undo::{Undo, undo},
    },
    deadline::Deadline,
    device::{Binding, DeviceId, NetdevState},
    host::Netns,
    ledger::{ClaimUid, DeviceRecord, Phase, Record},
    netdev,
};

/// What came of one device.
pub(super) struct Outcome {
    pub(super) errors: Vec<ClaimError>,
    /// Its netdev is a new one, or needs not be.
    clean: bool,
}

impl Engine {
    /// Restores the devices of a claim whose release has begun, and removes its record. A claim
    /// that is not known, or that is prepared, is success: somebody else was faster.
    ///
    /// # Errors
    /// [`ClaimError::Undo`] with all that did not work; the record stays, and the next call goes
    /// on.
    pub fn finish(&self, uid: &ClaimUid, deadline: Deadline) -> Result<(), ClaimError> {
        let _claim_lock = self
            .locks
            .claim(uid, &format!("release claim {uid}"), deadline)?;
        match self.store.load(uid)? {
            Some(record) if record.phase == Phase::Unpreparing => self.restore(record, deadline),
            _ => Ok(()),
        }
    }

    /// The whole release, from whatever phase. The caller has the claim's lock.
    pub(super) fn restore(&self, record: Record, deadline: Deadline) -> Result<(), ClaimError> {
        let held = self.lock_devices(record.held(), "restore", deadline)?;
        self.restore_held(record, &held, deadline)
    }

    /// The caller has the locks of the claim and of its devices.
    pub(super) fn restore_held(
        &self,
        mut record: Record,
        held: &Held,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        if let Err(error) = self.note_release(&mut record) {
            // A full disk keeps no device from its next claim.
            tracing::warn!(claim = %record.owner.claim, %error, "releasing without a note of it");
        }
        let mut errors: Vec<ClaimError> = self.close(&record).err().into_iter().collect();
        match netdev::host_netns(&*self.kernel, &self.paths) {
            Ok(host) => errors.extend(self.restore_devices(&mut record, &host, held, deadline)),
            Err(error) => errors.push(ClaimError::host("release")(error)),
        }
        if errors.is_empty() {
            errors.extend(self.forget(&record.owner.claim.uid).err());
        }
        self.result(&record, errors)
    }

    fn forget(&self, uid: &ClaimUid) -> Result<(), ClaimError> {
        self.hide(uid)?;
        Ok(self.store.remove(uid)?)
    }

    fn restore_devices(
        &self,
        record: &mut Record,
        host: &Netns,
        held: &Held,
        deadline: Deadline,
    ) -> Vec<ClaimError> {
        let outcomes = self.each_device(record, |device| {
            held.note(&device.id, &format!("restore {}", device.id));
            self.restore_device(device, host, deadline)
        });
        let failed = outcomes.iter().any(|outcome| !outcome.errors.is_empty());
        let held = record
            .devices
            .iter_mut()
            .filter(|device| !device.admin_access);
        let mut noted = false;
        for (device, outcome) in held.zip(&outcomes) {
            if outcome.clean && device.is_used() {
                (device.used, device.attachment, noted) = (Some(false), None, true);
            }
        }
        if failed && noted {
            // Only so that the next call need not do it again.
            if let Err(error) = self.store.save(record) {
                tracing::warn!(claim = %record.owner.claim, %error, "record");
            }
        }
        outcomes
            .into_iter()
            .flat_map(|outcome| outcome.errors)
            .collect()
    }

    /// Another device at the same address is left alone, and one that is gone needs nothing.
    pub(super) fn restore_device(
        &self,
        device: &DeviceRecord,
        host: &Netns,
        deadline: Deadline,
    ) -> Outcome {
        let outcome = Outcome {
            errors: vec![],
            clean: !device.is_used(),
        };
        match self.isolate(device, host, deadline) {
            Ok(Cut::Off) => {}
            Ok(Cut::Gone) => return self.unassigned(device, outcome, deadline),
            Ok(Cut::NodeOpen(node)) => {
                let device = device.id;
                return outcome.failed(ClaimError::NodeOpen { device, node });
            }
            Err(error) => return outcome.failed(error),
        }
        let outcome = self.restore_isolated(device, host, outcome, deadline);
        self.unassigned(device, outcome, deadline)
    }

    /// Whatever came of the device: nobody sends from its addresses any more.
    fn unassigned(
        &self,
        device: &DeviceRecord,
        mut outcome: Outcome,
        deadline: Deadline,
    ) -> Outcome {
        outcome.errors.extend(self.unassign(device, deadline).err());
        outcome
    }

    fn restore_isolated(
        &self,
        device: &DeviceRecord,
        host: &Netns,
        mut outcome: Outcome,
        deadline: Deadline,
    ) -> Outcome {
        outcome.errors = self.undo_values(device, deadline);
        for action in undo(device) {
            if !outcome.errors.is_empty() && self.reads_mac(device) {
                // The driver must not start with what is left of the claim.
                break;
            }
            match action {
                Undo::Driver(binding) => match self.undo_driver(&device.id, &binding, deadline) {
                    Ok(bound) => outcome.clean |= bound,
                    // There is no netdev to wait for.
                    Err(error) => return outcome.failed(error),
                },
                Undo::Netdev(was) => self.undo_netdev(device, host, &was, &mut outcome, deadline),
                Undo::Vfs(vfs) => outcome
                    .errors
                    .extend(self.remake(device, &vfs, host, deadline)),
            }
        }
        outcome
    }

    /// A netdev that a tenant had is created anew; one that none had is only set.
    fn undo_netdev(
        &self,
        device: &DeviceRecord,
        host: &Netns,
        was: &NetdevState,
        outcome: &mut Outcome,
        deadline: Deadline,
    ) {
        if !outcome.clean {
            let rebound = match device.resting_binding() {
                Some(binding) => netdev::retry(deadline, || {
                    self.kernel.rebind(&device.id, binding, deadline)
                }),
                None => Ok(()),
            };
            if let Err(error) = rebound {
                return outcome.errors.push(ClaimError::host("restore")(error));
            }
            outcome.clean = true;
        }
        let before = netdev::Before {
            netdev: was,
            mirrored: device.mirrored,
            binding: device.resting_binding(),
        };
        let failed = netdev::restore(&*self.kernel, host, &device.id, &before, deadline);
        outcome
            .errors
            .extend(failed.into_iter().map(ClaimError::host("restore")));
    }

    /// Whether the driver has been bound just now, so that the netdev is a fresh one.
    pub(super) fn undo_driver(
        &self,
        device: &DeviceId,
        to: &Binding,
        deadline: Deadline,
    ) -> Result<bool, ClaimError> {
        let now = self
            .kernel
            .bound(device)
            .map_err(ClaimError::host("restore"))?
            .binding;
        if now == *to {
            return Ok(false);
        }
        netdev::retry(deadline, || self.kernel.set_driver(device, to, deadline))
            .map_err(ClaimError::host("restore"))?;
        Ok(now.driver != to.driver)
    }
}

impl Outcome {
    fn failed(mut self, error: ClaimError) -> Self {
        self.errors.push(error);
        self
    }
}
