//! Events: what `kubectl describe` shows.

use k8s_openapi::api::core::v1::ObjectReference;

use crate::{
    ledger::ClaimRef,
    resource_policy::{GROUP, Kind, VERSION},
};

/// Something that users should see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Of what.
    pub subject: Subject,
    /// Whether it is a warning.
    pub warning: bool,
    /// One word in CamelCase: `PrepareFailed`.
    pub reason: &'static str,
    /// What was being done, one word: `Prepare`.
    pub action: &'static str,
    /// The text.
    pub note: String,
}

/// Whose event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A pod's.
    Pod {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its UID.
        uid: String,
    },
    /// A claim's.
    Claim(ClaimRef),
    /// A node's.
    Node(String),
    /// That of a policy or of DeviceAttributes.
    Policy {
        /// Which of the two.
        kind: Kind,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its UID.
        uid: String,
    },
    /// A ConfigMap's.
    ConfigMap {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// Its UID.
        uid: String,
    },
}

impl Subject {
    pub(super) fn reference(&self) -> ObjectReference {
        let policies = format!("{GROUP}/{VERSION}");
        let (api, kind, namespace, name, uid) = match self {
            Self::Pod {
                namespace,
                name,
                uid,
            } => ("v1", "Pod", namespace, name, uid.as_str()),
            Self::ConfigMap {
                namespace,
                name,
                uid,
            } => ("v1", "ConfigMap", namespace, name, uid.as_str()),
            Self::Policy {
                kind,
                namespace,
                name,
                uid,
            } => (
                policies.as_str(),
                kind.as_str(),
                namespace,
                name,
                uid.as_str(),
            ),
            // As the kubelet does it: the name is the UID, or `kubectl describe node` does not find
            // it.
            Self::Node(name) => return node(name),
            Self::Claim(ClaimRef {
                uid,
                namespace,
                name,
            }) => (
                "resource.k8s.io/v1",
                "ResourceClaim",
                namespace,
                name,
                uid.as_str(),
            ),
        };
        ObjectReference {
            api_version: Some(api.into()),
            kind: Some(kind.into()),
            namespace: Some(namespace.clone()),
            name: Some(name.clone()),
            uid: Some(uid.to_owned()),
            ..Default::default()
        }
    }
}

fn node(name: &str) -> ObjectReference {
    ObjectReference {
        api_version: Some("v1".into()),
        kind: Some("Node".into()),
        name: Some(name.to_owned()),
        uid: Some(name.to_owned()),
        ..Default::default()
    }
}
