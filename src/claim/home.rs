//! A netdev's way home: from a pod, from a namespace that dies or is pinned, to exactly what it was.

use std::{path::Path, time::Duration};

use super::Attachment;
use crate::{
    deadline::Deadline,
    device::{DeviceId, IfName, LinkSetting, NetdevHome},
    host::{ErrorKind, HostError, Kernel, Netns, Result},
    paths::Paths,
};

/// How long a netdev may be on its way out of a dying namespace before its driver is started anew.
const TRANSIT: Duration = Duration::from_secs(3);

/// How long a fresh netdev may be in the hands of the host's device manager.
const SETTLE: Duration = Duration::from_secs(15);

/// How a netdev came home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// As it was in the pod: whatever a tenant left on it is still there.
    Used,
    /// New: its driver was started again.
    Fresh,
}

/// The host's network namespace.
///
/// # Errors
/// It cannot be opened.
pub fn host_netns(kernel: &dyn Kernel, paths: &Paths) -> Result<Netns> {
    kernel.open_netns(&paths.proc.join("1/ns/net"))
}

/// Brings a device's netdev into the host's namespace, under `name` if that is free.
///
/// From the pod's namespace, if that is still the recorded one; else the kernel brings it when the namespace dies; else
/// (somebody holds the namespace open) the driver is started anew, which makes a fresh netdev at home.
///
/// # Errors
/// The kernel's; then the netdev is not at home.
pub fn bring_home(
    kernel: &dyn Kernel,
    home: &Netns,
    device: &DeviceId,
    attachment: &Attachment,
    name: Option<&IfName>,
    deadline: Deadline,
) -> Result<Arrival> {
    if kernel.link(device, home)?.is_some() || fetch(kernel, home, device, attachment, name)? {
        return Ok(Arrival::Used);
    }
    let transit = Deadline::after(TRANSIT.min(deadline.left() / 2));
    if transit.poll(|| kernel.link(device, home))?.is_some() {
        return Ok(Arrival::Used);
    }
    retry(deadline, || kernel.rebind(device, deadline))?;
    Ok(Arrival::Fresh)
}

/// Whether the recorded namespace is still there, with the netdev in it.
///
/// # Errors
/// The kernel's.
pub fn is_attached(
    kernel: &dyn Kernel,
    device: &DeviceId,
    attachment: &Attachment,
) -> Result<bool> {
    let Some(pod) = pod_netns(kernel, attachment)? else {
        return Ok(false);
    };
    Ok(kernel.link(device, &pod)?.is_some())
}

/// Makes the netdev what it was, on a fresh one unless it is fresh already. Tries everything.
pub(super) fn restore(
    kernel: &dyn Kernel,
    home: &Netns,
    device: &DeviceId,
    was: &NetdevHome,
    fresh: bool,
    deadline: Deadline,
) -> Vec<HostError> {
    let rebound = if fresh {
        Ok(())
    } else {
        retry(deadline, || kernel.rebind(device, deadline))
    };
    if let Err(error) = rebound.and_then(|()| wait(kernel, home, device, deadline)) {
        return vec![error];
    }
    let settings = [
        Some(LinkSetting::Name(was.name.clone())),
        Some(LinkSetting::Altnames(was.altnames.clone())),
        Some(LinkSetting::Alias(was.alias.clone())),
        was.mac.map(LinkSetting::Mac),
        Some(LinkSetting::Mtu(was.mtu)),
        Some(LinkSetting::Up(was.up)),
    ];
    let set =
        |setting: LinkSetting| retry(deadline, || kernel.set_link(device, home, &setting)).err();
    settings.into_iter().flatten().filter_map(set).collect()
}

/// Waits for the device's netdev at home, and until nobody else changes it any more.
pub(super) fn wait(
    kernel: &dyn Kernel,
    home: &Netns,
    device: &DeviceId,
    deadline: Deadline,
) -> Result<()> {
    let found = deadline.poll(|| kernel.link(device, home))?;
    let missing = || {
        let text = "no network interface appeared in the host's namespace";
        HostError::of_kind(ErrorKind::Gone, device.to_string(), "wait for netdev", text)
    };
    let netdev = found.ok_or_else(missing)?;
    let settling = Deadline::after(SETTLE.min(deadline.left() / 2));
    let settled = settling.poll(|| Ok(kernel.is_settled(device, &netdev).then_some(())))?;
    if settled.is_none() {
        tracing::warn!(%device, netdev = %netdev.home.name, "udev is not through with it: going on");
    }
    Ok(())
}

/// Does it again while the kernel says that something is in use, until time is over.
pub(super) fn retry<T>(deadline: Deadline, mut act: impl FnMut() -> Result<T>) -> Result<T> {
    let mut busy = None;
    let done = deadline.poll(|| match act() {
        Err(error) if error.kind() == ErrorKind::Busy => {
            busy = Some(error);
            Ok(None)
        }
        done => done.map(Some),
    })?;
    let unsaid = || HostError::of_kind(ErrorKind::Busy, "deadline", "wait", "time is over");
    done.ok_or_else(|| busy.unwrap_or_else(unsaid))
}

/// The pod's namespace, if the path still leads to the recorded one.
fn pod_netns(kernel: &dyn Kernel, attachment: &Attachment) -> Result<Option<Netns>> {
    match kernel.open_netns(Path::new(&attachment.netns_path)) {
        Ok(pod) => Ok(Some(pod).filter(|pod| pod.inode == attachment.netns)),
        Err(error) if error.kind() == ErrorKind::Gone => Ok(None),
        Err(error) => Err(error),
    }
}

/// Moves it from the pod's namespace; false when it is not there.
fn fetch(
    kernel: &dyn Kernel,
    home: &Netns,
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
    let moved = match kernel.move_link(device, &pod, home, name.unwrap_or(&spare)) {
        Err(error) if error.kind() == ErrorKind::Busy => {
            kernel.move_link(device, &pod, home, &spare)
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

#[cfg(test)]
#[path = "home/tests.rs"]
mod tests;
