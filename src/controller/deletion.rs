//! Which classes that no pool needs are deleted, and which are kept.

use super::Controller;
use crate::{
    classes::{Plan, Stored},
    cluster::{ConfigMap, ConfigMaps},
};

impl Controller {
    /// Removes deletions from a plan: the class may be of a configuration that is not known.
    /// `certain`: every configuration that was found is valid, and every named one was found.
    pub(super) fn keep_classes(&mut self, plan: &mut Plan, certain: bool, maps: &[ConfigMap]) {
        if !certain {
            for kept in plan.delete.drain(..) {
                let name = &kept.class.name;
                tracing::info!("keeping DeviceClass {name} until all configurations are valid");
            }
            return;
        }
        if self.finds_all(maps) {
            return;
        }
        let (deleted, kept) = std::mem::take(&mut plan.delete)
            .into_iter()
            .partition(|stored| self.was_seen(stored));
        plan.delete = deleted;
        if maps.is_empty() && !kept.is_empty() {
            self.warn_once(format!("{} find no pools", self.searched()));
        }
        for stored in kept {
            let name = stored.class.name;
            self.warn_once(format!(
                "keeping DeviceClass {name}: no configuration since the start has had its pool; \
                 if none should, kubectl delete deviceclass {name}"
            ));
        }
    }

    /// Whether what was found is all that there is to find: a named ConfigMap is, and what a label
    /// or a namespace of policies finds may be anything.
    fn finds_all(&self, maps: &[ConfigMap]) -> bool {
        match &self.which {
            ConfigMaps::Named(names) if names.is_empty() => self.policies.any(),
            ConfigMaps::Named(_) => !maps.is_empty(),
            ConfigMaps::Labelled { .. } => false,
        }
    }

    /// Whether the class's pool was configured at any time since the start.
    fn was_seen(&self, stored: &Stored) -> bool {
        let pool = stored.class.pool(&self.driver);
        pool.is_some_and(|pool| self.seen.iter().any(|seen| seen.to_string() == pool))
    }

    fn searched(&self) -> String {
        match &self.which {
            ConfigMaps::Named(_) => "policies".to_owned(),
            ConfigMaps::Labelled {
                selector,
                namespaces,
            } if namespaces.is_empty() => format!("ConfigMaps with label {selector}"),
            ConfigMaps::Labelled {
                selector,
                namespaces,
            } => {
                let namespaces = namespaces.join(", ");
                format!("ConfigMaps with label {selector} in namespace {namespaces}")
            }
        }
    }
}
