//! What a PF holds for a VF, as it was before the claim.

use super::{Engine, transit};
use crate::{
    claim::{
        ClaimError,
        plan::current,
        undo::{Value, network_values, values_before},
    },
    deadline::Deadline,
    device::{DeviceId, Function, Mac, Observed, VfAddress, VfSetting, VfSettings},
    host::ErrorKind,
    ledger::{DeviceRecord, Note, Step},
    netdev,
};

impl Engine {
    /// Sets the values that differ: one look before all of them, and one after.
    pub(super) fn undo_values(&self, device: &DeviceRecord, deadline: Deadline) -> Vec<ClaimError> {
        let values = values_before(device);
        let noted = self.noted_mac(device, &values);
        self.undo_all(device, (values, noted), deadline)
    }

    /// The same for what a network attachment has set: what the claim has, stays.
    pub(super) fn undo_network_values(
        &self,
        device: &DeviceRecord,
        deadline: Deadline,
    ) -> Vec<ClaimError> {
        self.undo_all(device, (network_values(device), None), deadline)
    }

    fn undo_all(
        &self,
        device: &DeviceRecord,
        (values, noted): (Vec<Value>, Option<Mac>),
        deadline: Deadline,
    ) -> Vec<ClaimError> {
        if values.is_empty() && noted.is_none() {
            return vec![];
        }
        match self.seen(&device.id) {
            Ok(seen) => self.undo_differing(device, &seen, (values, noted), deadline),
            Err(error) => vec![error],
        }
    }

    fn undo_differing(
        &self,
        device: &DeviceRecord,
        seen: &Observed,
        (mut values, noted): (Vec<Value>, Option<Mac>),
        deadline: Deadline,
    ) -> Vec<ClaimError> {
        values.retain(|value| reported(seen, device, &value.to) != Some(value.to));
        values.extend(noted.and_then(|mac| replaced(seen, mac)));
        if values.is_empty() {
            return vec![];
        }
        let set = |value: &Value| self.undo_value(device, value, deadline);
        let done: Vec<_> = values.iter().map(set).collect();
        let after = self.seen(&device.id);
        let seen = after.as_ref().ok();
        let judged = values.iter().zip(done);
        let mut errors: Vec<ClaimError> = judged
            .filter_map(|(value, done)| judge(&device.id, value, done, seen).err())
            .collect();
        errors.extend(after.err());
        errors
    }

    /// Whether it was set.
    fn undo_value(
        &self,
        device: &DeviceRecord,
        value: &Value,
        deadline: Deadline,
    ) -> Result<bool, ClaimError> {
        match self.set_vf("restore", &value.vf, &value.to, deadline) {
            Err(error) if !value.known && error.kernel_kind() == Some(ErrorKind::Unsupported) => {
                Ok(false)
            }
            Err(error) if value.to == VfSetting::Mac(Mac::ZERO) => {
                self.fall_back(device, &value.vf, error, deadline)?;
                Ok(true)
            }
            done => done.map(|()| true),
        }
    }

    /// Whether the device's driver reads at its start a MAC or GUID that the release sets at the PF.
    pub(super) fn reads_mac(&self, device: &DeviceRecord) -> bool {
        let is_mac = |step: &Step| {
            let Step::Vf { to, .. } = step else {
                return false;
            };
            matches!(
                to,
                VfSetting::Mac(_) | VfSetting::NodeGuid(_) | VfSetting::PortGuid(_)
            )
        };
        let layer = device.network.iter().flat_map(|layer| &layer.steps);
        device.steps.iter().chain(layer).any(is_mac) || self.noted_mac(device, &[]).is_some()
    }

    /// The administrator's MAC, if a claim that did not change it has had a tenant: a PF may take
    /// another one from a VF that it trusts.
    fn noted_mac(&self, device: &DeviceRecord, values: &[Value]) -> Option<Mac> {
        let is_mac = |value: &Value| matches!(value.to, VfSetting::Mac(_));
        if !device.is_used() || device.netdev.is_none() || values.iter().any(is_mac) {
            return None;
        }
        let note = self.notes.load(&device.id, device.incarnation)?;
        note.administrator.then_some(note.mac)
    }

    /// Some PFs refuse to take an address back (a zero MAC). The one that the VF had before the
    /// claim is as good, and a note says that no administrator has chosen it.
    fn fall_back(
        &self,
        device: &DeviceRecord,
        vf: &VfAddress,
        refused: ClaimError,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let refusal = matches!(
            refused.kernel_kind(),
            Some(ErrorKind::Invalid | ErrorKind::Unsupported)
        );
        let Some(former) = former_mac(device).filter(|_| refusal) else {
            return Err(refused);
        };
        self.notes.save(
            &device.id,
            &Note {
                incarnation: device.incarnation,
                mac: former,
                administrator: false,
            },
        )?;
        self.set_vf("restore", vf, &VfSetting::Mac(former), deadline)
    }

    /// The device, with the MAC that its PF holds attributed to whom the ledger's note names, where
    /// there is one: the kernel shows the address and not who has set it.
    pub(super) fn attributed(&self, mut observed: Observed) -> Observed {
        let Some(held) = &mut observed.vf else {
            return observed;
        };
        let set = held.mac.filter(|mac| *mac != Mac::ZERO);
        let Some(reported) = observed.unclear_mac.or(set) else {
            return observed;
        };
        let function = &observed.function;
        // Another MAC than the noted one is as the kernel shows it. One that is unclear is not the
        // administrator's: udev gives every netdev with a generated one another
        // (`MACAddressPolicy=persistent` of systemd.link(5)), and the PF mirrors that.
        let note = self.notes.load(&function.id, function.incarnation);
        if let Some(note) = note.filter(|note| note.mac == reported) {
            held.mac = Some(match note.administrator {
                true => reported,
                false => Mac::ZERO,
            });
        }
        observed
    }

    /// Removes notes of an administrator's MAC, which the next claim takes anew from what the kernel
    /// shows, and all that say no more than that: for an agent that ends, since another may never
    /// follow. What stays is that this driver has set a MAC which its PF does not take back.
    pub fn sweep_notes(&self) {
        for device in self.notes.devices() {
            let needed = match self.kernel.observe(&device) {
                Ok(seen) => {
                    let ours = |held: VfSettings| held.mac == Some(Mac::ZERO);
                    let attributed = self.attributed(seen.clone()).vf;
                    attributed != seen.vf && attributed.is_some_and(ours)
                }
                Err(error) => error.kind() != ErrorKind::Gone,
            };
            if !needed && let Err(error) = self.notes.remove(&device) {
                tracing::warn!(%device, %error, "note");
            }
        }
    }

    /// Notes an administrator's MAC before a claim changes anything.
    pub(super) fn note_mac(&self, observed: &Observed) -> Result<(), ClaimError> {
        let held = observed.vf.and_then(|held| held.mac);
        // Without a netdev the kernel does not show whose it is: a PF goes on to report the one that
        // a netdev had before.
        let Some(mac) = held.filter(|_| observed.netdev.is_some()) else {
            return Ok(());
        };
        let function = &observed.function;
        if mac == Mac::ZERO {
            return self.drop_note(function);
        }
        let note = Note {
            incarnation: function.incarnation,
            mac,
            administrator: true,
        };
        Ok(self.notes.save(&function.id, &note)?)
    }

    /// The administrator has taken the noted MAC back: no release may set it again.
    fn drop_note(&self, function: &Function) -> Result<(), ClaimError> {
        let note = self.notes.load(&function.id, function.incarnation);
        match note.is_some_and(|note| note.administrator) {
            true => Ok(self.notes.remove(&function.id)?),
            false => Ok(()),
        }
    }

    /// The device, once its PF reports it: some reset a VF after each change.
    pub(super) fn seen(&self, device: &DeviceId) -> Result<Observed, ClaimError> {
        netdev::retry(transit(), || self.kernel.observe(device))
            .map_err(ClaimError::host("restore"))
    }
}

/// What came of setting a value: an error does not count if the PF reports the value all the same,
/// and success does not if it reports another one.
fn judge(
    device: &DeviceId,
    value: &Value,
    done: Result<bool, ClaimError>,
    seen: Option<&Observed>,
) -> Result<(), ClaimError> {
    let now = seen.and_then(|seen| current(seen.vf.as_ref()?, &value.to));
    let unclear = seen.and_then(|seen| seen.unclear_mac).map(VfSetting::Mac);
    let is_so = now == Some(value.to) || unclear == Some(value.to);
    // The address is read by the VF's driver later, and mirrored until then.
    let is_mac = matches!(value.to, VfSetting::Mac(_));
    match done {
        Err(_) if value.known && value.to != VfSetting::Mac(Mac::ZERO) && is_so => Ok(()),
        Ok(true) if !is_mac && now.is_some_and(|now| now != value.to) => Err(ClaimError::refused(
            *device,
            format!("{}: was set, and the PF does not report it", value.to),
        )),
        done => done.map(drop),
    }
}

/// The MAC that the PF is to hold again, if it holds another one.
fn replaced(seen: &Observed, mac: Mac) -> Option<Value> {
    let held = seen.vf.and_then(|held| held.mac)?;
    let is_other = seen.unclear_mac.unwrap_or(held) != mac;
    is_other.then_some(Value {
        vf: seen.function.vf_address()?,
        to: VfSetting::Mac(mac),
        known: true,
    })
}

/// What the PF reports of the value. A netdev that a tenant had may have been set to the address
/// that the PF holds, which hides whose it is: then it counts as another one.
fn reported(seen: &Observed, device: &DeviceRecord, to: &VfSetting) -> Option<VfSetting> {
    let held = seen.vf.as_ref()?;
    let hidden = matches!(to, VfSetting::Mac(_)) && device.is_used() && seen.netdev.is_some();
    current(held, to).filter(|_| !hidden)
}

/// The address of the netdev before the claim.
fn former_mac(device: &DeviceRecord) -> Option<Mac> {
    let mac = device.resting_netdev()?.mac;
    mac.filter(|mac| *mac != Mac::ZERO)
}
