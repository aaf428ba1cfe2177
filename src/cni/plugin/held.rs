//! The device of an attachment, under its locks: in its claim's record, or in the entry itself.

use super::{
    Plugin,
    entry::Entry,
    error::{failed, locked, refused},
};
use crate::{
    claim::{self, ClaimError},
    cni::protocol::CniError,
    deadline::Deadline,
    device::DeviceId,
    ledger::{AttachmentId, ClaimLock, ClaimUid, DeviceRecord, NetworkCall, Record},
};

/// An entry with its device. Locks are dropped with it.
pub(super) struct Held {
    pub(super) entry: Entry,
    /// The claim's record and the device's place in it.
    pub(super) claim: Option<(Record, usize)>,
    _claim: Option<ClaimLock>,
    _device: Option<claim::Held>,
}

impl Held {
    /// The device's record; none when neither has it (any more).
    pub(super) fn device(&self) -> Option<&DeviceRecord> {
        match &self.claim {
            Some((record, index)) => record.devices.get(*index),
            None => self.entry.devices.first(),
        }
    }

    pub(super) fn device_mut(&mut self) -> Option<&mut DeviceRecord> {
        match &mut self.claim {
            Some((record, index)) => record.devices.get_mut(*index),
            None => self.entry.devices.first_mut(),
        }
    }

    pub(super) fn key(&self) -> &AttachmentId {
        &self.entry.owner.attachment
    }

    pub(super) fn call(&self) -> Option<&NetworkCall> {
        self.entry.owner.call.as_deref()
    }

    /// Whether the device has this attachment's layer.
    pub(super) fn has_layer(&self) -> bool {
        let layer = self.device().and_then(|device| device.network.as_ref());
        layer.is_some_and(|layer| layer.attachment == *self.key())
    }
}

impl Plugin {
    /// Locks what the entry names: the claim, then the device.
    pub(super) fn hold(&self, entry: Entry, deadline: Deadline) -> Result<Held, CniError> {
        let named = entry.owner.call.as_deref();
        let named = named.map(|call| (call.device, call.claim.as_deref().cloned()));
        let Some((device, claim)) = named else {
            return Ok(Held {
                entry,
                claim: None,
                _claim: None,
                _device: None,
            });
        };
        let work = format!("attachment {}", entry.owner.attachment);
        let lock = claim
            .as_ref()
            .map(|claim| self.engine.locks().claim(&claim.uid, &work, deadline));
        let lock = lock.transpose().map_err(locked)?;
        let side = match &claim {
            Some(claim) => self.claim_side(&claim.uid, device)?,
            None => None,
        };
        let held = self.engine.lock_device(device, &work, deadline);
        Ok(Held {
            entry,
            claim: side,
            _claim: lock,
            _device: Some(held.map_err(refused)?),
        })
    }

    fn claim_side(
        &self,
        uid: &ClaimUid,
        device: DeviceId,
    ) -> Result<Option<(Record, usize)>, CniError> {
        let Some(record) = self.engine.store().load(uid).map_err(failed)? else {
            return Ok(None);
        };
        let index = record.devices.iter().position(|held| held.id == device);
        Ok(index.map(|index| (record, index)))
    }

    /// Writes down what was changed in the device's record.
    pub(super) fn save_device(&self, held: &Held) -> Result<(), CniError> {
        match &held.claim {
            Some((record, _)) => self.engine.store().save(record).map_err(failed),
            None => self.save(&held.entry),
        }
    }

    /// Undoes what an ADD has done, all or part of it, and removes its entry. Tries everything. An
    /// entry that stays as it is, is not written again: who watches them would never rest.
    pub(super) fn undo(&self, mut held: Held, deadline: Deadline) -> Result<(), CniError> {
        let before = held.entry.clone();
        let undone = self.undo_device(&mut held, deadline);
        let mut errors: Vec<CniError> = undone.err().into_iter().collect();
        errors.extend(self.undo_ipam(&mut held).err());
        let kept = match errors.is_empty() {
            true => self.engine.attachments().remove(held.key()).map_err(failed),
            false if held.entry != before => self.save(&held.entry),
            false => Ok(()),
        };
        errors.extend(kept.err());
        super::error::all(errors)
    }

    fn undo_device(&self, held: &mut Held, deadline: Deadline) -> Result<(), CniError> {
        if held.claim.is_some() {
            return match held.has_layer() {
                true => self.undo_layer(held, deadline),
                false => Ok(()),
            };
        }
        if held.entry.devices.is_empty() {
            return Ok(());
        }
        let given = self.engine.give_back(&mut held.entry, deadline);
        given.map_err(|errors| {
            let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
            failed(texts.join("; "))
        })?;
        held.entry.devices.clear();
        Ok(())
    }

    /// The claim keeps its device.
    fn undo_layer(&self, held: &mut Held, deadline: Deadline) -> Result<(), CniError> {
        let engine = &self.engine;
        let Some((record, index)) = &mut held.claim else {
            return Ok(());
        };
        let closed = engine.close_gates(record).map_err(refused);
        let device = &mut record.devices[*index];
        let popped = engine.pop_network(device, deadline);
        // With a gate that is still open the next DEL begins anew.
        let saved = closed.and_then(|()| self.save_device(held));
        match popped {
            // Its values stay the tenant's until the claim's release, which waits for it.
            Err(ClaimError::NodeOpen { device, node }) => {
                tracing::warn!(%device, node, "is open by a process, so that the network's values stay until its claim is released");
                saved
            }
            popped => popped.map_err(refused).and(saved),
        }
    }

    fn undo_ipam(&self, held: &mut Held) -> Result<(), CniError> {
        let Some((ipam, at)) = super::ipam::pending(&held.entry) else {
            return Ok(());
        };
        self.ipam
            .run(crate::cni::protocol::Command::Del, ipam, &at)?;
        if let Some(call) = &mut held.entry.owner.call {
            call.ipam = None;
        }
        Ok(())
    }
}
