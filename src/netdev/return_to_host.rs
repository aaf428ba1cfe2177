//! A netdev's way back to the host's network namespace: from a pod, from a namespace that dies or
//! is pinned.

use std::time::Duration;

use super::{namespace::pod_netns, retry::retry};
use crate::{
    deadline::Deadline,
    device::{DeviceId, IfName},
    host::{ErrorKind, Kernel, Netns, Result},
    ledger::Attachment,
};

/// How long a netdev may be leaving a dying namespace before its driver is started anew.
const TRANSIT: Duration = Duration::from_secs(3);

/// How a netdev came back to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// As it was in the pod: whatever a tenant left on it is still there.
    Used,
    /// New: its driver was started again.
    Fresh,
}

/// Brings a device's netdev into the host's namespace, under `name` if that is free.
///
/// From the pod's namespace, if that is still the recorded one; else the kernel brings it when the
/// namespace dies; else (somebody holds the namespace open) the driver is started anew, which makes
/// a fresh netdev in the host's namespace.
///
/// # Errors
/// The kernel's; then the netdev is not in the host's namespace.
pub fn return_to_host(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    attachment: &Attachment,
    name: Option<&IfName>,
    deadline: Deadline,
) -> Result<Arrival> {
    if kernel.link(device, host)?.is_some() || fetch(kernel, host, device, attachment, name)? {
        return Ok(Arrival::Used);
    }
    let transit = Deadline::after(TRANSIT.min(deadline.left() / 2));
    if transit.poll(|| kernel.link(device, host))?.is_some() {
        return Ok(Arrival::Used);
    }
    retry(deadline, || kernel.rebind(device, deadline))?;
    Ok(Arrival::Fresh)
}

/// Moves it from the pod's namespace; false when it is not there.
fn fetch(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    attachment: &Attachment,
    name: Option<&IfName>,
) -> Result<bool> {
    let Some(pod) = pod_netns(kernel, attachment)? else {
        return Ok(false);
    };
    if kernel.link(device, &pod)?.is_none() {
        return Ok(false);
    }
    let spare = spare_name(device);
    let moved = match kernel.move_link(device, &pod, host, name.unwrap_or(&spare)) {
        Err(error) if error.kind() == ErrorKind::Busy => {
            kernel.move_link(device, &pod, host, &spare)
        }
        moved => moved,
    };
    match moved {
        // The namespace died meanwhile.
        Err(error) if error.kind() == ErrorKind::Gone => Ok(false),
        moved => moved.map(|()| true),
    }
}

/// A name that no other device has: `d0000:02:10.0` without what names may not have.
fn spare_name(device: &DeviceId) -> IfName {
    let plain: String = device
        .name()
        .chars()
        .filter(char::is_ascii_hexdigit)
        .collect();
    // Of a long one the end, where the number of a sub-function is.
    let tail = plain.len().saturating_sub(12);
    format!("dra{}", &plain[tail..])
        .parse()
        .expect("hex digits after dra")
}
