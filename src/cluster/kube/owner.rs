//! The Node owns its slices: when it goes, they go. One that is made anew under the same name has
//! another UID, and slices that name the old one are collected.

use std::sync::PoisonError;

use k8s_openapi::{
    api::{core::v1::Node, resource::v1::ResourceSlice},
    apimachinery::pkg::apis::meta::v1::OwnerReference,
};
use kube::Api;

use super::{Kube, unreachable};
use crate::{
    cluster::{ClusterError, ErrorKind, Result},
    slice::StoredSlice,
};

impl Kube {
    /// The owner of whatever is written now.
    pub(super) async fn owner(&self) -> Result<OwnerReference> {
        let known = self.known_node().clone();
        let uid = match known {
            Some(uid) => Some(uid),
            None => self.read_node_uid().await?,
        };
        Ok(OwnerReference {
            api_version: "v1".into(),
            kind: "Node".into(),
            name: self.node.clone(),
            uid: uid.ok_or_else(|| self.no_node())?,
            controller: Some(true),
            block_owner_deletion: None,
        })
    }

    /// Reads the Node's UID, for the writes until the next time; none: there is no Node.
    pub(super) async fn read_node_uid(&self) -> Result<Option<String>> {
        let subject = format!("node {}", self.node);
        let api = Api::<Node>::all(self.client.clone());
        let node = self.request(&subject, api.get_opt(&self.node)).await?;
        let uid = match node {
            None => None,
            Some(node) => Some(
                node.metadata
                    .uid
                    .ok_or_else(|| unreachable(&subject, "has no UID".into()))?,
            ),
        };
        self.known_node().clone_from(&uid);
        Ok(uid)
    }

    /// A slice as it was listed. One that the Node does not own is to be written again, though
    /// there is nobody to own it while there is no Node.
    pub(super) fn owned(&self, slice: ResourceSlice, node: Option<&str>) -> StoredSlice {
        let owners = slice.metadata.owner_references.iter().flatten();
        let is_owned = node.is_none_or(|node| owners.map(|owner| &*owner.uid).eq([node]));
        let stored = self.stored(slice);
        StoredSlice {
            foreign: stored.foreign || !is_owned,
            ..stored
        }
    }

    fn known_node(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.node_uid.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_node(&self) -> ClusterError {
        ClusterError {
            kind: ErrorKind::NotFound,
            subject: format!("node {}", self.node),
            text: "not found".into(),
        }
    }
}
