//! A netdev's way back to the host's network namespace: from a pod, from a namespace that dies or
//! is pinned.

use std::time::Duration;

use super::{namespace::pod_netns, retry::retry, spare::spare_name, wait::wait};
use crate::{
    deadline::Deadline,
    device::{Binding, DeviceId, IfName},
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
/// namespace dies; else (somebody holds the namespace open, or has put a VLAN on the netdev, which
/// would stay behind and send through it) this driver is bound anew, which creates a fresh netdev
/// in the host's namespace.
///
/// # Errors
/// The kernel's; then the netdev is not in the host's namespace.
pub fn return_to_host(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    attachment: &Attachment,
    (binding, name): (Option<&Binding>, Option<&IfName>),
    deadline: Deadline,
) -> Result<Arrival> {
    if kernel.link(device, host)?.is_some() {
        return Ok(Arrival::Used);
    }
    match fetch(kernel, host, device, attachment, name)? {
        Fetched::Moved => return Ok(Arrival::Used),
        Fetched::HasUppers => {}
        Fetched::Absent => {
            let transit = Deadline::after(TRANSIT.min(deadline.left() / 2));
            if transit.poll(|| kernel.link(device, host))?.is_some() {
                return Ok(Arrival::Used);
            }
        }
    }
    let now = kernel.observe(device)?.function.binding;
    let binding = binding.unwrap_or(&now);
    retry(deadline, || kernel.rebind(device, binding, deadline))?;
    wait(kernel, host, device, deadline)?;
    Ok(Arrival::Fresh)
}

/// What came of a move from the pod's namespace.
enum Fetched {
    Moved,
    /// It is there, with links of the pod on top of it.
    HasUppers,
    Absent,
}

/// Moves it from the pod's namespace.
fn fetch(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    attachment: &Attachment,
    name: Option<&IfName>,
) -> Result<Fetched> {
    let Some(pod) = pod_netns(kernel, attachment)? else {
        return Ok(Fetched::Absent);
    };
    if kernel.link(device, &pod)?.is_none() {
        return Ok(Fetched::Absent);
    }
    if !kernel.uppers(device, &pod)?.is_empty() {
        return Ok(Fetched::HasUppers);
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
        Err(error) if error.kind() == ErrorKind::Gone => Ok(Fetched::Absent),
        moved => moved.map(|()| Fetched::Moved),
    }
}
