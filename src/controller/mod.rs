//! Keeps one DeviceClass per pool, by the ConfigMaps that hold the pools: never by what nodes publish, since a node that
//! is down must not take a class away.
//!
//! ```text
//!  ConfigMaps ─► sources: last good pools of each key ─► classes::plan ─► create, update, delete
//! ```
//!
//! A bad configuration keeps its last good pools; as long as one was never good, or a named ConfigMap is missing, no
//! class is deleted. Several controllers do no harm: every write names the version that was read.

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
    cluster::{ConfigMaps, Event, PoolCluster, Result},
};
use sources::Sources;

/// The controller of one driver.
pub struct Controller {
    cluster: Arc<dyn PoolCluster>,
    which: ConfigMaps,
    driver: String,
    sources: Sources,
    told: BTreeSet<String>,
    /// Versions of classes that the server keeps otherwise than they were written.
    settled: BTreeMap<String, (String, Class)>,
}

impl Controller {
    /// Pools that say nothing of it have `prefix`.
    #[must_use]
    pub fn new(cluster: Arc<dyn PoolCluster>, which: ConfigMaps, driver: &str, prefix: &str) -> Self {
        let (told, settled) = Default::default();
        Self { cluster, which, driver: driver.to_owned(), sources: Sources::new(prefix), told, settled }
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
            let subject = map.subject();
            let event = Event { subject, warning: true, reason: "BadConfiguration", action: "ReadPools", note: why };
            if let Err(error) = self.cluster.tell(&event).await {
                tracing::warn!(%error, "event not written");
            }
        }
        for name in &missing {
            self.say_once(format!("ConfigMap {name} does not exist"));
        }
        let stored = self.cluster.classes().await?;
        let mut plan = classes::plan(&self.sources.all(), &stored, &self.driver);
        for conflict in std::mem::take(&mut plan.conflicts) {
            self.say_once(conflict.to_string());
        }
        if !missing.is_empty() || !self.sources.all_known() {
            self.keep(&mut plan);
        }
        self.carry_out(plan).await
    }

    fn missing(&self, maps: &[crate::cluster::ConfigMap]) -> Vec<String> {
        let ConfigMaps::Named(names) = &self.which else { return Vec::new() };
        names.iter().filter(|name| maps.iter().all(|map| map.name != **name)).map(ToString::to_string).collect()
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
            results.push(deleted.map(|()| tracing::info!("deleted DeviceClass {}", gone.class.name)));
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
        tracing::warn!("the server keeps DeviceClass {} without extendedResourceName", class.name);
        self.settled.insert(class.name.clone(), (stored.version, class));
    }

    fn say_once(&mut self, text: String) {
        if self.told.insert(text.clone()) {
            tracing::warn!("{text}");
        }
    }
}
