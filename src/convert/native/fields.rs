//! A DeviceConfig under construction: only fields that the driver accepts are added.

use serde_json::{Map, Value, json};

use crate::api::{self, ConfigSource, OpaqueConfig};

/// What to do with a network that cannot be rewritten.
pub(super) const MULTUS: &str = "leave the network to Multus: without --native it stays as it is";

/// The fields of a DeviceConfig.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fields {
    driver: String,
    fields: Map<String, Value>,
}

impl Fields {
    pub(super) fn new(driver: &str) -> Self {
        Self {
            driver: driver.to_owned(),
            fields: Map::new(),
        }
    }

    /// Sets a field, or returns the driver's validation error.
    pub(super) fn set(&mut self, name: &str, value: Value) -> Result<(), String> {
        let before = self.fields.insert(name.to_owned(), value);
        // Validated as part of a class, which may set every field.
        let config = OpaqueConfig {
            source: ConfigSource::Class,
            requests: Vec::new(),
            parameters: self.parameters(),
        };
        api::merge("request", None, &[config], &self.driver)
            .map(drop)
            .map_err(|error| {
                match before {
                    Some(before) => self.fields.insert(name.to_owned(), before),
                    None => self.fields.remove(name),
                };
                error.reason
            })
    }

    /// Of the same driver, without any.
    pub(super) fn none(&self) -> Self {
        Self::new(&self.driver)
    }

    /// Without the field; returns whether it was set.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        self.fields.remove(name).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }

    /// The opaque parameters.
    fn parameters(&self) -> Value {
        let mut parameters = self.fields.clone();
        parameters.insert(
            "apiVersion".to_owned(),
            format!("{}/{}", self.driver, api::VERSION).into(),
        );
        parameters.insert("kind".to_owned(), api::KIND.into());
        parameters.into()
    }

    /// An element of `config`; `None` if no field is set.
    pub(super) fn config(&self) -> Option<Value> {
        (!self.is_empty())
            .then(|| json!({"opaque": {"driver": self.driver, "parameters": self.parameters()}}))
    }

    /// The same for one request of a claim.
    pub(super) fn config_for(&self, request: &str) -> Option<Value> {
        let mut config = self.config()?;
        config["requests"] = json!([request]);
        Some(config)
    }
}
