//! Policies in memory.

use tokio::sync::watch;

use super::Memory;
use crate::{cluster::PolicyView, resource_policy::Objects};

/// A server that knows the kinds and has none of them.
pub(super) fn none() -> watch::Sender<PolicyView> {
    let view = PolicyView {
        policies: Some(Vec::new()),
        ..PolicyView::default()
    };
    watch::channel(view).0
}

impl Memory {
    /// Somebody writes policies and DeviceAttributes: these are all.
    pub fn write_policies(&self, objects: Objects) {
        self.state().policies.send_modify(|view| {
            (view.policies, view.attributes) = (Some(objects.policies), Some(objects.attributes));
        });
    }

    /// Somebody labels the node.
    pub fn label_node(&self, labels: &[(&str, &str)]) {
        let labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        self.state()
            .policies
            .send_modify(|view| view.labels = Some(labels));
    }

    /// As if nothing had been read yet.
    pub fn forget_policies(&self) {
        self.state().policies.send_replace(PolicyView::default());
    }
}
