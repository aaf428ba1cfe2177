//! The fields of an object as Go's `encoding/json` finds them: keys in any case, the last of
//! several counts, null is the same as nothing, unknown keys are passed over.

use super::{ConfigError, Warning, error::Place};
use crate::go_json::{Json, same_key};

/// An object, and where it is.
pub(super) struct Object<'a> {
    pub(super) place: Place,
    members: &'a [(String, Json)],
}

impl<'a> Object<'a> {
    pub(super) fn of(json: &'a Json, place: Place, right: &str) -> Result<Self, ConfigError> {
        match json {
            Json::Object(members) => Ok(Self { place, members }),
            other => Err(wrong(&place, other, right)),
        }
    }

    /// Every value given for the field, in order.
    pub(super) fn all(&self, name: &'static str) -> impl Iterator<Item = &'a Json> {
        self.members
            .iter()
            .filter(move |(key, _)| same_key(key, name))
            .map(|(_, value)| value)
    }

    /// The field's value, null included.
    pub(super) fn last(&self, name: &'static str) -> Option<&'a Json> {
        self.all(name).last()
    }

    /// The text; none when nothing or null is given. Null does not unset what stands before it.
    pub(super) fn text(
        &self,
        name: &'static str,
        right: &str,
    ) -> Result<Option<&'a str>, ConfigError> {
        match self.all(name).filter(|value| **value != Json::Null).last() {
            None => Ok(None),
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(other) => Err(wrong(&self.place.key(name), other, right)),
        }
    }

    /// The switch; off when nothing or null is given.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.all(name).filter(|value| **value != Json::Null).last() {
            None => Ok(false),
            Some(Json::Bool(on)) => Ok(*on),
            Some(other) => Err(wrong(
                &self.place.key(name),
                other,
                "true or false, without quotes",
            )),
        }
    }

    /// The list of texts; empty when nothing or null is given. A null in it is an empty text.
    pub(super) fn texts(
        &self,
        name: &'static str,
        right: &str,
    ) -> Result<Vec<String>, ConfigError> {
        let place = self.place.key(name);
        let items = match self.last(name) {
            None | Some(Json::Null) => return Ok(Vec::new()),
            Some(Json::List(items)) => items,
            Some(other) => {
                return Err(wrong(
                    &place,
                    other,
                    &format!("a list of strings like {right}"),
                ));
            }
        };
        let text = |(index, item): (usize, &Json)| match item {
            Json::Text(text) => Ok(text.clone()),
            Json::Null => Ok(String::new()),
            other => Err(wrong(
                &place.item(index),
                other,
                &format!("a string, in a list like {right}"),
            )),
        };
        items.iter().enumerate().map(text).collect()
    }

    /// What keys nobody reads, and what is given twice. `others` are known, but not here, which
    /// `misplaced` says.
    pub(super) fn odd_keys(
        &self,
        known: &[&str],
        others: &[&str],
        misplaced: &str,
    ) -> Vec<Warning> {
        let unread = |key: &str| !known.iter().any(|name| same_key(key, name));
        // A null says nothing: the SR-IOV operator writes `"SelectorObj": null` into every pool.
        let unknown = self
            .members
            .iter()
            .filter(|(key, value)| unread(key) && *value != Json::Null);
        let unknown = unknown.map(|(key, _)| {
            let elsewhere = others.iter().any(|name| same_key(key, name));
            let reason = if elsewhere {
                format!("is ignored, {misplaced}")
            } else {
                meant(key, known)
            };
            Warning::new(&self.place.key(key), reason)
        });
        let twice = known.iter().filter_map(|name| {
            match self.members.iter().filter(|(key, _)| same_key(key, name)) {
                given if given.clone().count() > 1 => {
                    let reason = format!("is given {} times, the last one counts", given.count());
                    Some(Warning::new(&self.place.key(name), reason))
                }
                _ => None,
            }
        });
        unknown.chain(twice).collect()
    }

    pub(super) fn members(&self) -> &'a [(String, Json)] {
        self.members
    }
}

/// `VALUE is wrong, must be RIGHT`.
pub(super) fn wrong(place: &Place, value: &Json, right: &str) -> ConfigError {
    ConfigError::new(place, format!("{value} is wrong, must be {right}"))
}

fn meant(key: &str, known: &[&str]) -> String {
    let plain = |name: &str| name.replace(['_', '-', ' '], "").to_ascii_lowercase();
    let singular = |name: &str| {
        plain(name)
            .trim_end_matches('s')
            .trim_end_matches('e')
            .to_owned()
    };
    match known.iter().find(|name| singular(name) == singular(key)) {
        Some(name) => format!("is an unknown field and ignored, did you mean {name:?}?"),
        None => format!(
            "is an unknown field and ignored, known are {}",
            known.join(", ")
        ),
    }
}
