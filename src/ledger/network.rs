//! What a call of the CNI binary has made of a device: a layer on top of the claim's own steps, or
//! of none.
//!
//! ```text
//!  <run>/claims/UID…        DeviceRecord: the claim's steps ◄─ network: the NAD's values
//!  <run>/attachments/ID…    one entry per ADD, until its DEL is done: the call, the device without
//!                           a claim, the IPAM plugin's input
//! ```

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    claim_ref::ClaimRef,
    unknown::{Kept, Unknown},
};
use crate::device::{DeviceId, IfName};

/// One ADD of the CNI binary, written before it changes anything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkCall {
    /// The network's `name`.
    pub network: String,
    /// `CNI_CONTAINERID`.
    pub container: String,
    /// `CNI_IFNAME`.
    pub if_name: IfName,
    /// `CNI_NETNS`.
    pub netns_path: String,
    /// The namespace's inode: another one may come to be at that path.
    pub netns: u64,
    /// `namespace/name` of the pod, if the caller said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// The device.
    pub device: DeviceId,
    /// The claim that the device is prepared for; none: it is the attachment's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<Kept<ClaimRef>>,
    /// The IPAM plugin, once it may have assigned something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipam: Option<IpamCall>,
    /// What ADD has printed, once it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Value>,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}

/// How an IPAM plugin was called, so that what it assigned can be released without the caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IpamCall {
    /// `ipam.type`, a bare file name.
    pub plugin: String,
    /// The network configuration, as it came.
    pub stdin: String,
    /// `CNI_ARGS`.
    pub args: String,
    /// `CNI_PATH`.
    pub path: String,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}
