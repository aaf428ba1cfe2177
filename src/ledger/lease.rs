//! What an IPAM plugin assigns to a device of a claim, and how it was called.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{
    claim_ref::ClaimRef,
    network::IpamCall,
    unknown::{Kept, Unknown},
};
use crate::device::{DeviceId, IfName, Route};

/// One call of an IPAM plugin for a claim, written down before it is made, so that what it has
/// assigned can be released whatever happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// For which claim. Its UID is `CNI_CONTAINERID`.
    pub claim: Kept<ClaimRef>,
    /// For which of its devices.
    pub device: DeviceId,
    /// `CNI_IFNAME`: the plugin's name for the device, which is not that of the interface.
    pub if_name: IfName,
    /// `CNI_NETNS`.
    pub netns_path: String,
    /// Plugin, input, arguments.
    pub call: IpamCall,
    /// What it has assigned; none: it is not known whether it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Assigned>,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// A network whose settings a device was prepared with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Defined {
    /// `namespace/name` of the NetworkAttachmentDefinition. What it says may change later.
    pub nad: String,
    /// A hash of the allocation's configurations, which do not change.
    pub configs: String,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// What an IPAM plugin has assigned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Assigned {
    /// Addresses in the pod.
    pub addresses: Vec<IpNet>,
    /// Routes in the pod, each with its gateway.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}
