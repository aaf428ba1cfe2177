//! A PF keeps its VFs while a claim of one of them is worked on, and while a claim of the PF itself
//! is, nobody works on them: its driver is restarted, and they are made again.

use std::collections::{BTreeMap, BTreeSet};

use super::{Engine, prepare::held_by};
use crate::{
    claim::{ClaimError, Wanted},
    deadline::Deadline,
    device::{Bdf, DeviceId},
    host::ErrorKind,
    ledger::{Entry, Phase, Record, Step, VfsLock},
};

impl Engine {
    /// Shares the VFs of the devices' PFs, or has them alone for a device that is a PF.
    pub(super) fn lock_vfs(
        &self,
        devices: &BTreeSet<DeviceId>,
        work: &str,
        deadline: Deadline,
    ) -> Result<Vec<VfsLock>, ClaimError> {
        let mut pfs: BTreeMap<Bdf, bool> = BTreeMap::new();
        for device in devices {
            // What cannot be looked at now is not worked on either.
            let Ok(seen) = self.kernel.bound(device) else {
                continue;
            };
            if seen.is_pf {
                pfs.insert(device.pci(), true);
            } else if let Some(pf) = seen.pf {
                pfs.entry(pf).or_insert(false);
            }
        }
        let lock = |(pf, alone): (Bdf, bool)| match alone {
            true => self
                .locks
                .change_vfs(&pf, &format!("{work} {pf}"), deadline),
            false => self.locks.keep_vfs(&pf, deadline),
        };
        Ok(pfs.into_iter().map(lock).collect::<Result<_, _>>()?)
    }

    /// Whether a device of the claim was away because its PF was being restarted; when this
    /// returns, that has ended.
    pub(super) fn awaited_restart(
        &self,
        wanted: &[Wanted],
        deadline: Deadline,
    ) -> Result<bool, ClaimError> {
        let is_away = |device: DeviceId| {
            let seen = self.kernel.bound(&device);
            seen.is_err_and(|error| error.kind() == ErrorKind::Gone)
        };
        let restarting = match held_by(wanted).any(is_away) {
            true => self.restarting()?,
            false => vec![],
        };
        for pf in &restarting {
            drop(self.locks.keep_vfs(pf, deadline)?);
        }
        Ok(!restarting.is_empty())
    }

    /// PFs whose VFs a release makes again.
    fn restarting(&self) -> Result<Vec<Bdf>, ClaimError> {
        let records = self.store.all()?.into_iter().filter_map(Entry::record);
        let under_way = records.filter(|record: &Record| record.phase != Phase::Prepared);
        let devices = under_way.flat_map(|record| record.devices);
        let remade = devices.filter(|device| {
            let mut steps = device.steps.iter();
            steps.any(|step| matches!(step, Step::Vfs(_)))
        });
        Ok(remade.map(|device| device.id.pci()).collect())
    }
}
