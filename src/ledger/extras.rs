//! What containers get beside the device, as it was decided when its claim was prepared.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::unknown::{Kept, Unknown};
use crate::pool::PoolName;

/// Whether something is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Demand {
    /// Not at all.
    #[default]
    No,
    /// By the pool: given where the host can.
    #[serde(rename = "wish")]
    IfAvailable,
    /// By class or claim: without it there is no device either.
    #[serde(rename = "must")]
    Required,
}

/// Of one device, as it is written down.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Extras {
    /// The pool of config.json that the device was in.
    pub pool: Option<Kept<PoolName>>,
    /// Variables that class and claim request.
    pub env: BTreeMap<String, String>,
    /// The pool's `additionalInfo` for the device, and over it `env`; none when there is neither.
    pub info: Option<BTreeMap<String, String>>,
    /// `/dev/vhost-net` and `/dev/net/tun`.
    pub vhost_net: Demand,
    /// RDMA's character devices.
    pub rdma: Demand,
    /// The first of its RDMA devices whose nodes it has.
    pub rdma_device: Option<String>,
    /// Of the nodes that have another path on the host: by their path in the container.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub host_nodes: BTreeMap<String, String>,
    /// What a later version has added.
    #[serde(flatten)]
    pub unknown: Unknown,
}
