//! A netdev made what it was before its claim.

use super::{properties::properties, retry::retry, wait::wait};
use crate::{
    deadline::Deadline,
    device::{DeviceId, LinkSetting, NetdevState},
    host::{HostError, Kernel, Netns},
};

/// Makes the netdev what it was, on a fresh one unless it is fresh already. Tries everything.
pub(crate) fn restore(
    kernel: &dyn Kernel,
    host: &Netns,
    device: &DeviceId,
    was: &NetdevState,
    fresh: bool,
    deadline: Deadline,
) -> Vec<HostError> {
    let rebound = if fresh {
        Ok(())
    } else {
        retry(deadline, || kernel.rebind(device, deadline))
    };
    if let Err(error) = rebound.and_then(|()| wait(kernel, host, device, deadline)) {
        return vec![error];
    }
    let set =
        |setting: LinkSetting| retry(deadline, || kernel.set_link(device, host, &setting)).err();
    properties(was).into_iter().filter_map(set).collect()
}
