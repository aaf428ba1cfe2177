//! The cluster state that an allocation depends on, from the API server or from files.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    ExplainError,
    objects::{Claim, Class, ConfigMap, Listed, Pod, Slice, TaintRule, Template},
};

/// A snapshot of the cluster state.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Claims, allocated or not.
    pub(super) claims: Vec<Claim>,
    /// Templates of claims.
    pub(super) templates: Vec<Template>,
    /// Classes by name.
    pub(super) classes: BTreeMap<String, Class>,
    /// Slices of all drivers, sorted by name.
    pub(super) slices: Vec<Slice>,
    /// Pods, for their claims.
    pub(super) pods: Vec<Pod>,
    /// DeviceTaintRules.
    pub(super) rules: Vec<TaintRule>,
    /// ConfigMaps with pools of config.json.
    pub(super) config_maps: Vec<ConfigMap>,
    /// Objects that do not match the schemas of their kinds.
    odd: Vec<ExplainError>,
    /// Prefix of pools that do not set one.
    prefix: Option<String>,
}

impl Snapshot {
    /// Reads objects and lists of them; ignores other kinds.
    ///
    /// # Errors
    /// An object does not match the schema of its kind.
    pub fn read(objects: impl IntoIterator<Item = Value>) -> Result<Self, ExplainError> {
        let mut snapshot = Self::read_all(objects);
        match snapshot.odd.is_empty() {
            true => Ok(snapshot),
            false => Err(snapshot.odd.swap_remove(0)),
        }
    }

    /// The same; an object that does not match is left out, and so costs itself only.
    #[must_use]
    pub fn read_all(objects: impl IntoIterator<Item = Value>) -> Self {
        let mut snapshot = Self::default();
        for object in objects {
            snapshot.add_all(object);
        }
        snapshot
            .slices
            .sort_by(|one, other| one.metadata.name.cmp(&other.metadata.name));
        snapshot
    }

    /// Which objects were left out.
    pub(super) fn odd_note(&self) -> Option<String> {
        let first = self.odd.first()?;
        Some(match self.odd.len() {
            1 => format!("left out, since it cannot be read: {first}"),
            all => format!("{all} objects are left out, since they cannot be read: {first}"),
        })
    }

    /// What is wrong with the object that was not found, if it was left out.
    pub(super) fn odd_or(&self, error: ExplainError) -> ExplainError {
        let (ExplainError::NotFound { name, .. } | ExplainError::NoPod { name, .. }) = &error
        else {
            return error;
        };
        let is_it = |odd: &&ExplainError| match odd {
            ExplainError::Object { object, .. } => object.split(' ').nth(1) == Some(name.as_str()),
            _ => false,
        };
        self.odd.iter().find(is_it).cloned().unwrap_or(error)
    }

    /// The same, with the prefix of pools that do not set one.
    #[must_use]
    pub fn with_prefix(mut self, prefix: &str) -> Self {
        self.prefix = Some(prefix.to_owned());
        self
    }

    /// Prefix of pools that do not set one.
    pub(super) fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or("intel.com")
    }

    fn add_all(&mut self, mut object: Value) {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
            let single = kind.strip_suffix("List").unwrap_or_default();
            for mut item in std::mem::take(items) {
                // Items of a typed list (`ResourceClaimList`) have no `kind`.
                if item.get("kind").is_none() && item.is_object() {
                    item["kind"] = single.into();
                }
                self.add_all(item);
            }
            return;
        }
        if let Err(error) = self.add(&kind, object) {
            self.odd.push(error);
        }
    }

    fn add(&mut self, kind: &str, object: Value) -> Result<(), ExplainError> {
        match kind {
            "ResourceClaim" => self.claims.push(read(object)?),
            "ResourceClaimTemplate" => self.templates.push(read(object)?),
            "ResourceSlice" => self.slices.push(read(object)?),
            "Pod" => self.pods.push(read(object)?),
            "ConfigMap" => self.add_config_map(read(object)?),
            "DeviceTaintRule" => self.rules.push(read(object)?),
            "DeviceClass" => {
                let class: Class = read(object)?;
                self.classes.insert(class.metadata.name.clone(), class);
            }
            _ => {}
        }
        Ok(())
    }

    /// ConfigMaps are for anything: those that have pools count.
    fn add_config_map(&mut self, map: ConfigMap) {
        if map.data.values().any(|text| text.contains("resourceList")) {
            self.config_maps.push(map);
        }
    }

    /// All devices in the scheduler's order, of the highest generation of each pool. Leaves out
    /// devices of slices with a node selector.
    pub(super) fn devices(&self) -> Vec<Listed<'_>> {
        let newest = self.newest_generations();
        let current = |slice: &&Slice| {
            newest
                .get(&key(slice))
                .is_some_and(|pool| pool.generation == generation(slice))
        };
        let mut all = Vec::new();
        for slice in self.slices.iter().filter(current) {
            let pool = newest[&key(slice)];
            let incomplete =
                (pool.existing != pool.expected).then_some((pool.existing, pool.expected));
            let (driver, name) = key(slice);
            all.extend(slice.spec.devices.iter().filter_map(|device| {
                let node = slice
                    .spec
                    .node_name
                    .as_deref()
                    .or(device.node_name.as_deref());
                let somewhere = node.is_some() || slice.spec.all_nodes || device.all_nodes;
                somewhere.then_some(Listed {
                    driver,
                    slice_pool: name,
                    node,
                    device,
                    incomplete,
                })
            }));
        }
        all
    }

    /// How many devices are left out because node selectors are not evaluated.
    pub(super) fn left_out(&self) -> usize {
        let all: usize = self.current().map(|slice| slice.spec.devices.len()).sum();
        all - self.devices().len()
    }

    /// Slices of the highest generation of their pools.
    pub(super) fn current(&self) -> impl Iterator<Item = &Slice> {
        let newest = self.newest_generations();
        self.slices.iter().filter(move |slice| {
            newest
                .get(&key(slice))
                .is_some_and(|p| p.generation == generation(slice))
        })
    }

    /// The nodes of all slices, of whichever driver, with or without devices.
    #[must_use]
    pub fn all_nodes(&self) -> BTreeSet<&str> {
        let slices = self.slices.iter();
        let own = slices
            .clone()
            .filter_map(|slice| slice.spec.node_name.as_deref());
        let devices = slices.flat_map(|slice| &slice.spec.devices);
        own.chain(devices.filter_map(|device| device.node_name.as_deref()))
            .collect()
    }

    /// The nodes with devices of this driver.
    pub(super) fn nodes<'a>(&'a self, driver: &str) -> BTreeSet<&'a str> {
        self.devices()
            .iter()
            .filter(|listed| listed.driver == driver)
            .filter_map(|listed| listed.node)
            .collect()
    }

    fn newest_generations(&self) -> BTreeMap<(&str, &str), Newest> {
        let mut newest: BTreeMap<(&str, &str), Newest> = BTreeMap::new();
        for slice in &self.slices {
            let (generation, expected) = (
                generation(slice),
                slice.spec.slice_pool.resource_slice_count,
            );
            let pool = newest.entry(key(slice)).or_insert(Newest {
                generation,
                existing: 0,
                expected,
            });
            if generation > pool.generation {
                *pool = Newest {
                    generation,
                    existing: 0,
                    expected,
                };
            }
            if generation == pool.generation {
                pool.existing += 1;
            }
        }
        newest
    }
}

/// The highest generation of a slice pool: how many of its slices exist, and how many should.
#[derive(Debug, Clone, Copy)]
struct Newest {
    generation: i64,
    existing: usize,
    expected: usize,
}

fn key(slice: &Slice) -> (&str, &str) {
    (&slice.spec.driver, &slice.spec.slice_pool.name)
}

fn generation(slice: &Slice) -> i64 {
    slice.spec.slice_pool.generation
}

fn read<T: DeserializeOwned>(mut object: Value) -> Result<T, ExplainError> {
    let text = |path: &str| {
        object
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or("?")
            .to_owned()
    };
    let name = format!("{} {}", text("/kind"), text("/metadata/name"));
    without_nulls(&mut object);
    serde_json::from_value(object).map_err(|error| ExplainError::Object {
        object: name,
        text: error.to_string(),
    })
}

/// Removes nulls, which mean absent in the API; opaque parameters are left as the user wrote them.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields
                .iter_mut()
                .filter(|(name, _)| *name != "parameters")
                .for_each(|(_, value)| without_nulls(value));
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
