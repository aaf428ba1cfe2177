//! Pods of this node, watched: which pod stands behind a UID, and which claims it names.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k8s_openapi::api::core::v1::Pod as ApiPod;
use tokio::sync::watch;

use crate::cni::selection;

/// One pod, reduced to what this driver needs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pod {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// On the host's network: it has no namespace to move a netdev to.
    pub host_network: bool,
    /// Names of the ResourceClaims that it uses: named, made from a template, or for an extended
    /// resource.
    pub claims: BTreeSet<String>,
    /// Annotation `k8s.v1.cni.cncf.io/networks`.
    pub networks: Option<String>,
    /// Annotation `v1.multus-cni.io/default-network`.
    pub default_network: Option<String>,
    /// Name of the ResourceClaim that the scheduler made for its extended resources.
    pub extended_claim: Option<String>,
}

impl From<ApiPod> for Pod {
    fn from(pod: ApiPod) -> Self {
        let claims = claims(&pod);
        let extended_claim = extended(&pod).map(str::to_owned);
        let mut annotations = pod.metadata.annotations.unwrap_or_default();
        let spec = pod.spec.unwrap_or_default();
        Self {
            uid: pod.metadata.uid.unwrap_or_default(),
            namespace: pod.metadata.namespace.unwrap_or_default(),
            name: pod.metadata.name.unwrap_or_default(),
            host_network: spec.host_network.unwrap_or(false),
            claims,
            networks: annotations.remove(selection::NETWORKS),
            default_network: annotations.remove(selection::DEFAULT_NETWORK),
            extended_claim,
        }
    }
}

fn claims(pod: &ApiPod) -> BTreeSet<String> {
    let named = pod
        .spec
        .iter()
        .flat_map(|spec| spec.resource_claims.iter().flatten());
    let named = named.filter_map(|claim| claim.resource_claim_name.clone());
    let made = pod
        .status
        .iter()
        .flat_map(|status| status.resource_claim_statuses.iter().flatten());
    let made = made.filter_map(|claim| claim.resource_claim_name.clone());
    let extended = extended(pod).map(str::to_owned);
    named.chain(made).chain(extended).collect()
}

fn extended(pod: &ApiPod) -> Option<&str> {
    let status = pod.status.as_ref()?;
    let claim = status.extended_resource_claim_status.as_ref()?;
    Some(&claim.resource_claim_name)
}

type Known = Option<BTreeMap<String, Arc<Pod>>>;

/// The view. Cheap to clone; the watch ends with the last clone.
#[derive(Debug, Clone)]
pub struct Pods(watch::Receiver<Known>);

impl Pods {
    /// Pods that are all there is, for tests and the demo.
    #[must_use]
    pub fn of(pods: impl IntoIterator<Item = Pod>) -> Self {
        let known = pods
            .into_iter()
            .map(|pod| (pod.uid.clone(), Arc::new(pod)))
            .collect();
        Self(watch::channel(Some(known)).1)
    }

    pub(super) fn channel() -> (Watched, Self) {
        let (sender, receiver) = watch::channel(None);
        (
            Watched {
                sender,
                listing: BTreeMap::new(),
            },
            Self(receiver),
        )
    }

    /// The pod with this UID; none when it is not known (yet).
    #[must_use]
    pub fn by_uid(&self, uid: &str) -> Option<Arc<Pod>> {
        self.0.borrow().as_ref()?.get(uid).cloned()
    }

    /// The pod of that name; none when there is none, or more than one.
    #[must_use]
    pub fn named(&self, namespace: &str, name: &str) -> Option<Arc<Pod>> {
        let known = self.0.borrow();
        let mut named = known
            .iter()
            .flat_map(BTreeMap::values)
            .filter(|pod| pod.namespace == namespace && pod.name == name);
        named.next().filter(|_| named.next().is_none()).cloned()
    }

    /// Pods that use the claim.
    #[must_use]
    pub fn of_claim(&self, namespace: &str, claim: &str) -> Vec<Arc<Pod>> {
        let uses = |pod: &&Arc<Pod>| pod.namespace == namespace && pod.claims.contains(claim);
        self.0
            .borrow()
            .iter()
            .flat_map(BTreeMap::values)
            .filter(uses)
            .cloned()
            .collect()
    }

    /// Whether all pods of the node have been seen once: only then is a missing one really missing.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.0.borrow().is_some()
    }

    /// Waits for the next change; for ever once there can be none.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The writing end.
pub(super) struct Watched {
    sender: watch::Sender<Known>,
    listing: BTreeMap<String, Arc<Pod>>,
}

impl Watched {
    /// Ends when no view is left.
    pub(super) async fn unwatched(&self) {
        self.sender.closed().await;
    }

    pub(super) fn list_begins(&mut self) {
        self.listing.clear();
    }

    pub(super) fn listed(&mut self, pod: Pod) {
        self.listing.insert(pod.uid.clone(), Arc::new(pod));
    }

    /// The old view stands until the new one is complete.
    pub(super) fn list_ends(&mut self) {
        self.sender
            .send_replace(Some(std::mem::take(&mut self.listing)));
    }

    pub(super) fn applied(&self, pod: Pod) {
        self.sender.send_if_modified(|known| {
            let Some(pods) = known else { return false };
            let new = pods.get(&pod.uid).is_none_or(|old| **old != pod);
            pods.insert(pod.uid.clone(), Arc::new(pod));
            new
        });
    }

    pub(super) fn deleted(&self, uid: &str) {
        self.sender.send_if_modified(|known| {
            known
                .as_mut()
                .is_some_and(|pods| pods.remove(uid).is_some())
        });
    }
}
