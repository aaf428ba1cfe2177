//! A netdev made what it was before its claim.

use super::{properties::differences, retry::retry, spare::spare_name, wait::wait};
use crate::{
    deadline::Deadline,
    device::{DeviceId, LinkSetting, Netdev, NetdevState},
    host::{ErrorKind, HostError, Kernel, Netns, Result},
};

/// Makes the netdev what it was: looks, sets what differs, and looks again. Tries everything.
pub(crate) fn restore(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    was: &NetdevState,
    deadline: Deadline,
) -> Vec<HostError> {
    let now = match wait(kernel, host, device, deadline) {
        Ok(netdev) => netdev.state,
        Err(error) => return vec![error],
    };
    let target = Target {
        kernel,
        host,
        device,
        deadline,
    };
    let errors: Vec<HostError> = differences(&now, was)
        .into_iter()
        .filter_map(|setting| target.set(&setting).err())
        .collect();
    match errors.is_empty() {
        true => target.unlike(was).err().into_iter().collect(),
        false => errors,
    }
}

/// A netdev that is being restored.
struct Target<'a> {
    kernel: &'a dyn Kernel,
    host: &'a Netns,
    device: &'a DeviceId,
    deadline: Deadline,
}

impl Target<'_> {
    fn set(&self, setting: &LinkSetting) -> Result<()> {
        let done = retry(self.deadline, || {
            let done = self.kernel.set_link(self.device, self.host, setting);
            match (&done, setting) {
                (Err(error), LinkSetting::Name(_)) if error.kind() == ErrorKind::Busy => {
                    self.park();
                }
                _ => {}
            }
            done
        });
        match done {
            Err(error) if is_drivers_choice(setting, &error) => Ok(()),
            done => done,
        }
    }

    /// Out of the way of a netdev that may be waiting for the name that this one has, as this one
    /// waits for its name.
    fn park(&self) {
        let spare = LinkSetting::Name(spare_name(self.device));
        if let Err(error) = self.kernel.set_link(self.device, self.host, &spare) {
            tracing::debug!(device = %self.device, %error, "spare name");
        }
    }

    /// What was set may have been refused silently, or changed by others meanwhile.
    fn unlike(&self, was: &NetdevState) -> Result<()> {
        let Some(Netdev { state, .. }) = self.kernel.link(self.device, self.host)? else {
            return Err(self.error(ErrorKind::Gone, "is not in the host's namespace any more"));
        };
        let left: Vec<String> = differences(&state, was)
            .iter()
            .filter(|setting| !matches!(setting, LinkSetting::Mac(_)))
            .map(ToString::to_string)
            .collect();
        match left.is_empty() {
            true => Ok(()),
            false => Err(self.error(ErrorKind::Busy, &format!("is not {} yet", left.join(", ")))),
        }
    }

    fn error(&self, kind: ErrorKind, text: &str) -> HostError {
        HostError::of_kind(kind, self.device.to_string(), "restore netdev", text)
    }
}

/// A driver without a setter (`ndo_set_mac_address`), or one that takes addresses from its PF
/// alone, has chosen the address itself, as it had before the claim: nothing of the claim is left
/// in it.
fn is_drivers_choice(setting: &LinkSetting, error: &HostError) -> bool {
    matches!(setting, LinkSetting::Mac(_))
        && matches!(
            error.kind(),
            ErrorKind::Unsupported | ErrorKind::Invalid | ErrorKind::Denied
        )
}
