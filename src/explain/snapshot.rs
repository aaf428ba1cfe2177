//! All objects that decide about an allocation, however they were got.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    ExplainError,
    objects::{Claim, Class, Listed, Slice, TaintRule, Template},
};

/// What there is in a cluster, or in the files that stand for one.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Claims, allocated or not.
    pub(super) claims: Vec<Claim>,
    /// Templates of claims.
    pub(super) templates: Vec<Template>,
    /// Classes by name.
    pub(super) classes: BTreeMap<String, Class>,
    /// Slices of all drivers, in the order of their names.
    pub(super) slices: Vec<Slice>,
    /// Taints that administrators put on devices.
    pub(super) rules: Vec<TaintRule>,
}

impl Snapshot {
    /// Reads objects and lists of them; kinds that do not matter are passed over.
    ///
    /// # Errors
    /// An object that does not have the form of its kind.
    pub fn read(objects: impl IntoIterator<Item = Value>) -> Result<Self, ExplainError> {
        let mut snapshot = Self::default();
        for object in objects {
            snapshot.add(object)?;
        }
        snapshot
            .slices
            .sort_by(|one, other| one.metadata.name.cmp(&other.metadata.name));
        Ok(snapshot)
    }

    fn add(&mut self, mut object: Value) -> Result<(), ExplainError> {
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
            let single = kind.strip_suffix("List").unwrap_or_default();
            for mut item in std::mem::take(items) {
                // The members of a typed list do not say what they are.
                if item.get("kind").is_none() && item.is_object() {
                    item["kind"] = single.into();
                }
                self.add(item)?;
            }
            return Ok(());
        }
        match kind.as_str() {
            "ResourceClaim" => self.claims.push(read(object)?),
            "ResourceClaimTemplate" => self.templates.push(read(object)?),
            "ResourceSlice" => self.slices.push(read(object)?),
            "DeviceTaintRule" => self.rules.push(read(object)?),
            "DeviceClass" => {
                let class: Class = read(object)?;
                self.classes.insert(class.metadata.name.clone(), class);
            }
            _ => {}
        }
        Ok(())
    }

    /// All devices in the order in which the scheduler looks at them: of each pool the highest generation only.
    pub(super) fn devices(&self) -> Vec<Listed<'_>> {
        let newest = self.newest();
        let current = |slice: &&Slice| {
            newest
                .get(&key(slice))
                .is_some_and(|pool| pool.generation == generation(slice))
        };
        let mut all = Vec::new();
        for slice in self.slices.iter().filter(current) {
            let pool = newest[&key(slice)];
            let incomplete = (pool.there != pool.said).then_some((pool.there, pool.said));
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
                    pool: name,
                    node,
                    device,
                    incomplete,
                })
            }));
        }
        all
    }

    /// Whether devices are left out, since node selectors are not evaluated here.
    pub(super) fn left_out(&self) -> usize {
        let all: usize = self.current().map(|slice| slice.spec.devices.len()).sum();
        all - self.devices().len()
    }

    /// Slices of the highest generation of their pools.
    pub(super) fn current(&self) -> impl Iterator<Item = &Slice> {
        let newest = self.newest();
        self.slices.iter().filter(move |slice| {
            newest
                .get(&key(slice))
                .is_some_and(|p| p.generation == generation(slice))
        })
    }

    /// The nodes that have devices of this driver.
    pub(super) fn nodes<'a>(&'a self, driver: &str) -> BTreeSet<&'a str> {
        self.devices()
            .iter()
            .filter(|listed| listed.driver == driver)
            .filter_map(|listed| listed.node)
            .collect()
    }

    fn newest(&self) -> BTreeMap<(&str, &str), Newest> {
        let mut newest: BTreeMap<(&str, &str), Newest> = BTreeMap::new();
        for slice in &self.slices {
            let (generation, said) = (generation(slice), slice.spec.pool.resource_slice_count);
            let pool = newest.entry(key(slice)).or_insert(Newest {
                generation,
                there: 0,
                said,
            });
            if generation > pool.generation {
                *pool = Newest {
                    generation,
                    there: 0,
                    said,
                };
            }
            if generation == pool.generation {
                pool.there += 1;
            }
        }
        newest
    }
}

/// The highest generation of a pool.
#[derive(Debug, Clone, Copy)]
struct Newest {
    generation: i64,
    there: usize,
    said: usize,
}

fn key(slice: &Slice) -> (&str, &str) {
    (&slice.spec.driver, &slice.spec.pool.name)
}

fn generation(slice: &Slice) -> i64 {
    slice.spec.pool.generation
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

/// To the API, null is absent; in a driver's parameters it is what the user wrote.
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
