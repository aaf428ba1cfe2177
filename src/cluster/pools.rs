//! What the controller reads and writes on the API server.

use std::{collections::BTreeMap, fmt, str::FromStr};

use async_trait::async_trait;
use futures::stream::BoxStream;
use serde_json::Value;

use super::{Event, Policies, Result, Subject};
use crate::{
    classes::{Class, Stored},
    resource_policy::{Node, Object, Seen},
};

/// Which ConfigMaps have the pools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigMaps {
    /// Those of these names.
    Named(Vec<ConfigMapName>),
    /// Those that this label selector finds.
    Labelled {
        /// The label selector.
        selector: String,
        /// Where; empty: in all namespaces.
        namespaces: Vec<String>,
    },
}

/// `namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigMapName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl fmt::Display for ConfigMapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl FromStr for ConfigMapName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split('/').collect::<Vec<_>>()[..] {
            [namespace, name] if !namespace.is_empty() && !name.is_empty() => Ok(Self {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(format!("{text:?} is wrong, must be NAMESPACE/NAME")),
        }
    }
}

/// A ConfigMap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigMap {
    /// Which.
    pub name: ConfigMapName,
    /// `metadata.uid`.
    pub uid: String,
    /// Its keys and what they hold.
    pub data: BTreeMap<String, String>,
}

impl ConfigMap {
    /// For events.
    #[must_use]
    pub fn subject(&self) -> Subject {
        let ConfigMapName { namespace, name } = self.name.clone();
        Subject::ConfigMap {
            namespace,
            name,
            uid: self.uid.clone(),
        }
    }
}

/// The API server, for the controller of one driver.
///
/// # Guarantees
/// As of [`super::Cluster`].
#[async_trait]
pub trait PoolCluster: Send + Sync {
    /// The ConfigMaps that there are; of named ones those that exist.
    async fn config_maps(&self, which: &ConfigMaps) -> Result<Vec<ConfigMap>>;

    /// All DeviceClasses, whoever created them.
    async fn classes(&self) -> Result<Vec<Stored>>;

    /// Creates a class.
    async fn create_class(&self, class: &Class) -> Result<Stored>;

    /// Replaces a class, if nobody has changed it since it was read
    /// ([`super::ErrorKind::Conflict`]).
    async fn update_class(&self, stored: &Stored, class: &Class) -> Result<Stored>;

    /// Deletes exactly this class as it was read. Absent is success.
    async fn delete_class(&self, stored: &Stored) -> Result<()>;

    /// Notifies that ConfigMaps or classes may have changed, whoever did it. Never ends. Must be
    /// called in a tokio runtime.
    fn pool_changes(&self, which: &ConfigMaps) -> BoxStream<'static, ()>;

    /// Reports to users what is wrong with a ConfigMap, a policy or DeviceAttributes.
    async fn report_event(&self, event: &Event) -> Result<()>;

    /// Policies and DeviceAttributes of a namespace, with their status; as of
    /// [`super::Cluster::policies`].
    fn all_policies(&self, namespace: &str) -> Policies;

    /// Every node that publishes devices of this driver, with its labels and those devices.
    async fn devices(&self) -> Result<Vec<(Node, Vec<Seen>)>>;

    /// Writes the status of a policy. [`super::ErrorKind::NotFound`]: it is gone, or its kind has
    /// no status subresource.
    async fn write_policy_status(&self, policy: &Object, status: &Value) -> Result<()>;
}
