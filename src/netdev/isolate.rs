//! A tenant is cut off a netdev, before anything that the PF holds for it is changed.

use std::time::Duration;

use super::{namespace::pod_netns, spare::spare_name, wait::appeared};
use crate::{
    deadline::Deadline,
    device::{DeviceId, IfName, LinkSetting, Netdev},
    host::{ErrorKind, Kernel, Netns, Result},
    ledger::Attachment,
};

/// How long a netdev may be leaving a dying namespace before its driver is unbound. The kernel
/// destroys a namespace from a work queue (`cleanup_net` in `net/core/net_namespace.c`).
const TRANSIT: Duration = Duration::from_millis(700);

/// Whether a tenant can still send or receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    /// The netdev is on the host, down, and nothing of a pod is on top of it.
    Isolated,
    /// Only the end of the netdev is one of the tenant: it is in a namespace that cannot be found,
    /// or links of the pod are on top of it.
    NeedsUnbind,
}

/// Takes the netdev of a device down, and to the host's namespace under a spare name, unless it is
/// there under `resting`, its own. Repeating it is success.
///
/// # Errors
/// The kernel's; then nothing is known of the tenant.
pub(crate) fn isolate(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    attachment: Option<&Attachment>,
    resting: Option<&IfName>,
    deadline: Deadline,
) -> Result<Isolation> {
    if kernel.link(device, host)?.is_none() {
        let taken = match attachment {
            Some(attachment) => take(kernel, host, device, attachment)?,
            None => None,
        };
        if let Some(isolation) = taken {
            return Ok(isolation);
        }
    }
    let transit = Deadline::after(TRANSIT.min(deadline.left() / 4));
    match appeared(kernel, host, device, transit) {
        Ok(netdev) => quiet(kernel, host, device, &netdev, resting),
        Err(error) if error.kind() == ErrorKind::Gone => Ok(Isolation::NeedsUnbind),
        Err(error) => Err(error),
    }
}

/// From the pod's namespace; none when it is not there.
fn take(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    attachment: &Attachment,
) -> Result<Option<Isolation>> {
    let Some(pod) = pod_netns(kernel, attachment)? else {
        return Ok(None);
    };
    match take_from(kernel, &pod, host, device) {
        // The namespace died meanwhile.
        Err(error) if error.kind() == ErrorKind::Gone => Ok(None),
        Err(error) if error.kind() == ErrorKind::Busy => Err(error),
        // Some netdevs cannot be moved (NETIF_F_NETNS_LOCAL), or not set down.
        Err(error) => {
            tracing::info!(%device, %error, "unbinding the driver instead");
            Ok(Some(Isolation::NeedsUnbind))
        }
        Ok(isolation) => Ok(isolation),
    }
}

fn take_from(
    kernel: &dyn Kernel,
    pod: &Netns,
    host: &Netns,
    device: &DeviceId,
) -> Result<Option<Isolation>> {
    let Some(netdev) = kernel.link(device, pod)? else {
        return Ok(None);
    };
    if !kernel.uppers(device, pod)?.is_empty() {
        return Ok(Some(Isolation::NeedsUnbind));
    }
    if netdev.state.up {
        kernel.set_link(device, pod, &LinkSetting::Up(false))?;
    }
    drop_altnames(kernel, pod, device, &netdev)?;
    kernel.move_link(device, pod, host, &spare_name(device))?;
    Ok(Some(Isolation::Isolated))
}

/// On the host, where it came by itself, or was moved to when its pod ended.
fn quiet(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    netdev: &Netdev,
    resting: Option<&IfName>,
) -> Result<Isolation> {
    if netdev.state.up {
        kernel.set_link(device, host, &LinkSetting::Up(false))?;
    }
    if Some(&netdev.state.name) != resting {
        drop_altnames(kernel, host, device, netdev)?;
        let spare = spare_name(device);
        if netdev.state.name != spare {
            kernel.set_link(device, host, &LinkSetting::Name(spare))?;
        }
    }
    Ok(Isolation::Isolated)
}

fn drop_altnames(
    kernel: &dyn Kernel,
    netns: &Netns,
    device: &DeviceId,
    netdev: &Netdev,
) -> Result<()> {
    match netdev.state.altnames.is_empty() {
        true => Ok(()),
        false => kernel.set_link(device, netns, &LinkSetting::Altnames(vec![])),
    }
}
