//! Pods of this node, as the attacher asks for them.

use crate::{attach::PodClaims, cluster::Pods};

/// From the watch of this node's pods.
pub(super) struct PodsOfNode(pub(super) Pods);

impl PodClaims for PodsOfNode {
    fn of(&self, pod_uid: &str) -> Vec<(String, String)> {
        let Some(pod) = self.0.by_uid(pod_uid) else {
            return Vec::new();
        };
        pod.claims
            .iter()
            .map(|claim| (pod.namespace.clone(), claim.clone()))
            .collect()
    }

    fn networks(&self, pod_uid: &str) -> String {
        let pod = self.0.by_uid(pod_uid);
        pod.and_then(|pod| pod.networks.clone()).unwrap_or_default()
    }
}
