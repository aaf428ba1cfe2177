//! Device metadata (KEP-5304): what an application reads in its container about the devices of its claim.
//!
//! A JSON stream of `DeviceMetadata` documents, newest version first; we write the one version that there is.

use std::collections::BTreeMap;

use serde::Serialize;

/// Directory in the container under which all drivers mount their documents.
pub const CONTAINER_DIR: &str = "/var/run/kubernetes.io/dra-device-attributes";

/// One document: the devices of one request of one claim.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    api_version: &'static str,
    kind: &'static str,
    metadata: ObjectMeta,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod_claim_name: Option<String>,
    requests: Vec<Request>,
}

/// The claim that the document is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectMeta {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// UID.
    pub uid: String,
    /// Counts the versions of this document.
    pub generation: u64,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// Base name.
    pub name: String,
    /// Its devices.
    pub devices: Vec<Device>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// The driver's name.
    pub driver: String,
    /// Pool in the slices.
    pub pool: String,
    /// Name in the slices.
    pub name: String,
    /// Attributes by qualified name.
    pub attributes: BTreeMap<String, Attribute>,
    /// The interface, if the device is one in the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_data: Option<NetworkData>,
}

/// An attribute's value, as in ResourceSlices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Attribute {
    /// Text.
    String(String),
    /// Number.
    Int(i64),
    /// Truth.
    Bool(bool),
}

/// The interface in the pod.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkData {
    /// Its name.
    pub interface_name: String,
    /// Addresses with prefix lengths.
    pub ips: Vec<String>,
    /// Hardware address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware_address: Option<String>,
}

impl Document {
    /// A document.
    #[must_use]
    pub fn new(
        metadata: ObjectMeta,
        pod_claim_name: Option<String>,
        requests: Vec<Request>,
    ) -> Self {
        Self {
            api_version: "metadata.resource.k8s.io/v1alpha1",
            kind: "DeviceMetadata",
            metadata,
            pod_claim_name,
            requests,
        }
    }

    /// The stream: one document, one line feed.
    #[must_use]
    pub fn text(&self) -> String {
        // Strings and maps with string keys: serialising cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// Where the container finds the document: by the claim's name in the pod when it was made from a template, else by its
/// own.
#[must_use]
pub fn container_path(claim: &str, pod_claim: Option<&str>, request: &str, driver: &str) -> String {
    let (kind, name) = pod_claim.map_or(("resourceclaims", claim), |name| {
        ("resourceclaimtemplates", name)
    });
    format!("{CONTAINER_DIR}/{kind}/{name}/{request}/{driver}-metadata.json")
}
