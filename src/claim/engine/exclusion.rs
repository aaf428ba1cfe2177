//! What cannot be allocated together: a PF and its VFs and SFs, to two claims or to one.

use std::collections::BTreeSet;

use super::{Engine, prepare::held_by};
use crate::{
    claim::{AllocatedClaim, ClaimError, Conflict, Wanted},
    device::{DeviceId, Function},
    ledger::{ClaimRef, ClaimUid, Entry, Owner, Store},
};

impl Engine {
    /// Whether the claim has no PF and a part of it: with the PF's netdev in the pod its VFs cannot
    /// be set any more.
    pub(super) fn check_together(&self, wanted: &[Wanted]) -> Result<(), ClaimError> {
        let devices: Vec<DeviceId> = held_by(wanted).collect();
        if devices.len() < 2 {
            return Ok(());
        }
        for device in &devices {
            let function = self.function(device)?;
            let pf = function
                .pf()
                .map(DeviceId::Pci)
                .filter(|_| function.is_part());
            if let Some(pf) = pf.filter(|pf| devices.contains(pf)) {
                let reason = format!(
                    "is allocated to the same claim as its PF {pf}; claim the PF, or VFs and SFs of it"
                );
                return Err(ClaimError::refused(*device, reason));
            }
        }
        Ok(())
    }

    /// Whether nobody else has the devices, or a PF of them, or a VF of them.
    pub(super) fn check_free(
        &self,
        claim: &AllocatedClaim,
        wanted: &[Wanted],
    ) -> Result<(), ClaimError> {
        self.check_others_claims(claim, wanted)?;
        for device in held_by(wanted) {
            self.check_owner(&self.attachments, device)?;
            self.check_owner(&self.ports, device)?;
        }
        Ok(())
    }

    /// Whether no owner of another kind has the device, or what excludes it.
    fn check_owner<O: Owner>(&self, store: &Store<O>, device: DeviceId) -> Result<(), ClaimError> {
        if store.titles()?.is_empty() {
            return Ok(());
        }
        let excluded = match O::OWNS_PARTS {
            true => self.excluded_by(&device)?,
            false => BTreeSet::from([device]),
        };
        match store.holder(&excluded)? {
            Some((held, key)) => {
                let mut reason = format!("is held by {} {key}", O::KIND);
                if held != device {
                    reason += &format!(", as {held} of the same PF");
                }
                Err(ClaimError::refused(device, reason))
            }
            None => Ok(()),
        }
    }

    /// Whether no other claim has the devices, or a PF of them, or a VF of them.
    fn check_others_claims(
        &self,
        claim: &AllocatedClaim,
        wanted: &[Wanted],
    ) -> Result<(), ClaimError> {
        let mine = &claim.claim.uid;
        let others: Vec<_> = self
            .store
            .titles()?
            .into_iter()
            .filter(|title| title.key != *mine)
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        for device in held_by(wanted) {
            let excluded = self.excluded_by(&device)?;
            let holds = |device: &DeviceId| excluded.contains(device);
            for title in others
                .iter()
                .filter(|title| title.more || title.devices.iter().any(holds))
            {
                self.check_other(&claim.claim, device, &title.key, &excluded)?;
            }
        }
        Ok(())
    }

    /// The devices that cannot be allocated together with this one: itself, its PF, its VFs and
    /// SFs.
    fn excluded_by(&self, device: &DeviceId) -> Result<BTreeSet<DeviceId>, ClaimError> {
        let function = self.function(device)?;
        let mut excluded = BTreeSet::from([*device]);
        if function.is_part() {
            excluded.extend(function.pf().map(DeviceId::Pci));
        } else if function.pf().is_some() {
            excluded.extend(self.parts_of(device)?.iter().map(|part| part.id));
        }
        Ok(excluded)
    }

    /// The VFs and SFs of a PF.
    pub(super) fn parts_of(&self, pf: &DeviceId) -> Result<Vec<Function>, ClaimError> {
        let mut all = self
            .kernel
            .functions()
            .map_err(ClaimError::host("prepare"))?;
        all.retain(|other| other.is_part() && other.pf() == Some(pf.pci()));
        Ok(all)
    }

    /// What the device is. A VF whose PF is in a pod cannot be observed, and this is how one finds
    /// out.
    fn function(&self, device: &DeviceId) -> Result<Function, ClaimError> {
        match self.kernel.observe(device) {
            Ok(observed) => Ok(observed.function),
            Err(error) => {
                let all = self
                    .kernel
                    .functions()
                    .map_err(ClaimError::host("prepare"))?;
                let found = all.into_iter().find(|function| function.id == *device);
                found.ok_or_else(|| ClaimError::host("prepare")(error))
            }
        }
    }

    fn check_other(
        &self,
        claim: &ClaimRef,
        asked: DeviceId,
        uid: &ClaimUid,
        excluded: &BTreeSet<DeviceId>,
    ) -> Result<(), ClaimError> {
        match self
            .store
            .all()?
            .into_iter()
            .find(|entry| entry.key() == uid)
        {
            Some(Entry::Readable(record)) => {
                let device = record.held().find(|device| excluded.contains(device));
                device.map_or(Ok(()), |device| {
                    let (claim, other) = (claim.clone(), (*record.owner.claim).clone());
                    Err(ClaimError::Conflict(Box::new(Conflict {
                        asked,
                        claim,
                        device,
                        other,
                    })))
                })
            }
            Some(Entry::Unreadable { key, devices, why }) => {
                let device = devices.into_iter().find(|device| excluded.contains(device));
                let reason = format!("is held by claim {key}, whose record cannot be read: {why}");
                device.map_or(Ok(()), |device| Err(ClaimError::refused(device, reason)))
            }
            None => Ok(()),
        }
    }
}
