//! The VFs of a PF that is given back, made again as they were.

use super::Engine;
use crate::{
    claim::{
        ClaimError, DeviceRecord, VfHome, home,
        plan::{all_known, current},
    },
    deadline::Deadline,
    device::{DeviceId, Mac, VfAddress, VfSetting},
    host::{ErrorKind, HostError, Netns},
};

impl Engine {
    /// As many as there were, each set as it was. Tries everything.
    pub(super) fn remake(
        &self,
        pf: &DeviceRecord,
        vfs: &[VfHome],
        host: &Netns,
        deadline: Deadline,
    ) -> Vec<ClaimError> {
        let count = vfs.iter().map(|vf| vf.vf.index + 1).max().unwrap_or(0);
        let made = home::retry(deadline, || self.kernel.set_num_vfs(&pf.id.pci(), count));
        if let Err(error) = made {
            return vec![ClaimError::host("give back")(error)];
        }
        vfs.iter().flat_map(|vf| self.furnish(vf, host, deadline)).collect()
    }

    fn furnish(&self, was: &VfHome, host: &Netns, deadline: Deadline) -> Vec<ClaimError> {
        let id = match self.made(&was.vf, deadline) {
            Ok(id) => id,
            Err(error) => return vec![error],
        };
        let mut errors: Vec<ClaimError> = Vec::new();
        for setting in was.settings.iter().flat_map(all_known) {
            errors.extend(self.refurnish(&id, &was.vf, &setting, deadline).err());
        }
        let bound = match self.undo_driver(&id, &was.binding, deadline) {
            Ok(bound) => bound,
            Err(error) => {
                errors.push(error);
                return errors;
            }
        };
        if let Some(home) = &was.home {
            // The VF's driver reads the address that its PF has for it only when it starts.
            let given = was.settings.and_then(|settings| settings.mac).is_some_and(|mac| mac != Mac::ZERO);
            let failed = home::restore(&*self.kernel, host, &id, home, bound || !given, deadline);
            errors.extend(failed.into_iter().map(ClaimError::host("give back")));
        }
        errors
    }

    /// Waits for the VF.
    fn made(&self, vf: &VfAddress, deadline: Deadline) -> Result<DeviceId, ClaimError> {
        let found = deadline.poll(|| {
            let all = self.kernel.functions()?;
            Ok(all.iter().find(|function| function.vf_address() == Some(*vf)).map(|function| function.id))
        });
        let missing = || {
            let subject = format!("vf {} of pf {}", vf.index, vf.pf);
            HostError::of_kind(ErrorKind::Gone, subject, "wait for function", "the kernel has not made it")
        };
        let found = found.and_then(|found| found.ok_or_else(missing));
        found.map_err(ClaimError::host("give back"))
    }

    /// One value at the PF, unless it is so.
    fn refurnish(&self, id: &DeviceId, vf: &VfAddress, to: &VfSetting, deadline: Deadline) -> Result<(), ClaimError> {
        let held = self.kernel.observe(id).map_err(ClaimError::host("give back"))?.vf;
        if held.is_some_and(|held| current(&held, to).is_none_or(|now| now == *to)) {
            return Ok(());
        }
        self.undo_vf(id, vf, to, true, deadline)
    }
}
