//! Why no device is found.

use super::{PodDevice, Request};
use crate::cni::networks::{Network, PodNetworks};

/// Why an interface gets no device.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhichError {
    /// The pod's networks, as they were written down, have none with stdin's name and type.
    #[error("{0}")]
    Unknown(String),
    /// Several could be meant.
    #[error("{0}")]
    Ambiguous(String),
    /// The one that is meant is another interface's.
    #[error("{0}")]
    Taken(String),
    /// The pod has none, or none any more.
    #[error("{0}")]
    NoneLeft(String),
    /// Its network asks for what no VF has.
    #[error("{0}")]
    Unsupported(String),
}

impl WhichError {
    /// Whether the agent may know more than what it has written down: the pod's annotation or its
    /// claims may have changed.
    #[must_use]
    pub fn may_be_stale(&self) -> bool {
        matches!(
            self,
            Self::Unknown(_) | Self::NoneLeft(_) | Self::Unsupported(_)
        )
    }

    pub(super) fn unknown(pod: &PodNetworks, request: &Request<'_>) -> Self {
        let (name, kind, ifname) = (request.conf_name, request.conf_type, request.ifname);
        let known = match &pod.error {
            Some(error) => error.clone(),
            None => format!("it has {}", joined(pod.networks.iter().map(shown))),
        };
        Self::Unknown(format!(
            "interface {ifname}: pod {}/{} has no network with name {name:?} and type {kind:?}: {known}",
            pod.namespace, pod.name
        ))
    }
}

/// A VF has no veth peer, by which the plugin `bandwidth` limits rates.
pub(super) fn bandwidth(network: &Network, request: &Request<'_>) -> WhichError {
    WhichError::Unsupported(format!(
        "interface {}: network {} chains the plugin bandwidth, which needs a veth pair: limit what a \
         VF sends by max_tx_rate (Mbit/s) of the plugin {}, and remove bandwidth",
        request.ifname, network.nad, request.conf_type
    ))
}

fn shown(network: &Network) -> String {
    let nad = &network.nad;
    match (&network.error, &network.conf_name) {
        (Some(error), _) => format!("{nad} ({error})"),
        (None, name) => {
            let (name, kind) = (name.as_deref().unwrap_or(""), network.conf_type.as_deref());
            format!("{nad} ({name:?}, {:?})", kind.unwrap_or("unknown"))
        }
    }
}

pub(super) fn taken(device: &PodDevice, request: &Request<'_>) -> WhichError {
    let (ifname, by) = (
        request.ifname,
        device.attached_as.as_deref().unwrap_or_default(),
    );
    WhichError::Taken(format!(
        "interface {ifname}: {} of claim {} is meant, but is attached as {by}",
        device.device_id, device.claim
    ))
}

pub(super) fn contradiction(
    network: &Network,
    device: &PodDevice,
    request: &Request<'_>,
) -> WhichError {
    let other = match (&device.named_nad, &network.resource_name) {
        (Some(nad), _) => format!("and network {nad}"),
        (None, resource) => format!(
            "of pool {}, but the network takes devices of {}",
            device.pool.as_deref().unwrap_or("none"),
            resource.as_deref().unwrap_or("none")
        ),
    };
    WhichError::Ambiguous(format!(
        "interface {} of network {}: claim {} names this interface for {} {other}; correct ifName in the claim or \
         the annotation of the pod",
        request.ifname, network.nad, device.claim, device.device_id
    ))
}

pub(super) fn ambiguous<'a>(
    devices: impl Iterator<Item = &'a PodDevice>,
    request: &Request<'_>,
) -> WhichError {
    WhichError::Ambiguous(format!(
        "interface {}: could be {}; set ifName in the claim's config, or the annotation {} of the \
         NetworkAttachmentDefinition",
        request.ifname,
        joined(devices.map(described)),
        crate::cni::nad::RESOURCE_NAME,
    ))
}

pub(super) fn same_interface<'a>(
    networks: impl Iterator<Item = &'a Network>,
    request: &Request<'_>,
) -> WhichError {
    let networks = joined(networks.map(|network| network.nad.to_string()));
    WhichError::Ambiguous(format!(
        "interface {}: is requested for several networks: {networks}",
        request.ifname
    ))
}

pub(super) fn none_left(
    devices: &[&PodDevice],
    network: Option<&Network>,
    request: &Request<'_>,
) -> WhichError {
    let of_network = network.map(|network| format!(" of network {}", network.nad));
    let resource = network
        .and_then(|network| network.resource_name.as_deref())
        .or(request.pool);
    let of = resource
        .map(|name| format!(" of {name}"))
        .unwrap_or_default();
    let foreign = request
        .hint
        .and_then(|hint| Some((hint.device_id, hint.holder?)));
    let foreign =
        foreign.map(|(device, holder)| format!("; deviceID {device} belongs to {holder}"));
    let has = match devices {
        [] => "none that a CNI plugin attaches".to_owned(),
        devices => joined(devices.iter().map(|device| described(device))),
    };
    WhichError::NoneLeft(format!(
        "interface {}{}: no device{of} is left for it: the pod's claims have {has}{}",
        request.ifname,
        of_network.unwrap_or_default(),
        foreign.unwrap_or_default()
    ))
}

fn described(device: &PodDevice) -> String {
    let pool = device
        .pool
        .as_deref()
        .map(|pool| format!(" of {pool}"))
        .unwrap_or_default();
    let attached = device
        .attached_as
        .as_deref()
        .map(|name| format!(", attached as {name}"));
    let (id, attached) = (&device.device_id, attached.unwrap_or_default());
    format!("{id}{pool} (claim {}{attached})", device.claim)
}

fn joined(texts: impl Iterator<Item = String>) -> String {
    texts.collect::<Vec<_>>().join(", ")
}
