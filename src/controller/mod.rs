//! Reconciles one DeviceClass per pool, and the status of policies with the devices that they
//! match.
//!
//! Pools come from ConfigMaps and policies only, not from published slices: a node that is down
//! must not cause a class to be deleted.
//!
//! ```text
//!  ConfigMaps ─► sources: last valid pools of each key ─┬► classes::plan ─► create, update, delete
//!  policies ─► Library: last valid ones ────────────────┤
//!  ResourceSlices, labels of nodes ─────────────────────┴► status of policies
//! ```
//!
//! An invalid configuration keeps its last valid pools. While one has never been valid, or a named
//! ConfigMap is missing, no class is deleted. What a label or the namespace of policies finds may be
//! too little (a typing error finds nothing): then only classes of pools that this process has seen
//! are deleted. Several controllers can run at once: every write has the resource version that was
//! read.

mod deletion;
mod policies;
mod run;
mod sources;
#[cfg(test)]
mod tests;

pub use run::run;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;

use crate::{
    classes::{self, Class, Plan, Stored},
    cluster::{self, ConfigMaps, Event, PoolCluster, Result, Subject},
    pool::PoolName,
};
use policies::Policies;
use sources::Sources;

/// The controller of one driver.
pub struct Controller {
    cluster: Arc<dyn PoolCluster>,
    which: ConfigMaps,
    driver: String,
    sources: Sources,
    policies: Policies,
    /// Warnings that have been logged, to log each once.
    logged: BTreeSet<String>,
    /// Classes that the API server stores differently from how they were written: resource
    /// version, and what was written. Not written again until they change, or for a while: the
    /// server may be upgraded to one that keeps all.
    settled: BTreeMap<String, Settled>,
    /// Pools that were configured at any time since the start.
    seen: BTreeSet<PoolName>,
}

struct Settled {
    version: String,
    class: Class,
    at: Instant,
}

/// What the API server did not keep is written again after this.
const AGAIN: Duration = Duration::from_mins(10);

impl Settled {
    fn is(&self, stored: &Stored, class: &Class) -> bool {
        self.version == stored.version && self.class == *class && self.at.elapsed() < AGAIN
    }
}

impl Controller {
    /// `prefix` is the default resource prefix of pools. `policies`: `None` if there are none.
    #[must_use]
    pub fn new(
        cluster: Arc<dyn PoolCluster>,
        which: ConfigMaps,
        policies: Option<cluster::Policies>,
        driver: &str,
        prefix: &str,
    ) -> Self {
        let (logged, settled, seen) = Default::default();
        let (sources, policies) = (
            Sources::new(prefix),
            Policies::new(policies, driver, prefix),
        );
        Self {
            cluster,
            which,
            driver: driver.to_owned(),
            sources,
            policies,
            logged,
            settled,
            seen,
        }
    }

    /// Reads the cluster state and reconciles classes and the status of policies.
    ///
    /// # Errors
    /// The first error of the API server, after all other writes were tried. The caller retries.
    pub async fn reconcile(&mut self) -> Result<()> {
        let maps = self.cluster.config_maps(&self.which).await?;
        let missing = self.missing(&maps);
        for (map, why) in self.sources.read(&maps) {
            tracing::warn!("{why}");
            self.publish_event(map.subject(), "ReadPools", why).await;
        }
        for (subject, why) in self.policies.read() {
            tracing::warn!("{why}");
            self.publish_event(subject, "ReadPolicies", why).await;
        }
        for name in &missing {
            self.warn_once(format!("ConfigMap {name} not found"));
        }
        let stored = self.cluster.classes().await?;
        let mut pools = self.sources.all();
        pools.extend(self.policies.pools());
        let mut plan = classes::plan(&pools, &stored, &self.driver);
        for conflict in std::mem::take(&mut plan.conflicts) {
            self.warn_once(conflict.to_string());
        }
        let certain = missing.is_empty() && self.sources.all_known() && self.policies.all_known();
        self.keep_classes(&mut plan, certain, &maps);
        self.seen.extend(pools);
        let classes = self.apply(plan).await;
        let policies = self.policies.write_statuses(&*self.cluster).await;
        classes.and(policies)
    }

    async fn publish_event(&self, subject: Subject, action: &'static str, note: String) {
        let event = Event {
            subject,
            warning: true,
            reason: "BadConfiguration",
            action,
            note,
        };
        if let Err(error) = self.cluster.report_event(&event).await {
            tracing::warn!(%error, "cannot write event");
        }
    }

    fn missing(&self, maps: &[crate::cluster::ConfigMap]) -> Vec<String> {
        let ConfigMaps::Named(names) = &self.which else {
            return Vec::new();
        };
        names
            .iter()
            .filter(|name| maps.iter().all(|map| map.name != **name))
            .map(ToString::to_string)
            .collect()
    }

    async fn apply(&mut self, plan: Plan) -> Result<()> {
        let mut results = Vec::new();
        for class in plan.create {
            let written = self.cluster.create_class(&class).await;
            results.push(written.map(|stored| self.written("created", class, stored)));
        }
        for (stored, class) in plan.update {
            let settled = self.settled.get(&class.name);
            if settled.is_some_and(|settled| settled.is(&stored, &class)) {
                continue;
            }
            let written = self.cluster.update_class(&stored, &class).await;
            results.push(written.map(|stored| self.written("updated", class, stored)));
        }
        for stored in plan.delete {
            let deleted = self.cluster.delete_class(&stored).await;
            results.push(
                deleted.map(|()| tracing::info!("deleted DeviceClass {}", stored.class.name)),
            );
        }
        results.into_iter().collect()
    }

    /// An API server without the feature DRAExtendedResource drops `extendedResourceName`: without
    /// `settled` the class would be written in an endless loop.
    fn written(&mut self, verb: &str, class: Class, stored: Stored) {
        tracing::info!("{verb} DeviceClass {}", class.name);
        if stored.class.gives_the_same(&class) {
            self.settled.remove(&class.name);
            return;
        }
        tracing::warn!(
            "the API server stores DeviceClass {} without extendedResourceName",
            class.name
        );
        let name = class.name.clone();
        let settled = Settled {
            version: stored.version,
            class,
            at: Instant::now(),
        };
        self.settled.insert(name, settled);
    }

    fn warn_once(&mut self, text: String) {
        if self.logged.insert(text.clone()) {
            tracing::warn!("{text}");
        }
    }
}
