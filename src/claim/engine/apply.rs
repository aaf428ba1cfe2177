//! A device's steps, done.

use super::{Engine, Held};
use crate::{
    claim::ClaimError,
    deadline::Deadline,
    device::{LinkSetting, Netdev, VfAddress, VfSetting},
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
            let netdev = netdev::wait(&*self.kernel, host, &device.id, deadline)
                .map_err(ClaimError::host("prepare"))?;
            if device.steps.contains(&Step::Reload) {
                self.rest(device, host, &netdev, deadline)?;
            }
        }
        self.note_nodes(device, deadline)
    }

    /// A fresh netdev is as the driver makes it: name, MTU and all else that the host had given to
    /// the former one are set on it again.
    fn rest(
        &self,
        device: &DeviceRecord,
        host: &Netns,
        now: &Netdev,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let Some(rest) = netdev::resting(device) else {
            return Ok(());
        };
        netdev::differences(&now.state, &rest)
            .iter()
            .filter(|setting| !matches!(setting, LinkSetting::Mac(_)))
            .try_for_each(|setting| {
                netdev::retry(deadline, || self.kernel.set_link(&device.id, host, setting))
            })
            .map_err(ClaimError::host("prepare"))
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
            Step::Reload => self.reload(device, deadline).map_err(prepare),
            Step::Link { to, .. } => {
                netdev::retry(deadline, || self.kernel.set_link(&device.id, host, to))
                    .map_err(prepare)
            }
        }
    }

    fn reload(&self, device: &DeviceRecord, deadline: Deadline) -> crate::host::Result<()> {
        match device.prepared_binding() {
            Some(binding) => netdev::retry(deadline, || {
                self.kernel.rebind(&device.id, binding, deadline)
            }),
            None => Ok(()),
        }
    }

    /// Sets a value at the PF, alone on its netlink, at each attempt anew: a VF that stays busy
    /// keeps nobody from the other VFs.
    pub(super) fn set_vf(
        &self,
        what: &'static str,
        vf: &VfAddress,
        to: &VfSetting,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let work = format!("set {to} on vf {} of pf {}", vf.index, vf.pf);
        let mut busy = None;
        let done = deadline.poll(|| {
            let _pf = self.locks.pf(&vf.pf, &work, deadline)?;
            match self.kernel.set_vf(vf, to) {
                Err(error) if error.kind() == ErrorKind::Busy => {
                    busy = Some(error);
                    Ok(None)
                }
                done => done.map(Some).map_err(ClaimError::host(what)),
            }
        })?;
        match (done, busy) {
            (None, Some(error)) => Err(ClaimError::host(what)(error)),
            _ => Ok(()),
        }
    }

    /// What the kernel does not do is the driver's choice: its name belongs into the text.
    pub(super) fn explained(&self, device: &DeviceRecord, error: ClaimError) -> ClaimError {
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
