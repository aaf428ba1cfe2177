//! The fields of an object, strictly: what nobody reads would silently select more, or give less,
//! than was meant.

use serde_json::{Map, Value};

use crate::pool::{ConfigError, Place, quoted};

/// An object, and where it is.
pub(super) struct Fields<'a> {
    pub(super) place: Place,
    members: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// `right` says what would be an object here.
    pub(super) fn of(value: &'a Value, place: Place, right: &str) -> Result<Self, ConfigError> {
        match value {
            Value::Object(members) => Ok(Self { place, members }),
            other => Err(wrong(&place, other, right)),
        }
    }

    /// The same; an error if it has a field beside these.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, ConfigError> {
        match self
            .members
            .keys()
            .find(|key| !known.contains(&key.as_str()))
        {
            None => Ok(self),
            Some(key) => {
                let reason = format!("is an unknown field, known are {}", known.join(", "));
                Err(ConfigError::new(&self.place.key(key), reason))
            }
        }
    }

    pub(super) fn members(&self) -> &'a Map<String, Value> {
        self.members
    }

    /// The field's value; null is the same as nothing.
    pub(super) fn get(&self, name: &str) -> Option<(&'a Value, Place)> {
        self.members
            .get(name)
            .filter(|value| !value.is_null())
            .map(|value| (value, self.place.key(name)))
    }

    /// The text; empty if nothing is given.
    pub(super) fn text(&self, name: &str, right: &str) -> Result<&'a str, ConfigError> {
        match self.get(name) {
            None => Ok(""),
            Some((Value::String(text), _)) => Ok(text),
            Some((other, place)) => Err(wrong(&place, other, right)),
        }
    }

    /// Each item with its place; none if nothing is given.
    pub(super) fn list(
        &self,
        name: &str,
        right: &str,
    ) -> Result<Vec<(&'a Value, Place)>, ConfigError> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some((Value::Array(items), place)) => Ok(items
                .iter()
                .enumerate()
                .map(|(index, item)| (item, place.item(index)))
                .collect()),
            Some((other, place)) => Err(wrong(&place, other, &format!("a list like {right}"))),
        }
    }

    /// Each text with its place.
    pub(super) fn texts(
        &self,
        name: &str,
        right: &str,
    ) -> Result<Vec<(&'a str, Place)>, ConfigError> {
        let text = |(item, place): (&'a Value, Place)| match item.as_str() {
            Some(text) => Ok((text, place)),
            None => Err(wrong(
                &place,
                item,
                &format!("a string, in a list like {right}"),
            )),
        };
        self.list(name, right)?.into_iter().map(text).collect()
    }
}

/// `VALUE is wrong, must be RIGHT`.
pub(super) fn wrong(place: &Place, value: &Value, right: &str) -> ConfigError {
    ConfigError::new(place, format!("{} is wrong, must be {right}", shown(value)))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) if !items.is_empty() => "[…]".to_owned(),
        Value::Object(members) if !members.is_empty() => "{…}".to_owned(),
        other => other.to_string(),
    }
}
