//! What a PF holds for a VF, as it was before the claim.

use super::{Engine, transit};
use crate::{
    claim::{ClaimError, plan::current},
    deadline::Deadline,
    device::{DeviceId, Mac, Observed, VfAddress, VfSetting, VfSettings},
    host::ErrorKind,
    ledger::{DeviceRecord, Note},
    netdev,
};

impl Engine {
    /// Writes the value where it differs, and looks again. `known`: whether the kernel reported the
    /// value before the claim; if not, not being able to set it is no failure.
    pub(super) fn undo_vf(
        &self,
        device: &DeviceRecord,
        vf: &VfAddress,
        to: &VfSetting,
        known: bool,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let seen = self.seen(&device.id)?;
        if reported(&seen, device, to) == Some(*to) {
            return Ok(());
        }
        match self.set_vf("restore", vf, to, deadline) {
            Ok(()) => self.check_value(&device.id, to),
            Err(error) if !known && error.kernel_kind() == Some(ErrorKind::Unsupported) => Ok(()),
            Err(error) if *to == VfSetting::Mac(Mac::ZERO) => {
                self.fall_back(device, vf, error, deadline)
            }
            Err(error) => match self.check_value(&device.id, to) {
                Ok(()) if known => Ok(()),
                _ => Err(error),
            },
        }
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

    /// Whether the PF reports the value now, if it reports it at all.
    fn check_value(&self, device: &DeviceId, to: &VfSetting) -> Result<(), ClaimError> {
        let seen = self.seen(device)?;
        let held = seen.vf.and_then(|held| current(&held, to));
        // The address is read by the VF's driver later, and mirrored until then.
        if matches!(to, VfSetting::Mac(_)) || held.is_none_or(|held| held == *to) {
            return Ok(());
        }
        Err(ClaimError::refused(
            *device,
            format!("{to}: was set, and the PF does not report it"),
        ))
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
        let seen = held.filter(|mac| *mac != Mac::ZERO && observed.netdev.is_some());
        let Some(mac) = seen else {
            return Ok(());
        };
        let function = &observed.function;
        let note = Note {
            incarnation: function.incarnation,
            mac,
            administrator: true,
        };
        Ok(self.notes.save(&function.id, &note)?)
    }

    /// The device, once its PF reports it: some reset a VF after each change.
    pub(super) fn seen(&self, device: &DeviceId) -> Result<Observed, ClaimError> {
        netdev::retry(transit(), || self.kernel.observe(device))
            .map_err(ClaimError::host("restore"))
    }
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
