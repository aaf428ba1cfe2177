//! RDMA devices of a netdev, into a pod's namespace and back.

use std::time::Duration;

use super::{namespace::pod_netns, wait::wait};
use crate::{
    deadline::Deadline,
    device::DeviceId,
    host::{ErrorKind, HostError, Kernel, Netns, Result},
    ledger::Attachment,
};

/// How long an RDMA device may be leaving a dying namespace.
const TRANSIT: Duration = Duration::from_millis(700);

/// Moves them to the pod, and waits for the netdev that the kernel then makes anew, in either
/// namespace. Repeating it is success.
pub(crate) fn move_rdma_in(
    kernel: &dyn Kernel,
    device: &DeviceId,
    (host, pod): (&Netns, &Netns),
    names: &[String],
    deadline: Deadline,
) -> Result<()> {
    for name in names {
        kernel.move_rdma(name, host, pod)?;
    }
    let somewhere = || {
        let found = kernel.link(device, pod)?.is_some() || kernel.link(device, host)?.is_some();
        Ok::<_, HostError>(found.then_some(()))
    };
    deadline.poll(somewhere)?;
    match kernel.link(device, pod)? {
        Some(_) => Ok(()),
        None => wait(kernel, host, device, deadline).map(drop),
    }
}

/// Moves them back to the host, whoever uses them. False: not all are there, since the pod has
/// renamed one or its namespace cannot be found; binding the driver anew makes them anew.
pub(crate) fn move_rdma_back(
    kernel: &dyn Kernel,
    host: &Netns,
    attachment: &Attachment,
    names: &[String],
    deadline: Deadline,
) -> Result<bool> {
    if let Some(pod) = pod_netns(kernel, attachment)? {
        match take(kernel, &pod, host, names) {
            // The namespace died meanwhile.
            Err(error) if error.kind() == ErrorKind::Gone => {}
            taken => taken?,
        }
    }
    let transit = Deadline::after(TRANSIT.min(deadline.left() / 4));
    let on_host = || {
        let there = kernel.rdma_names(host)?;
        let all = names.iter().all(|name| there.contains(name));
        Ok::<_, HostError>(all.then_some(()))
    };
    Ok(transit.poll(on_host)?.is_some())
}

fn take(kernel: &dyn Kernel, pod: &Netns, host: &Netns, names: &[String]) -> Result<()> {
    let there = kernel.rdma_names(pod)?;
    names
        .iter()
        .filter(|name| there.contains(name))
        .try_for_each(|name| kernel.move_rdma(name, pod, host))
}
