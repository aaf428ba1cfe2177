//! A netdev made what it was before its claim.

use std::time::Duration;

use super::{properties::differences, retry::retry, spare::spare_name, wait::wait};
use crate::{
    deadline::Deadline,
    device::{Binding, DeviceId, LinkSetting, Mac, Netdev, NetdevState},
    host::{ErrorKind, HostError, Kernel, Netns, Result},
};

/// How often a driver is bound anew so that its PF learns the netdev's MAC.
const REBINDS: usize = 3;

/// How long a PF may take to report a MAC that its VF has passed to it.
const MIRRORS: Duration = Duration::from_millis(500);

/// A netdev before its claim.
pub(crate) struct Before<'a> {
    pub(crate) netdev: &'a NetdevState,
    /// Its PF reported its MAC.
    pub(crate) mirrored: bool,
    /// The driver to bind anew where the PF does not; none: it is not bound anew.
    pub(crate) binding: Option<&'a Binding>,
}

/// Makes the netdev what it was: looks, sets what differs, and looks again. Tries everything.
///
/// A driver may lose the message that passes a MAC to the PF, and report success all the same
/// (`e1000_rar_set_vf` in `drivers/net/ethernet/intel/igbvf/vf.c`): the PF then delivers nothing to
/// that MAC. The kernel does not set the same MAC again (`dev_set_mac_address` in
/// `net/core/dev.c`), hence the driver is bound anew.
pub(crate) fn restore(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    was: &Before<'_>,
    deadline: Deadline,
) -> Vec<HostError> {
    let target = Target {
        kernel,
        host,
        device,
        deadline,
    };
    for _ in 0..=REBINDS {
        let errors = target.set_all(was.netdev);
        if !errors.is_empty() {
            return errors;
        }
        match (target.is_as_before(was), was.binding) {
            (Ok(true), _) => return vec![],
            (Ok(false), Some(binding)) => {
                tracing::info!(%device, "the PF does not report its MAC: binding its driver anew");
                let rebound = retry(deadline, || kernel.rebind(device, binding, deadline));
                if let Err(error) = rebound {
                    return vec![error];
                }
            }
            (Ok(false), None) => break,
            (Err(error), _) => return vec![error],
        }
    }
    vec![target.error(ErrorKind::Busy, "its PF does not report its MAC")]
}

/// A netdev that is being restored.
struct Target<'a> {
    kernel: &'a dyn Kernel,
    host: &'a Netns,
    device: &'a DeviceId,
    deadline: Deadline,
}

impl Target<'_> {
    fn set_all(&self, was: &NetdevState) -> Vec<HostError> {
        let now = match wait(self.kernel, self.host, self.device, self.deadline) {
            Ok(netdev) => netdev.state,
            Err(error) => return vec![error],
        };
        let set = |setting: LinkSetting| self.set(&setting).err();
        differences(&now, was).into_iter().filter_map(set).collect()
    }

    /// Looks again. False: it is as it was, and its PF has not heard of its MAC.
    fn is_as_before(&self, was: &Before<'_>) -> Result<bool> {
        let waiting = Deadline::after(MIRRORS.min(self.deadline.left()));
        let heard = waiting.poll(|| {
            let (netdev, heard) = self.look(was)?;
            self.compare(netdev, was.netdev)?;
            Ok(heard.then_some(()))
        })?;
        Ok(heard.is_some())
    }

    /// The netdev, and whether its PF knows its MAC or has been given another one. A PF that cannot
    /// be asked, since its netdev is elsewhere, keeps no VF.
    fn look(&self, was: &Before<'_>) -> Result<(Option<Netdev>, bool)> {
        let alone = || Ok((self.kernel.link(self.device, self.host)?, true));
        if !was.mirrored {
            return alone();
        }
        match retry(self.deadline, || self.kernel.observe(self.device)) {
            Err(error) if error.kind() == ErrorKind::Gone => alone(),
            seen => {
                let seen = seen?;
                let given = seen.vf.and_then(|held| held.mac);
                let heard = seen.mirrored || given != Some(Mac::ZERO);
                Ok((seen.netdev, heard))
            }
        }
    }

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
    fn compare(&self, now: Option<Netdev>, was: &NetdevState) -> Result<()> {
        let Some(Netdev { state, .. }) = now else {
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
