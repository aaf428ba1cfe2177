//! Which device an interface of a pod gets. Pure.
//!
//! ```text
//!  stdin's name and type, CNI_IFNAME ─► the network ─┐
//!                                                    ├─► the device: 1. attached under this name
//!  records of the pod's claims ─► its devices ───────┘               2. named by its claim's config
//!  deviceID ─► hint ─────────────────────────────────┘               3. hint, if it is free
//!                                                                    4. by pool, in order
//! ```
//!
//! The order is that of Multus' newer contract: networks as in the annotation, devices of a pool,
//! over all claims of the pod, sorted as strings. The default network, which Multus attaches first,
//! comes first; Multus gives it and the first network the same `deviceID`.
//!
//! Two interfaces never get the same device, whatever the hints say.

mod assign;
mod error;
mod network;

pub use error::WhichError;

use self::assign::Assignment;
use super::{
    NadRef,
    networks::{Network, PodNetworks},
};
use crate::{device::DeviceId, ledger::ClaimRef};

/// What the plugin is called with.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `name` of stdin.
    pub conf_name: &'a str,
    /// `type` of stdin.
    pub conf_type: &'a str,
    /// `CNI_IFNAME`.
    pub ifname: &'a str,
    /// `deviceID` of stdin; none if it is absent or empty.
    pub hint: Option<Hint<'a>>,
    /// The pool that stdin itself names, for callers without an annotation; none: none.
    pub pool: Option<&'a str>,
}

/// The `deviceID` of stdin.
#[derive(Debug, Clone, Copy)]
pub struct Hint<'a> {
    /// As it stands there.
    pub device_id: &'a str,
    /// Who has the device, if that is not this pod: a claim or an attachment, for the message.
    pub holder: Option<&'a str>,
}

/// A device of one of the pod's claims that the plugin may attach: its netdev is attached by `cni`,
/// or it has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodDevice {
    /// Whose it is.
    pub claim: ClaimRef,
    /// The claim's request.
    pub request: String,
    /// Which device.
    pub id: DeviceId,
    /// As networks know it: the PCI address, the auxiliary device of a sub-function.
    pub device_id: String,
    /// Its pool, `prefix/name`.
    pub pool: Option<String>,
    /// The network that the claim's config names for it.
    pub named_nad: Option<NadRef>,
    /// The interface that the claim's config names for it.
    pub named_interface: Option<String>,
    /// Its interface in this pod, once it is or was attached.
    pub attached_as: Option<String>,
}

impl PodDevice {
    fn is_free_for(&self, ifname: &str) -> bool {
        self.attached_as
            .as_deref()
            .is_none_or(|name| name == ifname)
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice<'a> {
    /// The pod's network; none: its annotations have none of that name and type.
    pub network: Option<&'a Network>,
    /// The device.
    pub device: Chosen<'a>,
}

/// A device that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen<'a> {
    /// One of the pod's claims'.
    Claimed(&'a PodDevice),
    /// `deviceID` as given, which is in no claim.
    Unclaimed(&'a str),
}

/// The device for an interface. `pod`: what the agent has written about the pod, if it has.
///
/// # Errors
/// There is none, or more than one could be meant.
pub fn which<'a>(
    pod: Option<&'a PodNetworks>,
    request: &Request<'a>,
    devices: &'a [PodDevice],
) -> Result<Choice<'a>, WhichError> {
    let assignment = Assignment::new(pod, devices);
    let network = network::find(&assignment, request)?;
    if let Some(network) = network.map(|index| assignment.networks[index].network)
        && network.limits_bandwidth
    {
        return Err(error::bandwidth(network, request));
    }
    let device = match network {
        Some(index) => of_network(&assignment, index, request),
        None => without_network(&assignment, pod, request),
    };
    Ok(Choice {
        network: network.map(|index| assignment.networks[index].network),
        device: device?,
    })
}

fn of_network<'a>(
    all: &Assignment<'a>,
    index: usize,
    request: &Request<'a>,
) -> Result<Chosen<'a>, WhichError> {
    let network = all.networks[index].network;
    if let Some(device) = all.attached(request).filter(|&at| all.may(index, at)) {
        return Ok(all.claimed(device));
    }
    if let Some(device) = all.named_for(index, request)? {
        return all.unless_taken(device, request);
    }
    let hinted = all.hinted(request).filter(|&at| all.may(index, at));
    if let Some(device) = hinted.filter(|&at| all.is_free(at, request)) {
        return Ok(all.claimed(device));
    }
    let unclaimed = unclaimed(all, request);
    if network.resource_name.is_none()
        && let Some(device) = unclaimed
    {
        return Ok(device);
    }
    match all.in_order(index, request)? {
        Some(device) => Ok(all.claimed(device)),
        None => unclaimed.ok_or_else(|| error::none_left(&all.devices, Some(network), request)),
    }
}

/// A caller that no annotation names: DANM, a cluster-wide network, `cnitool`.
fn without_network<'a>(
    all: &Assignment<'a>,
    pod: Option<&'a PodNetworks>,
    request: &Request<'a>,
) -> Result<Chosen<'a>, WhichError> {
    if let Some(device) = all.attached(request) {
        return Ok(all.claimed(device));
    }
    if let Some(device) = all.named_alone(request)? {
        return all.unless_taken(device, request);
    }
    let hinted = all.hinted(request);
    if let Some(device) = hinted.filter(|&at| all.is_free(at, request) && !all.is_assigned(at)) {
        return Ok(all.claimed(device));
    }
    if let Some(device) = unclaimed(all, request) {
        return Ok(device);
    }
    let listed = pod.filter(|pod| !pod.networks.is_empty() || pod.error.is_some());
    if let (None, Some(pod)) = (hinted, listed) {
        return Err(WhichError::unknown(pod, request));
    }
    match all.of_one_pool(request)? {
        Some(device) => Ok(all.claimed(device)),
        None => Err(error::none_left(&all.devices, None, request)),
    }
}

/// The hint, if it names a device that is in no claim of this pod, and in nobody else's hands.
fn unclaimed<'a>(all: &Assignment<'a>, request: &Request<'a>) -> Option<Chosen<'a>> {
    let hint = request.hint.filter(|hint| hint.holder.is_none())?;
    let is_foreign = all.hinted(request).is_none();
    is_foreign.then_some(Chosen::Unclaimed(hint.device_id))
}

#[cfg(test)]
mod tests;
