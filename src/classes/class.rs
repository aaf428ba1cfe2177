//! A DeviceClass, reduced to what this driver says in one.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::class_name;
use crate::pool::PoolName;

/// A DeviceClass.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Class {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
    /// CEL expressions; all must hold.
    pub selectors: Vec<String>,
    /// Elements of `spec.config`.
    pub config: Vec<Value>,
    /// What unchanged pods request in their limits.
    pub extended_resource_name: Option<String>,
}

/// A class as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// What it says.
    pub class: Class,
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.resourceVersion`.
    pub version: String,
}

impl Class {
    /// The class of a pool's devices. Without `extendedResourceName` where the pool's name is none
    /// that a pod can request.
    #[must_use]
    pub fn of_pool(pool: &PoolName, driver: &str) -> Self {
        Self {
            name: class_name(pool),
            selectors: vec![Self::in_pool(pool, driver)],
            extended_resource_name: pool.extended_resource(),
            ..Self::default()
        }
    }

    /// The expression for a pool's devices. It is evaluated on every driver's devices and must not
    /// fail on any, or no claim of the class is ever allocated: so the driver comes first, then
    /// whether there is the attribute at all.
    #[must_use]
    pub fn in_pool(pool: &PoolName, driver: &str) -> String {
        let (driver, pool) = (quoted(driver), quoted(&pool.to_string()));
        let own = format!("device.attributes[{driver}]");
        format!("device.driver == {driver} && \"pool\" in {own} && {own}.pool == {pool}")
    }

    /// Marked as the controller's own.
    #[must_use]
    pub fn owned(mut self, pool: &PoolName, driver: &str) -> Self {
        let (key, value) = owner(driver);
        self.labels.insert(key, value);
        self.annotations
            .insert(format!("{driver}/pool"), pool.to_string());
        self
    }

    /// Whether the controller made it.
    #[must_use]
    pub fn is_owned(&self, driver: &str) -> bool {
        let (key, value) = owner(driver);
        self.labels.get(&key) == Some(&value)
    }

    /// The pool that the controller made it for.
    #[must_use]
    pub fn pool(&self, driver: &str) -> Option<&str> {
        let pool = self.annotations.get(&format!("{driver}/pool"));
        pool.map(String::as_str)
    }

    /// Whether it gives what the other one gives.
    #[must_use]
    pub fn gives_the_same(&self, other: &Self) -> bool {
        self.selectors == other.selectors
            && self.config == other.config
            && self.extended_resource_name == other.extended_resource_name
    }

    /// The object as users write it.
    #[must_use]
    pub fn manifest(&self) -> Value {
        let mut metadata = json!({"name": self.name});
        let selectors: Vec<Value> = self
            .selectors
            .iter()
            .map(|cel| json!({"cel": {"expression": cel}}))
            .collect();
        let mut spec = json!({"selectors": selectors});
        let texts = [("labels", &self.labels), ("annotations", &self.annotations)];
        for (name, texts) in texts.into_iter().filter(|(_, texts)| !texts.is_empty()) {
            metadata[name] = json!(texts);
        }
        if !self.config.is_empty() {
            spec["config"] = json!(self.config);
        }
        if let Some(resource) = &self.extended_resource_name {
            spec["extendedResourceName"] = json!(resource);
        }
        json!({"apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": metadata, "spec": spec})
    }
}

fn owner(driver: &str) -> (String, String) {
    (format!("{driver}/managed-by"), "controller".to_owned())
}

/// A string of CEL: JSON's escapes are CEL's too.
#[must_use]
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
