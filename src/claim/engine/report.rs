//! What others want to know of the claims here: who has which device, and what is wrong.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{Engine, Failure};
use crate::{
    api::AttachMode,
    claim::ClaimError,
    device::DeviceId,
    ledger::{ClaimRef, ClaimUid, Entry, Phase, Record, StoreError, Work},
    netdev,
};

/// Devices out of use because a claim could not be undone, or its record not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The claim.
    pub uid: ClaimUid,
    /// Its devices.
    pub devices: Vec<DeviceId>,
    /// What is wrong.
    pub why: String,
}

/// A release that is not complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Releasing {
    /// The claim.
    pub claim: ClaimRef,
    /// Its devices.
    pub devices: Vec<DeviceId>,
    /// Since when.
    pub age: Duration,
    /// Why the last attempt did not work, if there was one.
    pub error: Option<String>,
    /// Whether its devices are out of use meanwhile.
    pub is_damaged: bool,
}

/// A release that takes longer takes its devices out of use: nobody is to wait for it.
pub(super) const LONG: Duration = Duration::from_secs(5);

impl Releasing {
    fn of(record: &Record, failure: Option<&Failure>) -> Self {
        let age = release_age(record);
        Self {
            claim: (*record.owner.claim).clone(),
            devices: record.held().collect(),
            error: failure.map(|failure| failure.error.clone()),
            is_damaged: age >= LONG || failure.is_some_and(|failure| failure.lasting),
            age,
        }
    }

    fn damage(self) -> Option<Damage> {
        let underway = || format!("claim {} is still being released", self.claim);
        self.is_damaged.then(|| Damage {
            uid: self.claim.uid.clone(),
            why: self.error.clone().unwrap_or_else(underway),
            devices: self.devices.clone(),
        })
    }
}

/// How long the release of a claim takes by now; without a note of its begin, too long.
#[must_use]
pub fn release_age(record: &Record) -> Duration {
    let Some(since) = record.releasing_since else {
        return LONG;
    };
    let since = UNIX_EPOCH + Duration::from_secs(since);
    // A clock that was set back.
    SystemTime::now().duration_since(since).unwrap_or(LONG)
}

impl Engine {
    /// All records.
    ///
    /// # Errors
    /// They cannot be listed.
    pub fn records(&self) -> Result<Vec<Entry>, StoreError> {
        self.store.all()
    }

    /// Which claim has which device. Devices that are only observed have no holder.
    ///
    /// # Errors
    /// The records cannot be listed.
    pub fn holders(&self) -> Result<BTreeMap<DeviceId, ClaimRef>, StoreError> {
        let records = self.store.all()?.into_iter().filter_map(Entry::record);
        Ok(records
            .flat_map(|record| {
                record
                    .held()
                    .map(|id| (id, (*record.owner.claim).clone()))
                    .collect::<Vec<_>>()
            })
            .collect())
    }

    /// Devices of claims that are not there any more, or are others than were prepared.
    ///
    /// # Errors
    /// Records or functions cannot be listed.
    pub fn vanished(&self) -> Result<Vec<(DeviceId, ClaimRef)>, ClaimError> {
        let present = self
            .kernel
            .functions()
            .map_err(ClaimError::host("look for"))?;
        let is_there = |id, incarnation| {
            present
                .iter()
                .any(|f| f.id == id && f.incarnation == incarnation)
        };
        let records = self.store.all()?.into_iter().filter_map(Entry::record);
        Ok(records
            .flat_map(|record| {
                let gone = record
                    .devices
                    .iter()
                    .filter(|d| !d.admin_access && !is_there(d.id, d.incarnation));
                gone.map(|device| (device.id, (*record.owner.claim).clone()))
                    .collect::<Vec<_>>()
            })
            .collect())
    }

    /// Claims whose release has begun and is not complete, oldest first.
    ///
    /// # Errors
    /// The records cannot be listed.
    pub fn releasing(&self) -> Result<Vec<Releasing>, StoreError> {
        let failures = self.failures().clone();
        let records = self.store.all()?.into_iter().filter_map(Entry::record);
        let mut all: Vec<Releasing> = records
            .filter(|record| {
                let failed = failures.contains_key(&record.owner.claim.uid);
                record.phase == Phase::Unpreparing || failed
            })
            .map(|record| Releasing::of(&record, failures.get(&record.owner.claim.uid)))
            .collect();
        all.sort_by_key(|releasing| std::cmp::Reverse(releasing.age));
        Ok(all)
    }

    /// Devices out of use: a record cannot be read, or a release has failed for good or takes too
    /// long.
    ///
    /// # Errors
    /// The records cannot be listed.
    pub fn damaged(&self) -> Result<Vec<Damage>, StoreError> {
        let unreadable = |entry: Entry| match entry {
            Entry::Unreadable { key, devices, why } => Some(Damage {
                uid: key,
                devices,
                why,
            }),
            Entry::Readable(_) => None,
        };
        let mut all: Vec<Damage> = self
            .store
            .all()?
            .into_iter()
            .filter_map(unreadable)
            .collect();
        let releasing = self.releasing()?.into_iter();
        all.extend(releasing.filter_map(Releasing::damage));
        Ok(all)
    }

    /// What is being done with a device now, if anything.
    #[must_use]
    pub fn busy_with(&self, device: &DeviceId) -> Option<Work> {
        self.locks.busy_with(device)
    }

    /// Whether the claim has a netdev that goes into its pod in this way. A record that cannot be
    /// read has none.
    #[must_use]
    pub fn attaches_by(&self, uid: &ClaimUid, attach: AttachMode) -> bool {
        let record = self.store.load(uid).ok().flatten();
        let attaches = |record: Record| {
            let plans = record
                .devices
                .iter()
                .filter_map(|device| device.netdev.as_ref());
            plans.into_iter().any(|plan| plan.attach == attach)
        };
        record.is_some_and(attaches)
    }

    /// Claims none of whose devices is in a living pod's namespace: those whose claim may be gone
    /// from the cluster.
    #[must_use]
    pub fn idle_claims(&self) -> Vec<ClaimRef> {
        let records = self
            .store
            .all()
            .unwrap_or_default()
            .into_iter()
            .filter_map(Entry::record);
        records
            .filter(|record| self.in_pod(record).is_none())
            .map(|record| (*record.owner.claim).clone())
            .collect()
    }

    /// A device of the claim that is in a living pod, and which. What cannot be looked at counts as
    /// living.
    pub(super) fn in_pod(&self, record: &Record) -> Option<(DeviceId, String)> {
        record.devices.iter().find_map(|device| {
            let there = device.attachment.as_ref()?;
            let lives = netdev::is_attached(&*self.kernel, &device.id, there).unwrap_or(true);
            lives.then(|| (device.id, there.pod.clone()))
        })
    }
}
