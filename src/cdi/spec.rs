//! The types of a spec.

use std::fmt;

use serde::Serialize;

/// A spec file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// The lowest version with all features in use: 0.5.0 has `hostPath`, and names that begin with
    /// a digit.
    cdi_version: &'static str,
    kind: String,
    /// At least one.
    devices: Vec<Device>,
}

/// One device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Device {
    name: String,
    container_edits: Edits,
}

/// `containerEdits`: what is added to a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
#[serde(rename_all = "camelCase")]
pub struct Edits {
    /// `NAME=value`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Character devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_nodes: Vec<DeviceNode>,
    /// Bind mounts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<Mount>,
}

/// A character device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceNode {
    /// In the container, `/dev/vfio/7`.
    pub path: String,
    /// On the host; none: the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host_path: Option<String>,
    /// `rw`, and not `m`: a container creates no device nodes.
    pub permissions: &'static str,
}

/// A bind mount. If the source does not exist, the runtime fails to create the container: start
/// gates rely on that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mount {
    /// On the host.
    pub host_path: String,
    /// In the container.
    pub container_path: String,
    /// `ro`, `bind`.
    pub options: Vec<&'static str>,
}

impl DeviceNode {
    /// Read and write.
    #[must_use]
    pub fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            host_path: None,
            permissions: "rw",
        }
    }
}

impl Mount {
    /// Read-only.
    #[must_use]
    pub fn read_only(host: impl Into<String>, container: impl Into<String>) -> Self {
        Self {
            host_path: host.into(),
            container_path: container.into(),
            options: vec!["ro", "bind"],
        }
    }
}

impl Device {
    /// A device's name is its PCI address, which Multus' older contract passes on to the CNI plugin
    /// as `deviceID`.
    #[must_use]
    pub fn new(name: impl Into<String>, container_edits: Edits) -> Self {
        Self {
            name: name.into(),
            container_edits,
        }
    }
}

impl Spec {
    /// The spec of a claim.
    #[must_use]
    pub fn new(driver: &str, uid: impl fmt::Display, devices: Vec<Device>) -> Self {
        Self {
            cdi_version: "0.5.0",
            kind: kind(driver, uid),
            devices,
        }
    }
}

/// The qualified name that the kubelet passes to the runtime: `<driver>/claim-<uid>=<name>`.
#[must_use]
pub fn qualified(driver: &str, uid: impl fmt::Display, name: impl fmt::Display) -> String {
    format!("{}={name}", kind(driver, uid))
}

fn kind(driver: &str, uid: impl fmt::Display) -> String {
    format!("{driver}/claim-{uid}")
}
