//! Waiting for a netdev that the kernel is about to make or to move.

use std::time::Duration;

use crate::{
    deadline::Deadline,
    device::{DeviceId, Netdev},
    host::{ErrorKind, HostError, Kernel, Netns, Result},
};

/// How long a fresh netdev may be in the hands of the host's device manager.
const SETTLE: Duration = Duration::from_secs(15);

/// Waits for the device's netdev in the host's namespace.
///
/// # Errors
/// The kernel's, or there is none until `deadline`.
pub(super) fn appeared(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    deadline: Deadline,
) -> Result<Netdev> {
    let missing = || {
        let text = "no network interface appeared in the host's namespace";
        HostError::of_kind(ErrorKind::Gone, device.to_string(), "wait for netdev", text)
    };
    deadline
        .poll(|| kernel.link(device, host))?
        .ok_or_else(missing)
}

/// Waits for the device's netdev in the host's namespace, and until nobody else changes it any
/// more.
pub(crate) fn wait(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    deadline: Deadline,
) -> Result<Netdev> {
    let netdev = appeared(kernel, host, device, deadline)?;
    let settling = Deadline::after(SETTLE.min(deadline.left() / 2));
    let settled = settling.poll(|| Ok(kernel.is_settled(device, &netdev).then_some(())))?;
    if settled.is_none() {
        tracing::warn!(%device, netdev = %netdev.state.name, "udev has not finished with it: continuing");
    }
    // udev may have renamed it.
    appeared(kernel, host, device, deadline)
}
