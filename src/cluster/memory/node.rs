//! The Node, which owns its slices, and the collection of those that it does not.

use std::collections::BTreeMap;

use super::{Memory, State};
use crate::{
    cluster::{ClusterError, ErrorKind, Result},
    slice::{SliceChange, StoredSlice},
};

/// The Node, and its UID as the driver knows it.
#[derive(Debug)]
pub(super) struct NodeObject {
    /// None: it is deleted.
    uid: Option<String>,
    known: Option<String>,
    /// The UID that each slice names, by the slice's name.
    owners: BTreeMap<String, String>,
}

impl Default for NodeObject {
    fn default() -> Self {
        Self {
            uid: Some("node-uid".into()),
            known: None,
            owners: BTreeMap::new(),
        }
    }
}

impl NodeObject {
    pub(super) fn read(&mut self) {
        self.known.clone_from(&self.uid);
    }

    /// The owner of whatever is written now.
    pub(super) fn owner(&mut self) -> Result<String> {
        if self.known.is_none() {
            self.read();
        }
        self.known.clone().ok_or_else(|| ClusterError {
            kind: ErrorKind::NotFound,
            subject: "node".into(),
            text: "not found".into(),
        })
    }

    /// As it is listed.
    pub(super) fn owned(&self, slice: StoredSlice) -> StoredSlice {
        let dead = |uid: &String| self.owners.get(&slice.name) != Some(uid);
        StoredSlice {
            foreign: slice.foreign || self.uid.as_ref().is_some_and(dead),
            ..slice
        }
    }
}

impl Memory {
    /// Somebody deletes the Node, or makes it anew; slices that it does not own are collected.
    pub fn replace_node(&self, uid: Option<&str>) {
        self.state().node.uid = uid.map(str::to_owned);
        self.collect();
    }

    /// The Node is made anew, and nothing is collected yet.
    pub fn replace_node_unnoticed(&self, uid: &str) {
        self.state().node.uid = Some(uid.to_owned());
    }

    /// Deletes the slices whose owner is not there.
    pub fn collect(&self) {
        let mut state = self.state();
        let uid = state.node.uid.clone();
        let names: Vec<String> = state.slices.keys().cloned().collect();
        for name in names {
            if state.node.owners.get(&name) != uid.as_ref() {
                state.slices.remove(&name);
                state.notify(&SliceChange::Deleted { name });
            }
        }
    }

    /// The UIDs that slices name as their owner's.
    #[must_use]
    pub fn owners(&self) -> Vec<String> {
        let state = self.state();
        let owners = state.slices.keys().map(|name| state.node.owners.get(name));
        owners.map(|uid| uid.cloned().unwrap_or_default()).collect()
    }
}

impl State {
    /// What the driver writes is owned by the Node that it knows.
    pub(super) fn write(&mut self, slice: StoredSlice) -> StoredSlice {
        let known = self.node.known.clone().unwrap_or_default();
        self.node.owners.insert(slice.name.clone(), known);
        self.store(slice)
    }
}
