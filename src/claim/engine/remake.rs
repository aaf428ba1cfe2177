//! The VFs of a PF that is released, made again as they were.

use std::collections::BTreeMap;

use super::Engine;
use crate::{
    claim::{
        ClaimError,
        plan::{all_known, current},
    },
    deadline::Deadline,
    device::{DeviceId, Mac, VfAddress, VfSetting},
    host::{ErrorKind, HostError, Netns},
    ledger::{DeviceRecord, VfState},
    netdev,
};

impl Engine {
    /// As many as there were, each set as it was. Tries everything.
    pub(super) fn remake(
        &self,
        pf: &DeviceRecord,
        vfs: &[VfState],
        host: &Netns,
        deadline: Deadline,
    ) -> Vec<ClaimError> {
        let count = vfs.iter().map(|vf| vf.vf.index + 1).max().unwrap_or(0);
        let made = netdev::retry(deadline, || self.kernel.set_num_vfs(&pf.id.pci(), count));
        if let Err(error) = made {
            return vec![ClaimError::host("restore")(error)];
        }
        let made = match self.made(vfs, deadline) {
            Ok(made) => made,
            Err(error) => return vec![error],
        };
        let restore_vf = |vf: &VfState| match made.get(&*vf.vf) {
            Some(id) => self.restore_vf(*id, vf, host, deadline),
            None => vec![missing(&vf.vf)],
        };
        vfs.iter().flat_map(restore_vf).collect()
    }

    fn restore_vf(
        &self,
        id: DeviceId,
        was: &VfState,
        host: &Netns,
        deadline: Deadline,
    ) -> Vec<ClaimError> {
        let mut errors: Vec<ClaimError> = Vec::new();
        for setting in was.settings.iter().flat_map(|held| all_known(held)) {
            errors.extend(self.set_unless_so(&id, &was.vf, &setting, deadline).err());
        }
        if let Err(error) = self.undo_driver(&id, &was.binding, deadline) {
            errors.push(error);
            return errors;
        }
        if let Some(netdev) = &was.netdev {
            if let Err(error) = self.read_mac(id, was, host, deadline) {
                errors.push(error);
                return errors;
            }
            let before = netdev::Before {
                netdev,
                mirrored: was.mirrored,
                binding: Some(&was.binding),
            };
            let failed = netdev::restore(&*self.kernel, host, &id, &before, deadline);
            errors.extend(failed.into_iter().map(ClaimError::host("restore")));
        }
        errors
    }

    /// The VF's driver reads the address that its PF has for it only when it starts.
    fn read_mac(
        &self,
        id: DeviceId,
        was: &VfState,
        host: &Netns,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let given = was.settings.as_ref().and_then(|settings| settings.mac);
        let Some(given) = given.filter(|mac| *mac != Mac::ZERO) else {
            return Ok(());
        };
        let restore = ClaimError::host("restore");
        let now = netdev::wait(&*self.kernel, host, &id, deadline).map_err(&restore)?;
        if now.state.mac == Some(given) {
            return Ok(());
        }
        netdev::retry(deadline, || self.kernel.rebind(&id, &was.binding, deadline))
            .map_err(&restore)
    }

    /// Waits until all are there, by scans of the whole host and not one for each; returns those
    /// that are. One that never comes must leave time for the others.
    fn made(
        &self,
        vfs: &[VfState],
        deadline: Deadline,
    ) -> Result<BTreeMap<VfAddress, DeviceId>, ClaimError> {
        let mut made = BTreeMap::new();
        let all = Deadline::after(deadline.left() / 2).poll(|| {
            let functions = self.kernel.functions()?;
            made = functions
                .iter()
                .filter_map(|function| Some((function.vf_address()?, function.id)))
                .collect();
            Ok(vfs
                .iter()
                .all(|vf| made.contains_key(&*vf.vf))
                .then_some(()))
        });
        all.map_err(ClaimError::host("restore")).map(|_| made)
    }

    /// One value at the PF, unless it is so.
    fn set_unless_so(
        &self,
        id: &DeviceId,
        vf: &VfAddress,
        to: &VfSetting,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let held = self.seen(id)?.vf;
        if held.is_some_and(|held| current(&held, to).is_none_or(|now| now == *to)) {
            return Ok(());
        }
        self.set_vf("restore", vf, to, deadline)
    }
}

fn missing(vf: &VfAddress) -> ClaimError {
    let subject = format!("vf {} of pf {}", vf.index, vf.pf);
    let error = HostError::of_kind(
        ErrorKind::Gone,
        subject,
        "wait for function",
        "the kernel has not made it",
    );
    ClaimError::host("restore")(error)
}
