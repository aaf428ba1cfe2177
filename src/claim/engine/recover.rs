//! At start: what a dead process left is undone, what stands is checked.

use std::{fs, io};

use super::Engine;
use crate::{
    cdi,
    claim::{ClaimError, device_info},
    deadline::Deadline,
    host::Netns,
    ledger::{ClaimUid, DeviceRecord, NetdevPlan, Phase, Record, StoreError},
    netdev,
};

impl Engine {
    /// Undoes half-done claims, checks prepared ones, and removes files of claims that have no
    /// record. Every claim is tried; what did not work is returned by claim, and its record stays.
    ///
    /// # Errors
    /// The records cannot be listed.
    pub fn recover(&self, deadline: Deadline) -> Result<Vec<(ClaimUid, ClaimError)>, ClaimError> {
        let mut failed = Vec::new();
        for uid in self.claims()? {
            let done = self.recover_claim(&uid, deadline);
            failed.extend(done.err().map(|error| (uid, error)));
        }
        self.sweep()?;
        Ok(failed)
    }

    /// The claims that have a record.
    ///
    /// # Errors
    /// The records cannot be listed.
    pub fn claims(&self) -> Result<Vec<ClaimUid>, StoreError> {
        let titles = self.store.titles()?;
        Ok(titles.into_iter().map(|title| title.key).collect())
    }

    /// [`Engine::recover`] of one claim.
    ///
    /// # Errors
    /// What did not work; its record stays.
    pub fn recover_claim(&self, uid: &ClaimUid, deadline: Deadline) -> Result<(), ClaimError> {
        let _claim_lock = self
            .locks
            .claim(uid, &format!("recover claim {uid}"), deadline)?;
        match self.store.load(uid)? {
            Some(record) if record.phase == Phase::Prepared => {
                self.check_standing(record, deadline)
            }
            Some(record) => self.restore(record, deadline),
            None => Ok(()),
        }
    }

    /// A prepared claim stands whatever its devices are: the kubelet's next call decides. Its files
    /// are made good, and attachments to pods that are no more, or that were never finished, are
    /// taken back. One whose devices were allocated on another node is kept until an unprepare or
    /// the collection restores them, but no container of it starts any more.
    fn check_standing(&self, mut record: Record, deadline: Deadline) -> Result<(), ClaimError> {
        let before = record.clone();
        let devices = record
            .devices
            .iter()
            .filter(|device| !device.admin_access)
            .map(|device| device.id);
        let _held = self.lock_devices(devices, "recover", deadline)?;
        let detached = self.detach_dead(&mut record, deadline);
        if record != before {
            self.close_gates(&record)?;
        }
        assume_used(&mut record);
        if record != before {
            self.store.save(&record)?;
        }
        detached?;
        match record.not_of(&self.identity.node_name) {
            Some(device) => {
                let (node, device) = (&device.slice_pool, device.id);
                tracing::warn!(claim = %record.owner.claim, %device, node, "prepared here, but allocated on another node");
                self.close(&record)
            }
            None => self.show(&record),
        }
    }

    /// Tries all; the first error is returned.
    fn detach_dead(&self, record: &mut Record, deadline: Deadline) -> Result<(), ClaimError> {
        let host = netdev::host_netns(&*self.kernel, &self.paths);
        let host = host.map_err(ClaimError::host("recover"))?;
        let mut first = Ok(());
        for device in &mut record.devices {
            first = first.and(self.detach_if_dead(device, &host, deadline));
        }
        first
    }

    fn detach_if_dead(
        &self,
        device: &mut DeviceRecord,
        host: &Netns,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let failed = ClaimError::host("recover");
        let Some(attachment) = device.attachment.clone() else {
            return Ok(());
        };
        if !self.is_same(device)? {
            return Ok(());
        }
        let there = netdev::is_attached(&*self.kernel, &device.id, &attachment).map_err(&failed)?;
        if there && attachment.done {
            return Ok(());
        }
        if device.network.is_some() {
            self.pop_network(device, deadline)?;
            device.used = Some(true);
            return Ok(());
        }
        let name = device.resting_netdev().map(|state| &state.name);
        netdev::return_to_host(
            &*self.kernel,
            host,
            &device.id,
            &attachment,
            (device.prepared_binding(), name),
            deadline,
        )
        .map_err(failed)?;
        (device.used, device.attachment) = (Some(true), None);
        Ok(())
    }

    /// Removes files of ours whose claim has no record.
    ///
    /// # Errors
    /// The file system's.
    pub fn sweep(&self) -> Result<(), ClaimError> {
        self.sweep_files().map_err(ClaimError::files("sweep"))
    }

    /// A record is written before its claim's files and removed after them, so that looking for it
    /// after having seen a file is enough.
    fn sweep_files(&self) -> io::Result<()> {
        let known = |uid: &str| {
            let titles = self.store.titles().unwrap_or_default();
            titles.iter().any(|title| title.key.as_str() == uid)
        };
        // Records that cannot be listed must not look like no records.
        self.store.titles().map_err(io::Error::other)?;
        cdi::remove_orphans(&self.paths.cdi, &self.identity.driver_name, known)?;
        device_info::remove_orphans(&self.paths, known)?;
        let attached = match fs::read_dir(self.paths.attached()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in attached {
            let entry = entry?;
            if entry
                .file_name()
                .to_str()
                .is_some_and(|uid| uid.parse::<ClaimUid>().is_ok() && !known(uid))
            {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// A version that does not know the note may have attached the netdev while it served the node.
fn assume_used(record: &mut Record) {
    for device in &mut record.devices {
        let attaches = |plan: &NetdevPlan| plan.attach.is_into_pod();
        if device.netdev.as_ref().is_some_and(attaches) {
            device.used = Some(true);
        }
    }
}
