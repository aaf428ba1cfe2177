//! Unprepare: the tenant is cut off and the kubelet answered; the rest of the release follows.
//!
//! ```text
//!   Prepared ── save Unpreparing, close the start gate ─► isolate ─► answer      (here)
//!                                                            └─► finish ─► remove the record
//!                                                                (`finish`, by the agent's queue)
//! ```

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Engine, Held, isolate::Cut};
use crate::{
    cdi,
    claim::{ClaimError, view},
    deadline::Deadline,
    device::Binding,
    host::ErrorKind,
    ledger::{ClaimUid, DeviceRecord, Phase, Record},
    netdev,
};

impl Engine {
    /// Begins the release of a claim: when this returns, none of its tenants can send or receive
    /// through its devices, except by a device node that is still open; [`Engine::finish`] restores
    /// them. A claim that is not known is success.
    ///
    /// # Errors
    /// [`ClaimError::Undo`] with all that did not work; the record stays, and the next call tries
    /// again.
    pub fn unprepare(&self, uid: &ClaimUid, deadline: Deadline) -> Result<(), ClaimError> {
        let _claim_lock = self
            .locks
            .claim(uid, &format!("unprepare claim {uid}"), deadline)?;
        match self.store.load(uid)? {
            Some(record) => self.begin(record, deadline),
            None => Ok(()),
        }
    }

    /// Releases a claim that is gone from the cluster, unless its netdev is in a living pod's
    /// namespace: a running pod keeps its network even if its claim is gone. `judged` is the record
    /// that was found to be of no claim; what another agent has prepared since is left alone.
    ///
    /// # Errors
    /// As [`Engine::finish`], and [`ClaimError::Refused`] naming the pod.
    pub fn reclaim(&self, judged: &Record, deadline: Deadline) -> Result<(), ClaimError> {
        let uid = &judged.owner.claim.uid;
        let _claim_lock = self
            .locks
            .claim(uid, &format!("reclaim claim {uid}"), deadline)?;
        let Some(record) = self.store.load(uid)? else {
            return Ok(());
        };
        if !record.is_of_allocation_of(judged) {
            return Ok(());
        }
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
        self.failures().remove(uid);
        Ok(())
    }

    /// The caller has the claim's lock.
    fn begin(&self, mut record: Record, deadline: Deadline) -> Result<(), ClaimError> {
        let held = self.lock_devices(record.held(), "isolate", deadline)?;
        let noted = self.note_release(&mut record);
        if noted.is_err() {
            // Without a record that says so only a release that is complete may be answered.
            return self.restore_held(record, &held, deadline);
        }
        let mut errors: Vec<ClaimError> = self.close(&record).err().into_iter().collect();
        errors.extend(self.hide_device_info(&record.owner.claim.uid).err());
        errors.extend(self.isolate_all(&record, &held, deadline));
        self.result(&record, errors)
    }

    /// Writes down that the release has begun, and when.
    pub(super) fn note_release(&self, record: &mut Record) -> Result<(), ClaimError> {
        if record.phase == Phase::Unpreparing {
            return Ok(());
        }
        record.phase = Phase::Unpreparing;
        record.releasing_since = Some(now());
        Ok(self.store.save(record)?)
    }

    /// Cuts the tenant off all devices; returns what did not work. An open device node is no error
    /// here: it is waited for later.
    fn isolate_all(&self, record: &Record, held: &Held, deadline: Deadline) -> Vec<ClaimError> {
        let host = match netdev::host_netns(&*self.kernel, &self.paths) {
            Ok(host) => host,
            Err(error) => return vec![ClaimError::host("release")(error)],
        };
        let results = self.each_device(record, |device| {
            held.note(&device.id, &format!("isolate {}", device.id));
            self.isolate(device, &host, deadline)
        });
        let failed = |cut: Result<Cut, ClaimError>| cut.err();
        results.into_iter().filter_map(failed).collect()
    }

    /// Does something with all devices that the claim holds, at once, so that one that takes its
    /// time leaves the others theirs; in the order of the record.
    pub(super) fn each_device<T: Send>(
        &self,
        record: &Record,
        act: impl Fn(&DeviceRecord) -> T + Sync,
    ) -> Vec<T> {
        let devices: Vec<&DeviceRecord> = record
            .devices
            .iter()
            .filter(|device| !device.admin_access)
            .collect();
        match devices[..] {
            [one] => vec![act(one)],
            _ => std::thread::scope(|scope| {
                let threads: Vec<_> = devices
                    .iter()
                    .map(|device| scope.spawn(|| act(device)))
                    .collect();
                let joined = threads.into_iter().map(|thread| thread.join());
                joined
                    .map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                    .collect()
            }),
        }
    }

    /// The outcome, remembered for taints and lists.
    pub(super) fn result(
        &self,
        record: &Record,
        errors: Vec<ClaimError>,
    ) -> Result<(), ClaimError> {
        let uid = record.owner.claim.uid.clone();
        if errors.is_empty() {
            self.failures().remove(&uid);
            return Ok(());
        }
        let error = ClaimError::Undo {
            claim: (*record.owner.claim).clone(),
            errors,
        };
        self.failures().insert(uid, (&error).into());
        Err(error)
    }

    /// Closes the start gate: no new container starts.
    pub(super) fn close(&self, record: &Record) -> Result<(), ClaimError> {
        let close = || view::close(&self.paths, record, true);
        self.disk
            .change("remove metadata", close)
            .map_err(ClaimError::files("device metadata"))
    }

    /// Closes the start gates of the netdevs that go into a pod.
    ///
    /// # Errors
    /// The file system's.
    pub fn close_gates(&self, record: &Record) -> Result<(), ClaimError> {
        let close = || view::close(&self.paths, record, false);
        self.disk
            .change("remove metadata", close)
            .map_err(ClaimError::files("device metadata"))
    }

    pub(super) fn hide(&self, uid: &ClaimUid) -> Result<(), ClaimError> {
        self.hide_device_info(uid)?;
        let remove = || cdi::remove(&self.paths.cdi, &self.identity.driver_name, uid);
        self.disk
            .change("remove cdi spec", remove)
            .map_err(ClaimError::files("cdi spec"))
    }

    /// Whether the recorded device is still the one at its address.
    pub(super) fn is_same(&self, device: &DeviceRecord) -> Result<bool, ClaimError> {
        self.standing(device).map(|bound| bound.is_some())
    }

    /// The driver that the recorded device has now; none: it is not at its address any more.
    pub(super) fn standing(&self, device: &DeviceRecord) -> Result<Option<Binding>, ClaimError> {
        match self.kernel.bound(&device.id) {
            Ok(seen) => Ok((seen.incarnation == device.incarnation).then_some(seen.binding)),
            Err(error) if error.kind() == ErrorKind::Gone => Ok(None),
            Err(error) => Err(ClaimError::host("restore")(error)),
        }
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
