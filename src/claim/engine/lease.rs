//! IPAM plugins, called for a claim: its addresses before it is prepared, and their release once the
//! tenant is cut off.

use std::{io, sync::Arc, time::Duration};

use super::Engine;
use crate::{
    claim::{AllocatedClaim, ClaimError, Wanted, clash, ipam, ipam::Ipam},
    deadline::Deadline,
    ledger::{Assigned, DeviceRecord, Lease, NetdevPlan, Record},
};

/// What one call may take: less than a Prepare may, which undoes what failed.
const CALL: Duration = Duration::from_secs(20);
/// And what it is given when other work has taken the time.
const LEAST: Duration = Duration::from_secs(3);

impl Engine {
    /// The same engine, which can run IPAM plugins.
    #[must_use]
    pub fn assigning(mut self, ipam: Arc<dyn Ipam>) -> Self {
        self.ipam = Some(ipam);
        self
    }

    /// Plans a device's lease. Nothing is called but what looks for the plugin.
    pub(super) fn plan_lease(
        &self,
        claim: &AllocatedClaim,
        wanted: &Wanted,
        device: &DeviceRecord,
    ) -> Result<Option<Box<Lease>>, ClaimError> {
        let path = self.ipam.as_ref().map(|ipam| ipam.path());
        let lease = ipam::lease(
            claim,
            wanted,
            device,
            (&self.paths, path.unwrap_or_default()),
        );
        let lease = lease.map_err(|reason| ClaimError::refused(wanted.id, reason))?;
        if let Some(lease) = &lease {
            let found = self.plugins()?.find(lease);
            found.map_err(ClaimError::ipam(lease))?;
        }
        Ok(lease.map(Box::new))
    }

    /// Has the plugins of all devices called, and writes down what they have assigned.
    pub(super) fn assign(&self, record: &mut Record, deadline: Deadline) -> Result<(), ClaimError> {
        for index in 0..record.devices.len() {
            let Some(mut lease) = record.devices[index].ipam.clone() else {
                continue;
            };
            lease.assigned = Some(self.add(&lease, deadline)?);
            record.devices[index].ipam = Some(lease);
            self.store.save(record)?;
        }
        check_routes(record)
    }

    fn add(&self, lease: &Lease, deadline: Deadline) -> Result<Assigned, ClaimError> {
        // One of before a reboot: a plugin that keeps it assigns nothing to the same device again.
        self.release_lease(lease, deadline)?;
        self.leases.enter(lease).map_err(KEEP)?;
        let (plugins, mut assigned) = (self.plugins()?, Ok(Assigned::default()));
        let add = || {
            assigned = plugins.add(lease, brief(deadline));
            Ok(())
        };
        self.disk.change("ipam add", add).map_err(KEEP)?;
        assigned.map_err(ClaimError::ipam(lease))
    }

    /// Releases what the device's plugin may have assigned. The tenant has been cut off.
    pub(super) fn unassign(
        &self,
        device: &DeviceRecord,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        match &device.ipam {
            Some(lease) => self.release_lease(lease, deadline),
            None => Ok(()),
        }
    }

    /// As its file has it: of a lease without a file nothing is assigned.
    fn release_lease(&self, lease: &Lease, deadline: Deadline) -> Result<(), ClaimError> {
        let on_disk = self.leases.load(&lease.claim.uid, &lease.device);
        let Some(lease) = on_disk.map_err(KEEP)? else {
            return Ok(());
        };
        let (plugins, mut released) = (self.plugins()?, Ok(()));
        let del = || {
            released = plugins.del(&lease, brief(deadline));
            Ok(())
        };
        self.disk.change("ipam del", del).map_err(KEEP)?;
        released.map_err(ClaimError::ipam(&lease))?;
        self.leases.remove(&lease).map_err(KEEP)
    }

    /// Releases the leases of claims that have no record: of before a reboot, or forgotten by hand.
    ///
    /// # Errors
    /// All that did not work; those leases stay.
    pub fn sweep_leases(&self, deadline: Deadline) -> Result<(), Vec<ClaimError>> {
        let all = self.leases.all().map_err(|error| vec![KEEP(error)])?;
        let swept = all.iter().map(|lease| self.sweep_lease(lease, deadline));
        let failed: Vec<ClaimError> = swept.filter_map(Result::err).collect();
        match failed.is_empty() {
            true => Ok(()),
            false => Err(failed),
        }
    }

    fn sweep_lease(&self, lease: &Lease, deadline: Deadline) -> Result<(), ClaimError> {
        let uid = &lease.claim.uid;
        if self.store.has(uid)? {
            return Ok(());
        }
        let work = format!("release lease of claim {}", lease.claim);
        let _claim_lock = self.locks.claim(uid, &work, deadline)?;
        match self.store.has(uid)? {
            true => Ok(()),
            false => self.release_lease(lease, deadline),
        }
    }

    fn plugins(&self) -> Result<&dyn Ipam, ClaimError> {
        self.ipam.as_deref().ok_or(ClaimError::NoIpam)
    }
}

/// Which routes plugins assign is known only now.
fn check_routes(record: &Record) -> Result<(), ClaimError> {
    let goes = |plan: &NetdevPlan| plan.attach.is_into_pod();
    let routes = |device: &DeviceRecord| {
        let plan = device.plan_in_pod().filter(goes)?;
        Some((device.id, plan.routes))
    };
    let routes: Vec<_> = record.devices.iter().filter_map(routes).collect();
    match clash(&routes) {
        Some(clash) => Err(ClaimError::refused(clash.other, clash.reason())),
        None => Ok(()),
    }
}

const KEEP: fn(io::Error) -> ClaimError = |source| ClaimError::Files {
    what: "lease",
    source,
};

fn brief(deadline: Deadline) -> Deadline {
    Deadline::after(deadline.left().clamp(LEAST, CALL))
}
