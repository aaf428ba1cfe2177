//! The answers to what the kubelet requests: the claim fetched afresh, the engine run below async,
//! its conflicts resolved.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use tokio::{
    sync::{Notify, watch},
    time::timeout,
};

use super::{
    definitions,
    networks::{Networks, unserved},
    status::{Failure, Reports},
};
use crate::{
    api::AttachMode,
    claim::{AllocatedClaim, ClaimError, Engine, PoolDefaults, PreparedDevice},
    cluster::{Cluster, Pods},
    deadline::Deadline,
    kubelet::Claims,
    ledger::{ClaimRef, ClaimUid, Record},
    telemetry::{Call, Metrics},
};

/// The kubelet hangs up after 45 s; we answer before.
pub(super) const TIMEOUT: Duration = Duration::from_secs(40);

/// Pools are known with the first look at the host. Who is prepared already is answered without
/// them.
const FIRST_LOOK: Duration = Duration::from_secs(5);

/// The node's answer to the kubelet.
pub(super) struct NodeClaims {
    pub(super) cluster: Arc<dyn Cluster>,
    pub(super) engine: Arc<Engine>,
    /// Whether the runtime has us as a plugin.
    pub(super) nri: watch::Receiver<bool>,
    pub(super) metrics: Arc<Metrics>,
    /// Notified when a record came or went: taints may follow.
    pub(super) changed: Arc<Notify>,
    /// Notified when a release has begun: the rest of it is the queue's.
    releases: Arc<Notify>,
    /// What came of it, for users.
    reports: Reports,
    /// The pools of the node's devices.
    pools: watch::Receiver<Arc<PoolDefaults>>,
    /// This node's pods.
    pods_here: Pods,
    /// Networks of pods, where the CNI binary is to serve them.
    networks: Option<Networks>,
    turns: Turns,
}

impl NodeClaims {
    pub(super) fn new(
        cluster: Arc<dyn Cluster>,
        engine: Arc<Engine>,
        nri: watch::Receiver<bool>,
        metrics: Arc<Metrics>,
        (changed, releases): (Arc<Notify>, Arc<Notify>),
        pools: watch::Receiver<Arc<PoolDefaults>>,
        reports: Reports,
    ) -> Self {
        Self {
            pods_here: cluster.pods(),
            cluster,
            engine,
            nri,
            metrics,
            changed,
            releases,
            reports,
            pools,
            networks: None,
            turns: Turns::default(),
        }
    }

    /// From now on the networks of a claim's pods decide who attaches its devices.
    pub(super) fn asking(mut self, networks: Option<Networks>) -> Self {
        self.networks = networks;
        self
    }

    /// The claim as it is now, with what its pods' networks say.
    async fn fetch_all(&self, claim: &ClaimRef) -> Result<AllocatedClaim, String> {
        let mut allocated = self.fetch(claim).await?;
        let driver = &self.engine.identity().driver_name;
        allocated.definitions = definitions::read(&*self.cluster, &allocated, driver).await;
        if let Some(networks) = &self.networks {
            let (said, pods) = networks.of_claim(&allocated).await?;
            allocated.networks = said;
            for event in unserved(&allocated, &*self.pools_now().await, &pods) {
                let cluster = Arc::clone(&self.cluster);
                tokio::spawn(async move {
                    if let Err(error) = cluster.event(&event).await {
                        tracing::warn!(%error, "event");
                    }
                });
            }
        }
        Ok(allocated)
    }

    async fn prepare_now(
        &self,
        allocated: &AllocatedClaim,
        deadline: Deadline,
    ) -> Result<Vec<PreparedDevice>, Failure> {
        let mut met = HashSet::new();
        loop {
            match self.run_prepare(allocated, deadline).await {
                Err(ClaimError::Conflict(conflict))
                    if may_reclaim(&mut met, &conflict.other, deadline)
                        && self
                            .reclaim_stale(&conflict.other, deadline)
                            .await
                            .map_err(Failure::prepare)? => {}
                result => break result.map_err(Failure::from),
            }
        }
    }

    /// The claim as the API server has it now.
    async fn fetch(&self, claim: &ClaimRef) -> Result<AllocatedClaim, String> {
        let found = self
            .cluster
            .claim(&claim.namespace, &claim.name)
            .await
            .map_err(|error| error.to_string())?;
        let allocated =
            found.ok_or_else(|| format!("claim {claim}: does not exist or is not allocated"))?;
        if allocated.claim.uid != claim.uid {
            return Err(format!(
                "claim {claim}: was replaced, asked for {}, found {}",
                claim.uid, allocated.claim.uid
            ));
        }
        Ok(allocated)
    }

    /// Takes back what a claim still has here if nothing in the cluster stands behind it any more.
    /// False: something does, or a call of the kubelet for that claim is in progress and decides.
    pub(super) async fn reclaim_stale(
        &self,
        claim: &ClaimRef,
        deadline: Deadline,
    ) -> Result<bool, String> {
        let turn = self.turns.of(&claim.uid);
        // Not waited for: two claims may each find the other in their way.
        let Ok(_turn) = turn.try_lock() else {
            return Ok(false);
        };
        // Before the server is asked: what is prepared afterwards is not what its answer is about.
        let Some(record) = self.load(&claim.uid).await? else {
            return Ok(true);
        };
        if !self.is_stale(claim, &record).await? {
            return Ok(false);
        }
        tracing::warn!(%claim, uid = %claim.uid, "nothing stands behind this claim, and it was never unprepared: releasing its devices");
        let reclaimed = self.run_reclaim(record, deadline).await;
        reclaimed.map_err(|error| error.to_string())?;
        self.changed.notify_one();
        Ok(true)
    }

    /// Whether nothing in the cluster stands behind a record any more: its claim is gone, replaced,
    /// not allocated, or allocated anew without a device of the record.
    async fn is_stale(&self, claim: &ClaimRef, record: &Record) -> Result<bool, String> {
        let found = self
            .cluster
            .claim(&claim.namespace, &claim.name)
            .await
            .map_err(|error| error.to_string())?;
        let Some(allocated) = found.filter(|found| found.claim.uid == claim.uid) else {
            return Ok(true);
        };
        let stands = allocated.has_all_of(record, self.engine.identity().pool());
        Ok(!stands && self.has_left(&allocated))
    }

    async fn load(&self, uid: &ClaimUid) -> Result<Option<Record>, String> {
        let (engine, uid) = (Arc::clone(&self.engine), uid.clone());
        let loaded = super::blocking(move || engine.store().load(&uid)).await;
        loaded.map_err(|error| error.to_string())
    }

    /// Whether no pod of this node uses the claim. One that does was prepared for an allocation on
    /// another node, by a version that did not look: the kubelet unprepares it when the pod ends.
    fn has_left(&self, claim: &AllocatedClaim) -> bool {
        let is_here = |uid: &String| self.pods_here.by_uid(uid).is_some();
        self.pods_here.complete() && !claim.reserved_for.iter().any(is_here)
    }

    async fn run_prepare(
        &self,
        allocated: &AllocatedClaim,
        deadline: Deadline,
    ) -> Result<Vec<PreparedDevice>, ClaimError> {
        let (engine, claim, pools) = (
            Arc::clone(&self.engine),
            allocated.clone(),
            self.pools_now().await,
        );
        super::blocking(move || engine.prepare(&claim, &pools, deadline)).await
    }

    async fn pools_now(&self) -> Arc<PoolDefaults> {
        let mut pools = self.pools.clone();
        let known = |pools: &Arc<PoolDefaults>| !matches!(**pools, PoolDefaults::Unknown);
        let _ = timeout(FIRST_LOOK, pools.wait_for(known)).await;
        let now = pools.borrow();
        Arc::clone(&now)
    }

    async fn run_unprepare(&self, uid: &ClaimUid, deadline: Deadline) -> Result<(), ClaimError> {
        let (engine, uid) = (Arc::clone(&self.engine), uid.clone());
        super::blocking(move || engine.unprepare(&uid, deadline)).await
    }

    /// Takes back what a claim that is gone still has; refused while a living pod has the device.
    async fn run_reclaim(&self, judged: Record, deadline: Deadline) -> Result<(), ClaimError> {
        let engine = Arc::clone(&self.engine);
        super::blocking(move || engine.reclaim(&judged, deadline)).await
    }

    /// A netdev that the runtime's hook is to attach needs the hook.
    fn check_hook(&self, uid: &ClaimUid) -> Result<(), String> {
        if *self.nri.borrow() || !self.engine.attaches_by(uid, AttachMode::Pod) {
            return Ok(());
        }
        Err("nri: the container runtime has not connected this driver yet, and the claim's netdev is attached by it; \
             check that NRI is enabled in containerd or CRI-O"
            .to_owned())
    }

    fn ended(&self, call: Call, claim: &ClaimRef, started: Instant, error: Option<&str>) {
        let took = started.elapsed();
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.metrics.called(call, error.is_some(), took);
        self.changed.notify_one();
        let (uid, what) = (
            &claim.uid,
            if matches!(call, Call::Prepare) {
                "prepare"
            } else {
                "unprepare"
            },
        );
        match error {
            None => tracing::info!(claim = %claim, %uid, ms, "{what}d"),
            Some(error) => tracing::error!(claim = %claim, %uid, ms, error, "{what}"),
        }
    }
}

/// Whether a claim in the way of a Prepare is looked into: each one once, so that there is an end.
fn may_reclaim(met: &mut HashSet<ClaimUid>, other: &ClaimRef, deadline: Deadline) -> bool {
    met.insert(other.uid.clone()) && !deadline.passed()
}

#[async_trait]
impl Claims for NodeClaims {
    async fn prepare(&self, claim: ClaimRef) -> Result<Vec<PreparedDevice>, String> {
        let turn = self.turns.of(&claim.uid);
        let _turn = turn.lock().await;
        let (started, deadline) = (Instant::now(), Deadline::after(TIMEOUT));
        let fetched = self.fetch_all(&claim).await.map_err(Failure::prepare);
        let result = match &fetched {
            Ok(allocated) => self.prepare_now(allocated, deadline).await,
            Err(failure) => Err(failure.clone()),
        };
        let hook = || self.check_hook(&claim.uid).map_err(Failure::prepare);
        let result = result.and_then(|devices| hook().map(|()| devices));
        match &result {
            Ok(_) => self.reports.prepared(&claim),
            Err(failure) => {
                self.reports
                    .prepare_failed(&claim, fetched.ok(), failure.clone());
            }
        }
        let result = result.map_err(|failure| failure.text);
        self.ended(
            Call::Prepare,
            &claim,
            started,
            result.as_ref().err().map(String::as_str),
        );
        result
    }

    async fn unprepare(&self, claim: ClaimRef) -> Result<(), String> {
        let turn = self.turns.of(&claim.uid);
        let _turn = turn.lock().await;
        let started = Instant::now();
        let result = self
            .run_unprepare(&claim.uid, Deadline::after(TIMEOUT))
            .await
            .map_err(|error| error.to_string());
        // Also of one that did not work.
        self.releases.notify_one();
        match &result {
            Ok(()) => self.reports.unprepared(&claim),
            Err(text) => {
                let failure = Failure::unprepare(text.clone());
                self.reports.unprepare_failed(&claim, failure);
            }
        }
        self.ended(
            Call::Unprepare,
            &claim,
            started,
            result.as_ref().err().map(String::as_str),
        );
        result
    }
}

/// One call per claim at a time, the fetching of it included: a prepare never acts on what an
/// unprepare has overtaken.
#[derive(Debug, Default)]
struct Turns(Mutex<HashMap<ClaimUid, Arc<tokio::sync::Mutex<()>>>>);

impl Turns {
    fn of(&self, uid: &ClaimUid) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(uid.clone()).or_default())
    }
}

#[cfg(test)]
mod tests;
