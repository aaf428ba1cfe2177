//! `status.devices` of a claim: what users and other controllers read of a device in use
//! (KEP-4817).

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use k8s_openapi::api::resource::v1::ResourceClaim;
use serde_json::{Value, json};

use super::claims::device_ref;
use crate::{
    ledger::ClaimRef,
    slice::{DeviceRef, NodePool},
};

/// The status of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceStatus {
    /// Which device.
    pub device: DeviceRef,
    /// Which share.
    pub share_id: Option<String>,
    /// `Ready`: prepared. `NetworkReady`: in the pod, addressed and up.
    pub conditions: Vec<Condition>,
    /// As the pod has it.
    pub network: Option<NetworkData>,
}

/// One condition, by the API's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// `Ready`, `NetworkReady`.
    pub kind: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// One word in CamelCase, never empty.
    pub reason: &'static str,
    /// For people.
    pub message: String,
}

impl Condition {
    /// Prepared, or why not: a reason in one word, and the text.
    #[must_use]
    pub fn ready(result: Result<(), (&'static str, String)>) -> Self {
        Self::of("Ready", "Prepared", result)
    }

    /// Attached to the pod, or why not.
    #[must_use]
    pub fn network_ready(result: Result<(), String>) -> Self {
        let result = result.map_err(|message| ("NotAttached", message));
        Self::of("NetworkReady", "Attached", result)
    }

    fn of(
        kind: &'static str,
        good: &'static str,
        result: Result<(), (&'static str, String)>,
    ) -> Self {
        let holds = result.is_ok();
        let (reason, message) = result.err().unwrap_or((good, String::new()));
        Self {
            kind,
            holds,
            reason,
            message,
        }
    }
}

/// A device's place in the network.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NetworkData {
    /// Name in the pod.
    pub interface_name: String,
    /// MAC.
    pub hardware_address: String,
    /// Addresses with prefix lengths.
    pub ips: Vec<IpNet>,
}

/// Messages and addresses beyond these the API refuses.
const MAX_MESSAGE: usize = 1024;
const MAX_IPS: usize = 16;

/// What the claim's status needs.
#[derive(Debug, PartialEq)]
pub(super) enum Update {
    /// The server has all of it.
    Same,
    /// The body of a server-side apply. With the UID in it, another claim of the same name is a
    /// conflict, not a victim.
    Apply(Value),
    /// It is another claim, or one that is not allocated on this node: its status is no concern of
    /// this node.
    NotOurs,
}

/// What `stored` needs to say this of its devices on this node. The server refuses the status of a
/// device that is not allocated.
pub(super) fn update(
    stored: &ResourceClaim,
    (claim, devices): (&ClaimRef, &[DeviceStatus]),
    here: NodePool<'_>,
    now: Timestamp,
) -> Update {
    let allocated = allocated(stored, here);
    if stored.metadata.uid.as_deref() != Some(claim.uid.as_str()) || allocated.is_empty() {
        return Update::NotOurs;
    }
    let before = before(stored, here);
    let is_allocated = |status: &&DeviceStatus| {
        let key = (status.device.clone(), status.share_id.clone());
        allocated.contains(&key)
    };
    let devices = devices.iter().filter(is_allocated);
    let devices: Vec<Value> = devices.map(|status| device(status, &before, now)).collect();
    if devices == before {
        return Update::Same;
    }
    Update::Apply(json!({
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": { "name": claim.name, "namespace": claim.namespace, "uid": claim.uid },
        "status": { "devices": devices },
    }))
}

/// The claim's devices of this node, and their shares.
fn allocated(claim: &ResourceClaim, here: NodePool<'_>) -> Vec<(DeviceRef, Option<String>)> {
    let status = claim.status.iter();
    let allocations = status.filter_map(|status| status.allocation.as_ref()?.devices.as_ref());
    let results = allocations.flat_map(|devices| devices.results.iter().flatten());
    results
        .filter(|result| result.driver == here.driver && result.pool == here.node)
        .map(|result| (device_ref(result), result.share_id.clone()))
        .collect()
}

/// What the server has of this node's devices.
fn before(claim: &ResourceClaim, here: NodePool<'_>) -> Vec<Value> {
    let devices = claim
        .status
        .iter()
        .flat_map(|status| status.devices.iter().flatten());
    devices
        .filter(|device| device.driver == here.driver && device.pool == here.node)
        .map(|device| json!(device))
        .collect()
}

fn device(status: &DeviceStatus, before: &[Value], now: Timestamp) -> Value {
    let mut body = json!(status.device);
    if let Some(share) = &status.share_id {
        body["shareID"] = share.as_str().into();
    }
    let is_same = |there: &&Value| {
        let keys = ["driver", "pool", "device", "shareID"];
        keys.iter().all(|key| there.get(key) == body.get(key))
    };
    let before = before.iter().find(is_same).cloned().unwrap_or_default();
    let conditions: Vec<Value> = status
        .conditions
        .iter()
        .map(|condition| self::condition(condition, &before, now))
        .collect();
    if !conditions.is_empty() {
        body["conditions"] = conditions.into();
    }
    if let Some(network) = &status.network {
        body["networkData"] = self::network(network);
    }
    body
}

fn condition(condition: &Condition, before: &Value, now: Timestamp) -> Value {
    let holds = if condition.holds { "True" } else { "False" };
    json!({
        "type": condition.kind,
        "status": holds,
        "reason": condition.reason,
        "message": cut(&condition.message, MAX_MESSAGE),
        "lastTransitionTime": since(before, condition.kind, holds)
            .unwrap_or_else(|| format!("{now:.0}")),
    })
}

/// Since when the condition has this status, if it is not from now on.
fn since(device: &Value, kind: &str, status: &str) -> Option<String> {
    let mut conditions = device["conditions"].as_array().into_iter().flatten();
    let same = conditions.find(|there| there["type"] == kind && there["status"] == status)?;
    same["lastTransitionTime"].as_str().map(str::to_owned)
}

fn network(network: &NetworkData) -> Value {
    let mut body = json!({});
    for (key, value) in [
        ("interfaceName", &network.interface_name),
        ("hardwareAddress", &network.hardware_address),
    ] {
        if !value.is_empty() {
            body[key] = value.as_str().into();
        }
    }
    // The server refuses a list that has an address twice.
    let mut ips: Vec<String> = Vec::new();
    for ip in network.ips.iter().map(canonical) {
        if !ips.contains(&ip) {
            ips.push(ip);
        }
    }
    ips.truncate(MAX_IPS);
    if !ips.is_empty() {
        body["ips"] = ips.into();
    }
    body
}

fn canonical(net: &IpNet) -> String {
    match net.addr() {
        IpAddr::V4(v4) => format!("{v4}/{}", net.prefix_len()),
        IpAddr::V6(v6) => format!("{v6}/{}", net.prefix_len()),
    }
}

/// At most so many bytes, on a character's border.
pub(super) fn cut(text: &str, max: usize) -> &str {
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}
