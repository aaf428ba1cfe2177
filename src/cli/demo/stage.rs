//! A node on a recorded host: everything real but the kernel.

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

const PATIENCE: Duration = Duration::from_secs(30);

/// The host that was recorded: two Intel 82576 ports with seven VFs each.
const RECORDED: &str = include_str!("../../../e2e/fixtures/igb.json");

/// The host and its directories; they outlive an agent.
pub(super) struct Stage {
    pub(super) fake: Fake,
    pub(super) paths: Paths,
}

impl Stage {
    pub(super) fn new(root: &Path) -> anyhow::Result<Self> {
        let recording: Recording = serde_json::from_str(RECORDED)?;
        Ok(Self {
            fake: Fake::new(&recording),
            paths: Paths::below(root),
        })
    }

    /// Starts the agent: recovery first, then the service.
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
        if let Some((claim, error)) = engine.recover(Deadline::after(PATIENCE))?.first() {
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
            timeout: PATIENCE,
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

    /// The runtime's hooks.
    pub(super) fn hooks(&self, agent: &Agent) -> Attacher {
        let kernel = Arc::new(self.fake.clone());
        let store = agent.engine.store().clone();
        Attacher::new(
            kernel,
            store,
            self.paths.clone(),
            DRIVER,
            Arc::new(NoWatch),
            Box::new(|_| ()),
        )
    }

    /// A sandbox with a network namespace of its own.
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

/// A running agent, and the kubelet that has registered it.
pub(super) struct Agent {
    pub(super) engine: Arc<Engine>,
    pub(super) serving: Serving,
    pub(super) kubelet: Client,
}

/// Answers the kubelet for the one claim of the story.
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
                Deadline::after(PATIENCE),
            )
        });
        work.await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    }

    async fn unprepare(&self, claim: ClaimRef) -> Result<(), String> {
        let engine = Arc::clone(&self.engine);
        let work = tokio::task::spawn_blocking(move || {
            engine.unprepare(&claim.uid, Deadline::after(PATIENCE))
        });
        work.await
            .map_err(|error| error.to_string())?
            .map_err(|error| error.to_string())
    }
}

/// No pods are watched here: the record knows the pod that the claim is for.
struct NoWatch;

impl PodClaims for NoWatch {
    fn of(&self, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }
}
