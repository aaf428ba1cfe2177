//! A node on a recorded host: everything but the kernel is the real code.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::claim::{DRIVER, NODE};
use crate::{
    attach::{Attacher, PodClaims, Sandbox},
    claim::{AllocatedClaim, Engine, Identity, PoolDefaults, PreparedDevice},
    deadline::Deadline,
    host::{Recording, fake::Fake},
    kubelet::{self, Claims, Client, Plugin, Serving},
    ledger::ClaimRef,
    paths::Paths,
};

const TIMEOUT: Duration = Duration::from_secs(30);

/// The recorded host: two Intel 82576 PFs with seven VFs each.
const RECORDING: &str = include_str!("../../../e2e/fixtures/igb.json");

/// The host and its directories, which outlive an agent.
pub(super) struct DemoNode {
    pub(super) fake: Fake,
    pub(super) paths: Paths,
}

impl DemoNode {
    pub(super) fn new(root: &Path) -> anyhow::Result<Self> {
        let recording: Recording = serde_json::from_str(RECORDING)?;
        Ok(Self {
            fake: Fake::new(&recording),
            paths: Paths::below(root),
        })
    }

    /// Starts an agent: first recovery, then the gRPC service.
    pub(super) async fn start(&self, claim: &AllocatedClaim) -> anyhow::Result<Agent> {
        let identity = Identity {
            driver_name: DRIVER.to_owned(),
            node_name: NODE.to_owned(),
            drivers: vec!["vfio-pci".to_owned()],
        };
        let kernel = Arc::new(self.fake.clone());
        let engine = Arc::new(Engine::with_hook(
            kernel,
            self.paths.clone(),
            identity,
            self.fake.change_hook(),
        ));
        if let Some((claim, error)) = engine.recover(Deadline::after(TIMEOUT))?.first() {
            anyhow::bail!("recovery of claim {claim}: {error}");
        }
        let claims = DemoClaims {
            engine: Arc::clone(&engine),
            claim: claim.clone(),
        };
        let plugin = Plugin {
            driver: DRIVER.to_owned(),
            kubelet: self.paths.kubelet.clone(),
            instance: String::new(),
            timeout: TIMEOUT,
        };
        let serving = kubelet::serve(plugin, Arc::new(claims)).await?;
        let kubelet = Client::register(serving.registration_socket())
            .await
            .map_err(anyhow::Error::msg)?;
        Ok(Agent {
            engine,
            serving,
            kubelet,
        })
    }

    /// The NRI hooks that the container runtime calls.
    pub(super) fn hooks(&self, agent: &Agent) -> Attacher {
        let kernel = Arc::new(self.fake.clone());
        let store = agent.engine.store().clone();
        Attacher::new(
            kernel,
            store,
            self.paths.clone(),
            agent.engine.identity().pool(),
            Arc::new(NoPods),
            Box::new(|_| ()),
        )
    }

    /// A pod sandbox with its own network namespace.
    pub(super) fn sandbox(&self, pod_uid: &str) -> Sandbox {
        let netns = self.paths.run.join("netns/cni-1");
        let _ = self.fake.add_netns(&netns);
        Sandbox {
            id: "sandbox-1".to_owned(),
            pod_uid: pod_uid.to_owned(),
            namespace: "core".to_owned(),
            name: "upf-0".to_owned(),
            netns: Some(netns),
        }
    }
}

/// A running agent, and the kubelet that it is registered with.
pub(super) struct Agent {
    pub(super) engine: Arc<Engine>,
    pub(super) serving: Serving,
    pub(super) kubelet: Client,
}

/// Serves the kubelet for the claim of the walkthrough.
struct DemoClaims {
    engine: Arc<Engine>,
    claim: AllocatedClaim,
}

#[async_trait]
impl Claims for DemoClaims {
    async fn prepare(&self, _: ClaimRef) -> Result<Vec<PreparedDevice>, String> {
        let (engine, claim) = (Arc::clone(&self.engine), self.claim.clone());
        let work = tokio::task::spawn_blocking(move || {
            engine.prepare(
                &claim,
                &PoolDefaults::Known(BTreeMap::new()),
                Deadline::after(TIMEOUT),
            )
        });
        work.await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    }

    async fn unprepare(&self, claim: ClaimRef) -> Result<(), String> {
        let engine = Arc::clone(&self.engine);
        let work = tokio::task::spawn_blocking(move || {
            engine.unprepare(&claim.uid, Deadline::after(TIMEOUT))?;
            // The agent answers first, and does this from its queue.
            engine.finish(&claim.uid, Deadline::after(TIMEOUT))
        });
        work.await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    }
}

/// Without a watch on pods: the record has the pod that the claim is reserved for.
struct NoPods;

impl PodClaims for NoPods {
    fn of(&self, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }
}
