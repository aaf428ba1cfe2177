//! A device's steps, done.

use super::{Engine, Held};
use crate::{
    claim::ClaimError,
    deadline::Deadline,
    device::{VfAddress, VfSetting},
    host::{ErrorKind, HostError, Netns},
    ledger::{DeviceRecord, Step},
    netdev,
};

impl Engine {
    /// Does all steps of a device, in order, and notes the device nodes that it has then.
    pub(super) fn apply(
        &self,
        device: &mut DeviceRecord,
        host: &Netns,
        held: &Held,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        for step in &device.steps {
            held.note(&device.id, &format!("{} {}", verb(step), device.id));
            self.step(device, step, host, deadline)
                .map_err(|error| self.explained(device, error))?;
        }
        if device.netdev.is_some() {
            netdev::wait(&*self.kernel, host, &device.id, deadline)
                .map_err(ClaimError::host("prepare"))?;
        }
        self.note_nodes(device, deadline)
    }

    fn step(
        &self,
        device: &DeviceRecord,
        step: &Step,
        host: &Netns,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let prepare = ClaimError::host("prepare");
        match step {
            Step::Vfs(_) | Step::Netdev(_) => Ok(()),
            Step::Driver { from, to, .. } if from == to => Ok(()),
            Step::Vf { from, to, .. } if from.as_ref() == Some(to) => Ok(()),
            Step::Driver { to, .. } => netdev::retry(deadline, || {
                self.kernel.set_driver(&device.id, to, deadline)
            })
            .map_err(prepare),
            Step::Vf { vf, to, .. } => self.set_vf("prepare", vf, to, deadline),
            Step::Reload => netdev::retry(deadline, || self.kernel.rebind(&device.id, deadline))
                .map_err(prepare),
            Step::Link { to, .. } => {
                netdev::retry(deadline, || self.kernel.set_link(&device.id, host, to))
                    .map_err(prepare)
            }
        }
    }

    /// Sets a value at the PF, alone on its netlink.
    pub(super) fn set_vf(
        &self,
        what: &'static str,
        vf: &VfAddress,
        to: &VfSetting,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let _pf = self.locks.pf(
            &vf.pf,
            &format!("set {to} on vf {} of pf {}", vf.index, vf.pf),
            deadline,
        )?;
        netdev::retry(deadline, || self.kernel.set_vf(vf, to)).map_err(ClaimError::host(what))
    }

    /// What the kernel does not do is the driver's choice: its name belongs into the text.
    fn explained(&self, device: &DeviceRecord, error: ClaimError) -> ClaimError {
        match error {
            ClaimError::Host { what, source, .. } if source.kind() == ErrorKind::Unsupported => {
                let own = self.kernel.observe(&device.id).ok();
                let pf = own.as_ref().and_then(|own| own.function.pf());
                let pf = pf.and_then(|pf| self.kernel.observe(&pf.into()).ok());
                let driver = pf
                    .or(own)
                    .and_then(|observed| observed.function.binding.driver);
                let hint = driver
                    .map(|driver| format!(" (driver {driver})"))
                    .unwrap_or_default();
                ClaimError::Host { what, source, hint }
            }
            error => error,
        }
    }
}

impl ClaimError {
    /// The kernel's kind of failure, if it is the kernel's.
    pub(super) fn kernel_kind(&self) -> Option<ErrorKind> {
        match self {
            Self::Host { source, .. } => Some(HostError::kind(source)),
            _ => None,
        }
    }
}

/// What others read while they wait.
fn verb(step: &Step) -> String {
    match step {
        Step::Vfs(_) | Step::Netdev(_) => "prepare".to_owned(),
        Step::Driver { to, .. } => {
            format!("bind {} to", to.driver.as_deref().unwrap_or("no driver"))
        }
        Step::Vf { to, .. } => format!("set {to} on"),
        Step::Reload => "rebind".to_owned(),
        Step::Link { to, .. } => format!("set {to} on"),
    }
}
