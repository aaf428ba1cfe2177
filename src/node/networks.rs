//! The networks of this node's pods, for Prepare and for the CNI binary.
//!
//! ```text
//!  pods' annotations ─┐                    ┌─► ClaimNetworks: who attaches the claim's devices
//!                     ├─► PodNetworks ─────┤
//!  API server: NADs ──┘                    └─► <run>/pods/<uid>.json ─► the CNI binary
//! ```
//!
//! A pod's file is written before its claims are prepared, and goes when the pod does. A
//! NetworkAttachmentDefinition is read when a pod names it: they are not watched.

mod foreign;
mod read;
mod socket;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, io, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout_at};

use super::{Parts, blocking};
use crate::{
    args::NodeArgs,
    claim::{AllocatedClaim, ClaimNetworks},
    cluster::{Cluster, Pod, Pods},
    cni::networks::{PodFiles, PodNetworks, PodUid},
    files::Disk,
    paths::Paths,
};

pub(super) use foreign::unserved;
use socket::serve;

/// The kubelet may know a pod a little earlier.
const KNOWN: Duration = Duration::from_secs(5);
/// Files of pods that are gone are looked for no more often.
const PAUSE: Duration = Duration::from_secs(1);

/// Where networks are looked up, and written down.
#[derive(Clone)]
pub(super) struct Networks {
    cluster: Arc<dyn Cluster>,
    pods: Pods,
    files: PodFiles,
}

impl Networks {
    /// Of this node, served and swept from now on; none if nobody is to ask.
    pub(super) fn of_node(
        args: &NodeArgs,
        paths: &Paths,
        cluster: &Arc<dyn Cluster>,
        parts: &mut Parts,
    ) -> Option<Self> {
        if !args.cni {
            return None;
        }
        let files = PodFiles::new(paths, Disk::default());
        let networks = Self::new(Arc::clone(cluster), files);
        let (socket, served) = (paths.cni_socket(), networks.clone());
        parts.try_run("cni socket", async move { serve(&socket, served).await });
        parts.run("files of pods", networks.clone().sweep());
        Some(networks)
    }

    pub(super) fn new(cluster: Arc<dyn Cluster>, files: PodFiles) -> Self {
        Self {
            pods: cluster.pods(),
            cluster,
            files,
        }
    }

    /// What the pods of a claim say about it. Writes their files.
    ///
    /// # Errors
    /// The API server cannot be asked, or none of its pods is known here; the kubelet tries again.
    pub(super) async fn of_claim(
        &self,
        claim: &AllocatedClaim,
    ) -> Result<(ClaimNetworks, Vec<PodNetworks>), String> {
        let mut said = ClaimNetworks::default();
        let mut written = Vec::new();
        for pod in self.pods_of(claim).await? {
            let networks = self.write(&pod).await?;
            let is_extended =
                claim.extended || pod.extended_claim.as_ref() == Some(&claim.claim.name);
            said.nodes_only |= is_extended && pod.host_network;
            for network in &networks.networks {
                if let Some(resource) = &network.resource_name {
                    let types: &mut BTreeSet<String> =
                        said.resources.entry(resource.clone()).or_default();
                    types.insert(network.conf_type.clone().unwrap_or_default());
                }
            }
            written.push(networks);
        }
        Ok((said, written))
    }

    /// The pods of this node that the claim is reserved for. One that is gone may stay in the list
    /// for a while, so one that is known is enough.
    async fn pods_of(&self, claim: &AllocatedClaim) -> Result<Vec<Arc<Pod>>, String> {
        let deadline = Instant::now() + KNOWN;
        let known = self.wait(deadline, |pods| {
            let known = claim.reserved_for.iter().filter_map(|uid| pods.by_uid(uid));
            let known: Vec<_> = known.collect();
            (!known.is_empty() || claim.reserved_for.is_empty()).then_some(known)
        });
        known.await.ok_or_else(|| {
            format!(
                "pod {}, which the claim is reserved for, is not known on this node after {KNOWN:?}: its networks say \
                 who attaches the claim's devices",
                claim.reserved_for.join(", ")
            )
        })
    }

    /// Waits until the view of the node's pods has an answer.
    async fn wait<T>(&self, deadline: Instant, find: impl Fn(&Pods) -> Option<T>) -> Option<T> {
        let mut pods = self.pods.clone();
        loop {
            if let Some(found) = find(&pods) {
                return Some(found);
            }
            timeout_at(deadline, pods.changed()).await.ok()?;
        }
    }

    /// Reads a pod's networks and writes its file. What was written down before stands while the
    /// API server cannot be asked.
    async fn write(&self, pod: &Pod) -> Result<PodNetworks, String> {
        let uid: PodUid = pod
            .uid
            .parse()
            .map_err(|error| format!("pod {}: {error}", pod.uid))?;
        let networks = match read::networks(&*self.cluster, pod, &uid).await {
            Ok(networks) => networks,
            Err(error) => return self.written(uid).await.ok_or(error),
        };
        let (files, written) = (self.files.clone(), networks.clone());
        let done = blocking(move || files.write(&written)).await;
        done.map_err(|error| format!("networks of pod {}/{}: {error}", pod.namespace, pod.name))?;
        Ok(networks)
    }

    /// A pod's file, if all of its networks could be read.
    async fn written(&self, uid: PodUid) -> Option<PodNetworks> {
        let files = self.files.clone();
        let pod = blocking(move || files.load(&uid)).await.ok()??;
        pod.networks
            .iter()
            .all(|network| network.error.is_none())
            .then_some(pod)
    }

    /// Removes files of pods that are gone, for ever.
    pub(super) async fn sweep(self) {
        let mut pods = self.pods.clone();
        loop {
            if pods.complete()
                && let Err(error) = self.sweep_once().await
            {
                tracing::warn!(%error, "files of pods that are gone");
            }
            sleep(PAUSE).await;
            pods.changed().await;
        }
    }

    async fn sweep_once(&self) -> io::Result<()> {
        let (files, pods) = (self.files.clone(), self.pods.clone());
        blocking(move || {
            let all = files.uids()?;
            let mut gone = all.iter().filter(|uid| pods.by_uid(uid.as_str()).is_none());
            gone.try_for_each(|uid| files.remove(uid))
        })
        .await
    }
}
