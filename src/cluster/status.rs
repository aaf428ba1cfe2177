//! `status.devices` of a claim: what users and other controllers read of a device in use
//! (KEP-4817).

use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{ledger::ClaimRef, slice::DeviceRef};

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
    /// Prepared, or why not.
    #[must_use]
    pub fn ready(result: Result<(), String>) -> Self {
        Self::of("Ready", ("Prepared", "PrepareFailed"), result)
    }

    /// Attached to the pod, or why not.
    #[must_use]
    pub fn network_ready(result: Result<(), String>) -> Self {
        Self::of("NetworkReady", ("Attached", "NotAttached"), result)
    }

    fn of(
        kind: &'static str,
        (good, bad): (&'static str, &'static str),
        result: Result<(), String>,
    ) -> Self {
        let holds = result.is_ok();
        Self {
            kind,
            holds,
            reason: if holds { good } else { bad },
            message: result.err().unwrap_or_default(),
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

/// The body of a server-side apply. With the UID in it, another claim of the same name is a
/// conflict, not a victim.
pub(super) fn apply(claim: &ClaimRef, devices: &[DeviceStatus], now: Timestamp) -> Value {
    json!({
        "apiVersion": "resource.k8s.io/v1",
        "kind": "ResourceClaim",
        "metadata": { "name": claim.name, "namespace": claim.namespace, "uid": claim.uid },
        "status": { "devices": devices.iter().map(|status| device(status, now)).collect::<Vec<_>>() },
    })
}

fn device(status: &DeviceStatus, now: Timestamp) -> Value {
    let mut body = json!(status.device);
    let conditions: Vec<Value> = status
        .conditions
        .iter()
        .map(|condition| self::condition(condition, now))
        .collect();
    if !conditions.is_empty() {
        body["conditions"] = conditions.into();
    }
    if let Some(share) = &status.share_id {
        body["shareID"] = share.as_str().into();
    }
    if let Some(network) = &status.network {
        body["networkData"] = self::network(network);
    }
    body
}

fn condition(condition: &Condition, now: Timestamp) -> Value {
    json!({
        "type": condition.kind,
        "status": if condition.holds { "True" } else { "False" },
        "reason": condition.reason,
        "message": cut(&condition.message, MAX_MESSAGE),
        "lastTransitionTime": format!("{now:.0}"),
    })
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
    let mut ips: Vec<String> = network.ips.iter().map(canonical).collect();
    ips.dedup();
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
