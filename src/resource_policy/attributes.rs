//! `DeviceAttributes`, and what a config makes of those that it selects.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Config, GROUP,
    fields::{Fields, wrong},
    labels::Labels,
};
use crate::{
    api::{Attribute, MAX_ATTRIBUTES, OWN_ATTRIBUTES, RESOURCE_NAME},
    pool::{ConfigError, Place, PoolName, quoted},
};

/// How many attributes a device can have beside the driver's own: a fixed number, so that the same
/// objects give the same on every machine. The pool's name is an own one.
const MAX_FURTHER: usize = MAX_ATTRIBUTES - OWN_ATTRIBUTES.len();
const EXAMPLE: &str = "an attribute like {\"string\": \"blue\"}, of string, int, bool or version";

/// One object that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttributeSet {
    labels: Labels,
    attributes: BTreeMap<String, Attribute>,
}

impl AttributeSet {
    /// Reads `spec`. An attribute that cannot be published costs itself only, and is reported.
    pub(super) fn read(
        labels: &Labels,
        spec: &Value,
        driver: &str,
    ) -> Result<(Self, Vec<ConfigError>), ConfigError> {
        let fields = Fields::of(
            spec,
            Place::at("spec"),
            "an object like {\"attributes\": {...}}",
        )?;
        let fields = fields.only(&["attributes"])?;
        let (mut attributes, mut faults) = (BTreeMap::new(), Vec::new());
        if let Some((all, place)) = fields.get("attributes") {
            let right = "attributes by name like {\"example.com/colour\": {\"string\": \"blue\"}}";
            for (name, value) in Fields::of(all, place.clone(), right)?.members() {
                match attribute(name, value, place.key(name), driver) {
                    Ok((name, attribute)) => drop(attributes.insert(name, attribute)),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        Ok((
            Self {
                labels: labels.clone(),
                attributes,
            },
            faults,
        ))
    }
}

/// A name in the driver's own domain is written without it.
fn attribute(
    name: &str,
    value: &Value,
    place: Place,
    driver: &str,
) -> Result<(String, Attribute), ConfigError> {
    let own = name
        .strip_prefix(driver)
        .and_then(|rest| rest.strip_prefix('/'));
    let name = own.unwrap_or(name);
    if name != RESOURCE_NAME && OWN_ATTRIBUTES.contains(&name) {
        return Err(ConfigError::new(
            &place,
            "is the driver's own attribute, which cannot be set",
        ));
    }
    let attribute = read(value, &place)?;
    let text = matches!(attribute, Attribute::String(_));
    match attribute.fault(name) {
        Some(fault) => Err(ConfigError::new(
            &place,
            format!("{} {fault}", quoted(&attribute.to_string())),
        )),
        None if name == RESOURCE_NAME && !text => Err(wrong(&place, value, "a string")),
        None => Ok((name.to_owned(), attribute)),
    }
}

fn read(value: &Value, place: &Place) -> Result<Attribute, ConfigError> {
    let fields = Fields::of(value, place.clone(), EXAMPLE)?;
    let given: Vec<_> = fields
        .members()
        .iter()
        .filter(|(_, value)| !value.is_null())
        .collect();
    let [(kind, value)] = given.as_slice() else {
        return Err(ConfigError::new(
            place,
            format!("has {} values, must be {EXAMPLE}", given.len()),
        ));
    };
    let place = place.key(kind);
    match (kind.as_str(), value) {
        ("string", Value::String(text)) => Ok(Attribute::String(text.clone())),
        ("version", Value::String(text)) => Ok(Attribute::Version(text.clone())),
        ("bool", Value::Bool(value)) => Ok(Attribute::Bool(*value)),
        ("int", Value::Number(number)) if number.is_i64() => {
            Ok(Attribute::Int(number.as_i64().unwrap_or_default()))
        }
        ("string" | "version", other) => Err(wrong(&place, other, "a text, in quotes")),
        ("bool", other) => Err(wrong(&place, other, "true or false, without quotes")),
        ("int", other) => Err(wrong(&place, other, "a whole number, without quotes")),
        ("strings" | "versions" | "bools" | "ints", _) => Err(ConfigError::new(
            &place,
            "is a list, which is not supported yet, must be a single value",
        )),
        _ => Err(ConfigError::new(
            &place,
            format!("is an unknown field, must be {EXAMPLE}"),
        )),
    }
}

/// What the devices of a config get.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Grant {
    pub(super) pool: Option<PoolName>,
    pub(super) attributes: BTreeMap<String, Attribute>,
    /// Names of attributes for which a device has no room.
    pub(super) dropped: Vec<String>,
    /// Why there is no pool although one is named.
    pub(super) fault: Option<String>,
}

impl Config {
    /// Merged by the names of the objects, the last one wins.
    pub(super) fn grant(&self, sets: &BTreeMap<String, AttributeSet>, prefix: &str) -> Grant {
        let Some(selector) = &self.attributes else {
            return Grant::default();
        };
        let selected = sets.values().filter(|set| selector.matches(&set.labels));
        let mut attributes: BTreeMap<String, Attribute> = BTreeMap::new();
        selected.for_each(|set| attributes.extend(set.attributes.clone()));
        let (pool, fault) = match pool(&attributes, prefix) {
            Some(Ok(pool)) => (Some(pool), None),
            Some(Err(fault)) => (None, Some(fault)),
            None => (None, None),
        };
        let further = attributes.keys().filter(|name| *name != RESOURCE_NAME);
        let dropped: Vec<String> = further.skip(MAX_FURTHER).cloned().collect();
        attributes.retain(|name, _| !dropped.contains(name));
        if pool.is_none() {
            attributes.remove(RESOURCE_NAME);
        }
        Grant {
            pool,
            attributes,
            dropped,
            fault,
        }
    }
}

/// The pool that the attributes name: the Go driver's own spelling first, then Multus', then the
/// driver's.
fn pool(
    attributes: &BTreeMap<String, Attribute>,
    prefix: &str,
) -> Option<Result<PoolName, String>> {
    let go = format!("{GROUP}/resourceName");
    let named = [&*go, RESOURCE_NAME, "resourceName"]
        .into_iter()
        .find_map(|name| Some((name, attributes.get(name)?)));
    named.map(|(name, value)| match value {
        Attribute::String(text) => {
            PoolName::of_resource(text, prefix).map_err(|why| format!("{name}: {why}"))
        }
        other => Err(format!("{name}: {other} is wrong, must be a string")),
    })
}
