//! Keeps one DeviceClass per pool, by the ConfigMaps and policies that name the pools: never by what nodes publish, since
//! a node that is down must not take a class away. And says of each policy what it takes where.
//!
//! ```text
//!  ConfigMaps ─► sources: last good pools of each key ─┬► classes::plan ─► create, update, delete
//!  policies ─► Library: last good ones ────────────────┤
//!  ResourceSlices, nodes' labels ──────────────────────┴► status of policies
//! ```
//!
//! A bad configuration keeps its last good pools; as long as one was never good, or a named ConfigMap is missing, no
//! class is deleted. Several controllers do no harm: every write names the version that was read.

mod policies;
mod run;
mod sources;
#[cfg(test)]
mod tests;

pub use run::run;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    classes::{self, Class, Plan, Stored},
    cluster::{self, ConfigMaps, Event, PoolCluster, Result, Subject},
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
    told: BTreeSet<String>,
    /// Versions of classes that the server keeps otherwise than they were written.
    settled: BTreeMap<String, (String, Class)>,
}

impl Controller {
    /// Pools that say nothing of it have `prefix`. Without a view of policies there are none.
    #[must_use]
    pub fn new(
        cluster: Arc<dyn PoolCluster>,
        which: ConfigMaps,
        policies: Option<cluster::Policies>,
        driver: &str,
        prefix: &str,
    ) -> Self {
        let (told, settled) = Default::default();
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
            told,
            settled,
        }
    }

    /// Reads everything, and puts right what is not.
    ///
    /// # Errors
    /// The server's first; what could be done is done. To be tried again.
    pub async fn reconcile(&mut self) -> Result<()> {
        let maps = self.cluster.config_maps(&self.which).await?;
        let missing = self.missing(&maps);
        for (map, why) in self.sources.read(&maps) {
            tracing::warn!("{why}");
            self.tell(map.subject(), "ReadPools", why).await;
        }
        for (subject, why) in self.policies.read() {
            tracing::warn!("{why}");
            self.tell(subject, "ReadPolicies", why).await;
        }
        for name in &missing {
            self.say_once(format!("ConfigMap {name} does not exist"));
        }
        let stored = self.cluster.classes().await?;
        let mut pools = self.sources.all();
        pools.extend(self.policies.pools());
        let mut plan = classes::plan(&pools, &stored, &self.driver);
        for conflict in std::mem::take(&mut plan.conflicts) {
            self.say_once(conflict.to_string());
        }
        if !missing.is_empty() || !self.sources.all_known() || !self.policies.all_known() {
            self.keep(&mut plan);
        }
        let classes = self.carry_out(plan).await;
        let policies = self.policies.report(&*self.cluster).await;
        classes.and(policies)
    }

    async fn tell(&self, subject: Subject, action: &'static str, note: String) {
        let event = Event {
            subject,
            warning: true,
            reason: "BadConfiguration",
            action,
            note,
        };
        if let Err(error) = self.cluster.tell(&event).await {
            tracing::warn!(%error, "event not written");
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

    /// Nobody knows yet whether these are wanted.
    fn keep(&mut self, plan: &mut Plan) {
        for kept in plan.delete.drain(..) {
            let name = &kept.class.name;
            tracing::info!("DeviceClass {name} stays until every configuration can be read");
        }
    }

    async fn carry_out(&mut self, plan: Plan) -> Result<()> {
        let mut results = Vec::new();
        for class in plan.create {
            let written = self.cluster.create_class(&class).await;
            results.push(written.map(|stored| self.written("created", class, stored)));
        }
        for (there, class) in plan.update {
            if self.settled.get(&class.name) == Some(&(there.version.clone(), class.clone())) {
                continue;
            }
            let written = self.cluster.update_class(&there, &class).await;
            results.push(written.map(|stored| self.written("updated", class, stored)));
        }
        for gone in plan.delete {
            let deleted = self.cluster.delete_class(&gone).await;
            results
                .push(deleted.map(|()| tracing::info!("deleted DeviceClass {}", gone.class.name)));
        }
        results.into_iter().collect()
    }

    /// A server without extended resources drops their names: writing them again and again would not help.
    fn written(&mut self, verb: &str, class: Class, stored: Stored) {
        tracing::info!("{verb} DeviceClass {}", class.name);
        if stored.class.gives_the_same(&class) {
            self.settled.remove(&class.name);
            return;
        }
        tracing::warn!(
            "the server keeps DeviceClass {} without extendedResourceName",
            class.name
        );
        self.settled
            .insert(class.name.clone(), (stored.version, class));
    }

    fn say_once(&mut self, text: String) {
        if self.told.insert(text.clone()) {
            tracing::warn!("{text}");
        }
    }
}
