//! Device metadata (KEP-5304): what an application can read in its container about the devices of
//! its claim.
//!
//! A JSON stream of `DeviceMetadata` documents, newest API version first; only one version exists.

use std::collections::BTreeMap;

use serde::Serialize;

/// The directory in the container below which all drivers mount their documents.
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

/// The claim that the document describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectMeta {
    /// Name.
    pub name: String,
    /// Namespace.
    pub namespace: String,
    /// UID.
    pub uid: String,
    /// Increases with each change of this document.
    pub generation: u64,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Request {
    /// The request's name, without a subrequest.
    pub name: String,
    /// The devices allocated for it.
    pub devices: Vec<Device>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// The driver's name.
    pub driver: String,
    /// The pool's name in ResourceSlices.
    pub pool: String,
    /// The device's name in ResourceSlices.
    pub name: String,
    /// Attributes by qualified name.
    pub attributes: BTreeMap<String, Attribute>,
    /// The network interface, if the device has one in the pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_data: Option<NetworkData>,
}

/// An attribute's value, as in ResourceSlices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Attribute {
    /// A string.
    String(String),
    /// An integer.
    Int(i64),
    /// A boolean.
    Bool(bool),
}

/// The network interface in the pod.
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

    /// The stream: one document, followed by a newline.
    #[must_use]
    pub fn text(&self) -> String {
        // Strings and maps with string keys: serialising cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// The document's path in the container: by the claim's name in the pod spec if the claim was
/// created from a template, else by the claim's own name.
#[must_use]
pub fn container_path(claim: &str, pod_claim: Option<&str>, request: &str, driver: &str) -> String {
    let (kind, name) = pod_claim.map_or(("resourceclaims", claim), |name| {
        ("resourceclaimtemplates", name)
    });
    format!("{CONTAINER_DIR}/{kind}/{name}/{request}/{driver}-metadata.json")
}
