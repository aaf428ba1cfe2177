//! Unprepare: everything as it was, or a record that says what is not.

use super::{Engine, Held};
use crate::{
    cdi,
    claim::{
        ClaimError,
        plan::current,
        undo::{Undo, undo},
        view,
    },
    deadline::Deadline,
    device::{Binding, DeviceId, VfAddress, VfSetting},
    host::{ErrorKind, Netns},
    ledger::{ClaimUid, DeviceRecord, Phase, Record},
    netdev,
};

impl Engine {
    /// Restores a claim's devices and releases them. A claim that is not known is success.
    ///
    /// # Errors
    /// [`ClaimError::Undo`] with all that did not work; the record stays, and the next call tries
    /// again.
    pub fn unprepare(&self, uid: &ClaimUid, deadline: Deadline) -> Result<(), ClaimError> {
        let _claim_lock = self
            .locks
            .claim(uid, &format!("unprepare claim {uid}"), deadline)?;
        match self.store.load(uid)? {
            Some(record) => self.restore(record, deadline),
            None => Ok(()),
        }
    }

    /// Releases a claim that is gone from the cluster, unless its netdev is in a living pod's
    /// namespace: a running pod keeps its network even if its claim is gone.
    ///
    /// # Errors
    /// As [`Engine::unprepare`], and [`ClaimError::Refused`] naming the pod.
    pub fn reclaim(&self, uid: &ClaimUid, deadline: Deadline) -> Result<(), ClaimError> {
        let _claim_lock = self
            .locks
            .claim(uid, &format!("reclaim claim {uid}"), deadline)?;
        let Some(record) = self.store.load(uid)? else {
            return Ok(());
        };
        match self.in_pod(&record) {
            Some((device, pod)) => Err(ClaimError::refused(
                device,
                format!("is still in pod {pod} for claim {uid}"),
            )),
            None => self.restore(record, deadline),
        }
    }

    /// Forgets a claim without touching its devices, even when its record cannot be read: the last
    /// resort, by hand.
    ///
    /// # Errors
    /// The file system's, or somebody is working on the claim.
    pub fn release(&self, uid: &ClaimUid, deadline: Deadline) -> Result<(), ClaimError> {
        let _claim_lock = self
            .locks
            .claim(uid, &format!("release claim {uid}"), deadline)?;
        if let Ok(Some(record)) = self.store.load(uid) {
            self.close(&record)?;
        }
        self.hide(uid)?;
        self.store.remove(uid)?;
        self.failed().remove(uid);
        Ok(())
    }

    /// The caller has the claim's lock.
    pub(super) fn restore(&self, record: Record, deadline: Deadline) -> Result<(), ClaimError> {
        let devices = record
            .devices
            .iter()
            .filter(|device| !device.admin_access)
            .map(|device| device.id);
        let held = self.lock_devices(devices, "restore", deadline)?;
        self.restore_held(record, &held, deadline)
    }

    /// The caller has the locks of the claim and of its devices.
    pub(super) fn restore_held(
        &self,
        mut record: Record,
        held: &Held,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let uid = record.owner.claim.uid.clone();
        let result = self.undo_all(&mut record, held, deadline);
        match &result {
            Ok(()) => self.failed().remove(&uid),
            Err(error) => self.failed().insert(uid, error.to_string()),
        };
        result
    }

    fn undo_all(
        &self,
        record: &mut Record,
        held: &Held,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        if record.phase != Phase::Unpreparing {
            record.phase = Phase::Unpreparing;
            self.store.save(record)?;
        }
        self.close(record)?;
        let host =
            netdev::host_netns(&*self.kernel, &self.paths).map_err(ClaimError::host("release"))?;
        let devices = record
            .devices
            .iter()
            .rev()
            .filter(|device| !device.admin_access);
        let errors: Vec<_> = devices
            .flat_map(|device| self.undo_device(device, &host, held, deadline))
            .collect();
        if !errors.is_empty() {
            return Err(ClaimError::Undo {
                claim: (*record.owner.claim).clone(),
                errors,
            });
        }
        self.hide(&record.owner.claim.uid)?;
        Ok(self.store.remove(&record.owner.claim.uid)?)
    }

    /// Closes the start gate: no new container starts.
    pub(super) fn close(&self, record: &Record) -> Result<(), ClaimError> {
        let close = || view::close(&self.paths, record, true);
        self.disk
            .change("remove metadata", close)
            .map_err(ClaimError::files("device metadata"))
    }

    fn hide(&self, uid: &ClaimUid) -> Result<(), ClaimError> {
        let remove = || cdi::remove(&self.paths.cdi, &self.identity.driver_name, uid);
        self.disk
            .change("remove cdi spec", remove)
            .map_err(ClaimError::files("cdi spec"))
    }

    /// Undoes both layers of a device, trying everything. Starting the driver anew ends the netdev
    /// in whatever namespace it is, so that the attachment needs no undoing of its own.
    fn undo_device(
        &self,
        device: &DeviceRecord,
        host: &Netns,
        held: &Held,
        deadline: Deadline,
    ) -> Vec<ClaimError> {
        match self.is_same(device) {
            Ok(true) => {}
            // Another device at the same address is left alone, and one that is gone needs nothing.
            Ok(false) => return vec![],
            Err(error) => return vec![error],
        }
        let (mut fresh, mut errors) = (false, vec![]);
        for action in undo(device) {
            held.note(&device.id, &format!("restore {}", device.id));
            match action {
                Undo::Vf { vf, to, known } => {
                    errors.extend(self.undo_vf(&device.id, &vf, &to, known, deadline).err())
                }
                Undo::Driver(binding) => match self.undo_driver(&device.id, &binding, deadline) {
                    Ok(bound) => fresh = bound,
                    Err(error) => errors.push(error),
                },
                Undo::Netdev(was) => {
                    let failed =
                        netdev::restore(&*self.kernel, host, &device.id, &was, fresh, deadline);
                    errors.extend(failed.into_iter().map(ClaimError::host("restore")));
                }
                Undo::Vfs(vfs) => errors.extend(self.remake(device, &vfs, host, deadline)),
            }
        }
        errors
    }

    /// Whether the recorded device is still the one at its address.
    pub(super) fn is_same(&self, device: &DeviceRecord) -> Result<bool, ClaimError> {
        match self.kernel.observe(&device.id) {
            Ok(observed) => Ok(observed.function.incarnation == device.incarnation),
            Err(error) if error.kind() == ErrorKind::Gone => self.is_in_sweep(device),
            Err(error) => Err(ClaimError::host("restore")(error)),
        }
    }

    /// A function may be there while something else that observing needs (its PF's netdev) is not.
    fn is_in_sweep(&self, device: &DeviceRecord) -> Result<bool, ClaimError> {
        let all = self
            .kernel
            .functions()
            .map_err(ClaimError::host("restore"))?;
        Ok(all
            .iter()
            .any(|function| function.id == device.id && function.incarnation == device.incarnation))
    }

    /// What counts is the value: a kernel that refuses what is so already has done its part.
    pub(super) fn undo_vf(
        &self,
        device: &DeviceId,
        vf: &VfAddress,
        to: &VfSetting,
        known: bool,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        match self.set_vf("restore", vf, to, deadline) {
            Err(error) if !known && error.kernel_kind() == Some(ErrorKind::Unsupported) => Ok(()),
            Err(error) => {
                let held = self
                    .kernel
                    .observe(device)
                    .ok()
                    .and_then(|observed| observed.vf);
                let is_so = known && held.is_some_and(|held| current(&held, to) == Some(*to));
                if is_so { Ok(()) } else { Err(error) }
            }
            Ok(()) => Ok(()),
        }
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
            .observe(device)
            .map_err(ClaimError::host("restore"))?
            .function
            .binding;
        if now == *to {
            return Ok(false);
        }
        netdev::retry(deadline, || self.kernel.set_driver(device, to, deadline))
            .map_err(ClaimError::host("restore"))?;
        Ok(now.driver != to.driver)
    }
}
