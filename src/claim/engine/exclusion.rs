//! What cannot be allocated together: a PF and its VFs and SFs, to two claims or to one; members of
//! an IOMMU group, to two claims of which one gives the group.

use std::collections::BTreeSet;

use super::{
    Engine,
    groups::{is_to_be_bound, mates},
    prepare::held_by,
};
use crate::{
    claim::{
        AllocatedClaim, ClaimError, Conflict, Wanted,
        yields::{gives_group, has_group},
    },
    device::{DeviceId, Function, Observed},
    ledger::{DeviceRecord, Entry, Owner, Store, Title},
};

/// Devices that cannot be allocated together with one.
#[derive(Debug, Default)]
struct Excluded {
    /// Whatever they are allocated for: itself, its PF, its VFs and SFs.
    always: BTreeSet<DeviceId>,
    /// Members of its IOMMU group, if it is to be given.
    mates: BTreeSet<DeviceId>,
    /// Members of its IOMMU group, if theirs is given.
    if_given: BTreeSet<DeviceId>,
    /// The number of that group.
    group: Option<u32>,
}

/// A device that somebody has.
struct Taken<O> {
    device: DeviceId,
    owner: O,
    /// The IOMMU group, if that is why.
    group: Option<u32>,
}

impl Excluded {
    fn has(&self, device: &DeviceRecord) -> bool {
        self.may_have(&device.id)
            && (!self.if_given.contains(&device.id)
                || self.always.contains(&device.id)
                || has_group(device))
    }

    fn may_have(&self, device: &DeviceId) -> bool {
        let all = [&self.always, &self.mates, &self.if_given];
        all.iter().any(|devices| devices.contains(device))
    }

    /// The group for which it is excluded, if not for its PF.
    fn group_of(&self, device: &DeviceId) -> Option<u32> {
        self.group.filter(|_| !self.always.contains(device))
    }
}

impl Engine {
    /// Whether the claim has no PF and a part of it: with the PF's netdev in the pod its VFs cannot
    /// be set any more.
    pub(super) fn check_together(&self, wanted: &[Wanted]) -> Result<(), ClaimError> {
        let devices: Vec<DeviceId> = held_by(wanted).collect();
        if devices.len() < 2 {
            return Ok(());
        }
        for device in &devices {
            let function = self.known(device)?.function;
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
        self.check_owners(wanted)
    }

    /// The same, for an attachment without a claim.
    pub(super) fn check_free_of_all(&self, wanted: &Wanted) -> Result<(), ClaimError> {
        let titles = self.store.titles()?;
        if let Some(taken) = self.taken(&self.store, wanted, &titles)? {
            let other = &taken.owner.claim;
            let by = format!("{} is held by claim {other} ({})", taken.device, other.uid);
            return Err(ClaimError::refused(wanted.id, by));
        }
        self.check_owners(std::slice::from_ref(wanted))
    }

    fn check_owners(&self, wanted: &[Wanted]) -> Result<(), ClaimError> {
        for wanted in wanted.iter().filter(|one| !one.result.admin_access) {
            self.check_owner(&self.attachments, wanted)?;
            self.check_port(wanted.id)?;
        }
        Ok(())
    }

    /// Whether no owner of another kind has the device, or what excludes it.
    fn check_owner<O: Owner>(&self, store: &Store<O>, wanted: &Wanted) -> Result<(), ClaimError> {
        let Some(taken) = self.taken(store, wanted, &store.titles()?)? else {
            return Ok(());
        };
        let held = taken.device;
        let why = match taken.group {
            _ if held == wanted.id => String::new(),
            None => format!(", as {held} of the same PF"),
            Some(group) => {
                format!(", as {held} of the same IOMMU group {group}, which VFIO gives as a whole")
            }
        };
        let reason = format!("is held by {} {}{why}", O::KIND, taken.owner.key());
        Err(ClaimError::refused(wanted.id, reason))
    }

    /// Whether the device is no port that is provisioned. Its VFs are there to be claimed.
    fn check_port(&self, device: DeviceId) -> Result<(), ClaimError> {
        match self.ports.holder(&BTreeSet::from([device]))? {
            Some((_, port)) => {
                let reason = format!("is held by port {port}");
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
        for wanted in wanted.iter().filter(|one| !one.result.admin_access) {
            if let Some(taken) = self.taken(&self.store, wanted, &others)? {
                return Err(ClaimError::Conflict(Box::new(Conflict {
                    asked: wanted.id,
                    claim: claim.claim.clone(),
                    device: taken.device,
                    other: (*taken.owner.claim).clone(),
                    group: taken.group,
                })));
            }
        }
        Ok(())
    }

    /// Which of these owners has the device, or what excludes it.
    fn taken<O: Owner>(
        &self,
        store: &Store<O>,
        wanted: &Wanted,
        others: &[Title<O::Key>],
    ) -> Result<Option<Taken<O>>, ClaimError> {
        if others.is_empty() {
            return Ok(None);
        }
        let excluded = self.excluded(wanted)?;
        let holds = |device: &DeviceId| excluded.may_have(device);
        for title in others
            .iter()
            .filter(|title| title.more || title.devices.iter().any(holds))
        {
            let entry = store.all()?;
            let entry = entry.into_iter().find(|entry| *entry.key() == title.key);
            if let Some(taken) = entry.map_or(Ok(None), |entry| taken_by(entry, &excluded))? {
                return Ok(Some(taken));
            }
        }
        Ok(None)
    }

    /// What excludes a device, used as the claim wants it.
    fn excluded(&self, wanted: &Wanted) -> Result<Excluded, ClaimError> {
        let observed = self.known(&wanted.id)?;
        let function = &observed.function;
        let mut excluded = Excluded {
            always: self.excluded_by(&observed)?,
            group: function.iommu_group,
            ..Excluded::default()
        };
        if gives_group(&wanted.settings, function) {
            excluded.mates = mates(&observed).collect();
        } else if is_to_be_bound(function) {
            excluded.if_given = mates(&observed).collect();
        }
        Ok(excluded)
    }

    /// The devices that cannot be allocated together with this one: itself, its PF, its VFs and
    /// SFs.
    fn excluded_by(&self, observed: &Observed) -> Result<BTreeSet<DeviceId>, ClaimError> {
        let function = &observed.function;
        let mut excluded = BTreeSet::from([function.id]);
        if function.is_part() {
            excluded.extend(function.pf().map(DeviceId::Pci));
        } else if function.pf().is_some() {
            excluded.extend(self.parts_of(&function.id)?.iter().map(|part| part.id));
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
    fn known(&self, device: &DeviceId) -> Result<Observed, ClaimError> {
        match self.kernel.observe(device) {
            Ok(observed) => Ok(observed),
            Err(error) => {
                let all = self
                    .kernel
                    .functions()
                    .map_err(ClaimError::host("prepare"))?;
                let found = all.into_iter().find(|function| function.id == *device);
                found
                    .map(Observed::of)
                    .ok_or_else(|| ClaimError::host("prepare")(error))
            }
        }
    }
}

/// What the owner has of what is excluded.
fn taken_by<O: Owner>(
    entry: Entry<O>,
    excluded: &Excluded,
) -> Result<Option<Taken<O>>, ClaimError> {
    match entry {
        Entry::Readable(record) => {
            let mut held = record.devices.iter().filter(|device| !device.admin_access);
            let found = held.find(|device| excluded.has(device));
            Ok(found.map(|found| Taken {
                device: found.id,
                owner: record.owner.clone(),
                group: excluded.group_of(&found.id),
            }))
        }
        Entry::Unreadable { key, devices, why } => {
            let device = devices.into_iter().find(|device| excluded.may_have(device));
            let kind = O::KIND;
            let reason = format!("is held by {kind} {key}, whose record cannot be read: {why}");
            device.map_or(Ok(None), |device| Err(ClaimError::refused(device, reason)))
        }
    }
}
