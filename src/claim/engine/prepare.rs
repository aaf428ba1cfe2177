//! Prepare: from an allocated claim to the answer.

use std::{collections::BTreeSet, time::Duration};

use super::{Engine, Held, TRANSIT, driverless::of_alike, groups::group_lock, transit};
use crate::{
    api::DriverChoice,
    cdi,
    claim::{
        AllocatedClaim, ClaimError, PoolDefaults, PreparedDevice, Wanted,
        extras::extras,
        plan::{missing_netdev, plan},
        standing::is_as_wanted,
        view, wanted,
        yields::{expects_netdev, is_handed_over},
    },
    deadline::Deadline,
    device::{Bdf, DeviceId, Function, Observed},
    host::ErrorKind,
    ledger::{ClaimOwner, ClaimUid, DeviceRecord, Phase, Record, VERSION},
    netdev,
};

/// What undoing a prepare that did not work may take, even when the caller's time is over.
const GRACE: Duration = Duration::from_secs(20);

impl Engine {
    /// Prepares a claim, or answers from its record. `pools` are the node's as they are now: what a
    /// pool says is read once, when the claim is prepared, and kept in the record.
    ///
    /// # Guarantees
    /// On error nothing has changed, or the record says what has ([`ClaimError::Twice`],
    /// [`ClaimError::Undo`]).
    ///
    /// # Errors
    /// [`ClaimError::Conflict`]: another claim has a device; the caller may find that it is gone
    /// from the cluster, unprepare it, and try again.
    pub fn prepare(
        &self,
        claim: &AllocatedClaim,
        pools: &PoolDefaults,
        deadline: Deadline,
    ) -> Result<Vec<PreparedDevice>, ClaimError> {
        let wanted = wanted(claim, self.identity.pool(), &self.identity.drivers)?;
        let mut waited = false;
        loop {
            match self.prepare_once(claim, &wanted, pools, deadline) {
                Err(error)
                    if !waited
                        && error.kernel_kind() == Some(ErrorKind::Gone)
                        && self.awaited_restart(&wanted, deadline)? =>
                {
                    waited = true;
                }
                Err(ClaimError::Conflict(conflict)) if self.is_releasing(&conflict.other.uid) => {
                    self.join(*conflict, deadline)?;
                }
                done => return done,
            }
        }
    }

    fn prepare_once(
        &self,
        claim: &AllocatedClaim,
        wanted: &[Wanted],
        pools: &PoolDefaults,
        deadline: Deadline,
    ) -> Result<Vec<PreparedDevice>, ClaimError> {
        let work = format!("prepare claim {}", claim.claim);
        let _claim_lock = self.locks.claim(&claim.claim.uid, &work, deadline)?;
        if let Some(record) = self.store.load(&claim.claim.uid)? {
            if record.phase == Phase::Prepared {
                if self.is_of(&record, wanted) {
                    return self.confirm(record, &claim.reserved_for, deadline);
                }
                self.check_left(&record)?;
            }
            self.restore(record, deadline)?;
        }
        self.prepare_anew(claim, wanted, pools, deadline)
    }

    /// Whether the record is of this allocation: of its devices, with the values that it asks for.
    /// Those are copied into an allocation and stay, so other values mean another allocation, and
    /// an unprepare that was missed.
    fn is_of(&self, record: &Record, wanted: &[Wanted]) -> bool {
        let set_by_pf = |device: &DeviceId| {
            self.kernel
                .observe(device)
                .is_ok_and(|observed| observed.vf.is_some())
        };
        record.devices.len() == wanted.len()
            && record
                .devices
                .iter()
                .zip(wanted)
                .all(|(device, wanted)| is_as_wanted(device, wanted, set_by_pf))
    }

    /// What was prepared for an earlier allocation is not taken out of a living pod.
    fn check_left(&self, record: &Record) -> Result<(), ClaimError> {
        match self.in_pod(record) {
            Some((device, pod)) => {
                let claim = &record.owner.claim;
                let reason = format!(
                    "is still in pod {pod}, as an earlier allocation of claim {claim} set it; delete that pod"
                );
                Err(ClaimError::refused(device, reason))
            }
            None => Ok(()),
        }
    }

    fn prepare_anew(
        &self,
        claim: &AllocatedClaim,
        wanted: &[Wanted],
        pools: &PoolDefaults,
        deadline: Deadline,
    ) -> Result<Vec<PreparedDevice>, ClaimError> {
        let fault = |wanted: &Wanted| Some((wanted.id, wanted.fault.clone()?));
        if let Some((device, fault)) = wanted.iter().find_map(fault) {
            return Err(ClaimError::refused(device, fault));
        }
        self.check_together(wanted)?;
        self.check_free(claim, wanted)?;
        let held = self.lock_devices(held_by(wanted), "prepare", deadline)?;
        self.check_host(wanted)?;
        self.check_choice(wanted)?;
        let mut record = self.new_record(claim, self.plan_all(claim, wanted, pools, deadline)?);
        self.enter(claim, wanted, &record, deadline)?;
        match self.execute(&mut record, &held, deadline) {
            Ok(()) => Ok(answer(&record)),
            Err(error) => Err(self.take_back(record, &held, error, deadline)),
        }
    }

    /// Undoes what a failed prepare has done.
    fn take_back(
        &self,
        record: Record,
        held: &Held,
        error: ClaimError,
        deadline: Deadline,
    ) -> ClaimError {
        let deadline = Deadline::after(deadline.left().max(GRACE));
        match self.restore_held(record, held, deadline) {
            Ok(()) => error,
            Err(undo) => ClaimError::Twice {
                error: Box::new(error),
                undo: Box::new(undo),
            },
        }
    }

    /// Makes the claim visible to all others, at one moment for a PF and its VFs, and for an IOMMU
    /// group: under the PFs' and the groups' locks nobody else can look for holders and enter itself too.
    fn enter(
        &self,
        claim: &AllocatedClaim,
        wanted: &[Wanted],
        record: &Record,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let mut pfs = BTreeSet::new();
        for wanted in wanted {
            let observed = self.observe(&wanted.id)?;
            pfs.extend(observed.function.pf());
            pfs.extend(group_lock(&observed));
        }
        let work = format!("enter claim {}", claim.claim);
        let locks: Result<Vec<_>, _> = pfs
            .iter()
            .map(|pf: &Bdf| self.locks.pf(pf, &work, deadline))
            .collect();
        let _locks = locks?;
        self.check_free(claim, wanted)?;
        Ok(self.store.save(record)?)
    }

    /// This is no taint, which a claim could tolerate: what the host uses is never allocated.
    pub(super) fn check_host(&self, wanted: &[Wanted]) -> Result<(), ClaimError> {
        let used = self
            .kernel
            .host_used()
            .map_err(ClaimError::host("prepare"))?;
        for device in held_by(wanted) {
            if used.contains(&device) {
                let reason = "is used by the host itself (default route, address, bond, bridge, Open vSwitch or VLAN)";
                return Err(ClaimError::refused(device, reason));
            }
            if let Some(part) = self.part_among(&device, &used)? {
                return Err(ClaimError::refused(
                    device,
                    format!("its {part} is used by the host itself, and would go with it"),
                ));
            }
        }
        Ok(())
    }

    /// A VF or SF of the device that is among these.
    fn part_among(
        &self,
        device: &DeviceId,
        used: &[DeviceId],
    ) -> Result<Option<DeviceId>, ClaimError> {
        // Most devices have no parts, and the host is not scanned for them. What cannot be seen yet
        // is waited for later.
        if self
            .kernel
            .bound(device)
            .is_ok_and(|bound| bound.pf.is_some())
        {
            return Ok(None);
        }
        let may_have_parts =
            |seen: &Observed| !seen.function.is_part() && seen.function.pf().is_some();
        if !self
            .kernel
            .observe(device)
            .is_ok_and(|seen| may_have_parts(&seen))
        {
            return Ok(None);
        }
        Ok(self
            .parts_of(device)?
            .into_iter()
            .map(|part| part.id)
            .find(|part| used.contains(part)))
    }

    fn plan_all(
        &self,
        claim: &AllocatedClaim,
        all: &[Wanted],
        pools: &PoolDefaults,
        deadline: Deadline,
    ) -> Result<Vec<DeviceRecord>, ClaimError> {
        let one = |wanted: &Wanted| {
            let wanted = &wanted.attached_by(claim, pools.pool(&wanted.id));
            let observed = match wanted.result.admin_access {
                true => self.observe(&wanted.id)?,
                false => self.settled(&wanted.id, deadline)?,
            };
            self.check_nodes(wanted, &observed, all)?;
            let asked = wanted.settings.driver == Some(DriverChoice::Default);
            let native = if asked {
                self.native_driver(&observed)
                    .map_err(ClaimError::host("prepare"))?
            } else {
                None
            };
            let vfs = if wanted.result.admin_access {
                vec![]
            } else {
                self.vfs_of(&observed)?
            };
            self.check_parts_closed(wanted.id, &vfs)?;
            let planned = plan(wanted, &observed, &vfs, native.as_deref());
            let mut record = planned.map_err(|reason| ClaimError::refused(wanted.id, reason))?;
            if !record.admin_access {
                self.check_restart(&observed)?;
                self.note_mac(&observed)?;
                record.extras = extras(&wanted.settings, pools.of(&wanted.id)?);
                self.check_extras(&record, &observed)?;
                record.ipam = self.plan_lease(claim, wanted, &record)?;
            }
            Ok(record)
        };
        all.iter().map(one).collect()
    }

    /// The VFs of a PF, by index.
    fn vfs_of(&self, observed: &Observed) -> Result<Vec<Observed>, ClaimError> {
        if !matches!(observed.function.vfs(), Some((_, 1..))) {
            return Ok(vec![]);
        }
        let mut parts = self.parts_of(&observed.function.id)?;
        parts.sort_by_key(Function::index);
        parts
            .iter()
            .filter(|part| part.vf_address().is_some())
            .map(|vf| self.observe(&vf.id))
            .collect()
    }

    /// The kernel's own driver for a function: as the kernel reports it, else the one that a
    /// function of the same make has.
    fn native_driver(&self, observed: &Observed) -> crate::host::Result<Option<String>> {
        let function = &observed.function;
        if let Some(native) = self.kernel.native_driver(&function.id)? {
            return Ok(Some(native));
        }
        Ok(of_alike(function, &self.kernel.functions()?))
    }

    /// Observes a device that nobody holds. Its netdev may be returning from a pod that has just
    /// died, or its driver may not have made it yet; a driver that makes none is not waited for.
    pub(super) fn settled(
        &self,
        device: &DeviceId,
        deadline: Deadline,
    ) -> Result<Observed, ClaimError> {
        let transit = Deadline::after(TRANSIT.min(deadline.left()));
        let mut last = self.observe(device)?;
        let lacks = self.lacks_netdev(&last)?;
        transit.poll(|| {
            let in_transit = lacks && last.netdev.is_none();
            if in_transit {
                last = self.observe(device)?;
            }
            // udev may still rename it.
            let settled = last
                .netdev
                .as_ref()
                .is_none_or(|netdev| self.kernel.is_settled(device, netdev));
            if !in_transit && !settled {
                last = self.observe(device)?;
            }
            Ok::<_, ClaimError>((!in_transit && settled).then_some(()))
        })?;
        match last.netdev {
            None if lacks => Err(ClaimError::refused(*device, missing_netdev(&last.function))),
            _ => Ok(last),
        }
    }

    /// Whether it has no netdev here and should have one.
    fn lacks_netdev(&self, observed: &Observed) -> Result<bool, ClaimError> {
        let function = &observed.function;
        if observed.netdev.is_some()
            || function.binding.driver.is_none()
            || is_handed_over(function)
        {
            return Ok(false);
        }
        if function.yields.netdev_elsewhere {
            return Ok(true);
        }
        let all = self.kernel.functions();
        let all = all.map_err(ClaimError::host("prepare"))?;
        Ok(expects_netdev(function, all.iter()))
    }

    /// A PF may not report a VF for a moment, which is not to be taken for "holds nothing".
    pub(super) fn observe(&self, device: &DeviceId) -> Result<Observed, ClaimError> {
        netdev::retry(transit(), || self.kernel.observe(device))
            .map(|observed| self.attributed(observed))
            .map_err(ClaimError::host("prepare"))
    }

    fn new_record(&self, claim: &AllocatedClaim, mut devices: Vec<DeviceRecord>) -> Record {
        for device in &mut devices {
            device.published = self.published_of(&device.id);
            device.cdi = vec![cdi::qualified(
                &self.identity.driver_name,
                &claim.claim.uid,
                view::cdi_name(&device.id),
            )];
        }
        Record {
            version: VERSION,
            owner: ClaimOwner {
                claim: claim.claim.clone().into(),
                pod_claim_name: claim.pod_claim_name.clone(),
                reserved_for: claim.reserved_for.clone(),
            },
            phase: Phase::Preparing,
            releasing_since: None,
            devices,
            unknown: Default::default(),
        }
    }

    /// From the entered record to the standing answer.
    fn execute(
        &self,
        record: &mut Record,
        held: &Held,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let host =
            netdev::host_netns(&*self.kernel, &self.paths).map_err(ClaimError::host("prepare"))?;
        for device in &mut record.devices {
            self.apply(device, &host, held, deadline)?;
        }
        self.assign(record, deadline)?;
        self.show(record)?;
        record.phase = Phase::Prepared;
        self.store.save(record)?;
        self.failures().remove(&record.owner.claim.uid);
        Ok(())
    }

    /// Writes what containers see: the CDI spec, and the documents of requests that wait for no
    /// netdev.
    pub(super) fn show(&self, record: &Record) -> Result<(), ClaimError> {
        let driver = &self.identity.driver_name;
        let spec = view::cdi_spec(record, driver, &self.paths);
        self.write_spec(&record.owner.claim.uid, &spec)?;
        self.disk
            .change("write metadata", || view::open(&self.paths, record, driver))
            .map_err(ClaimError::files("device metadata"))?;
        self.show_device_info(record)
    }

    pub(super) fn write_spec(&self, uid: &ClaimUid, spec: &cdi::Spec) -> Result<(), ClaimError> {
        let (dir, driver) = (&self.paths.cdi, &self.identity.driver_name);
        self.disk
            .change("write cdi spec", || cdi::write(dir, driver, uid, spec))
            .map_err(ClaimError::files("cdi spec"))
    }
}

/// The devices that the claim takes from others.
pub(super) fn held_by(wanted: &[Wanted]) -> impl Iterator<Item = DeviceId> {
    wanted
        .iter()
        .filter(|wanted| !wanted.result.admin_access)
        .map(|wanted| wanted.id)
}

/// The answer to the kubelet.
pub(super) fn answer(record: &Record) -> Vec<PreparedDevice> {
    let device = |device: &DeviceRecord| PreparedDevice {
        requests: vec![device.base_request().to_owned()],
        slice_pool: device.slice_pool.clone(),
        device: device.id.name(),
        cdi: device.cdi.clone(),
        share_id: device.share_id.clone(),
    };
    record.devices.iter().map(device).collect()
}
