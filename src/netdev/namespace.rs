//! Network namespaces: the host's, and the one that an attachment recorded.

use std::path::Path;

use crate::{
    device::DeviceId,
    host::{ErrorKind, Kernel, Netns, Result},
    ledger::Attachment,
    paths::Paths,
};

/// The host's network namespace.
///
/// # Errors
/// It cannot be opened.
pub fn host_netns(kernel: &dyn Kernel, paths: &Paths) -> Result<Netns> {
    kernel.open_netns(&paths.proc.join("1/ns/net"))
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

/// The pod's namespace, if the path still leads to the recorded one.
pub(super) fn pod_netns(kernel: &dyn Kernel, attachment: &Attachment) -> Result<Option<Netns>> {
    match kernel.open_netns(Path::new(&attachment.netns_path)) {
        Ok(pod) => Ok(Some(pod).filter(|pod| pod.inode == attachment.netns)),
        Err(error) if error.kind() == ErrorKind::Gone => Ok(None),
        Err(error) => Err(error),
    }
}
