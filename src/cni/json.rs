//! JSON as Go's `encoding/json` reads it into a struct: keys in any case, of several the last one
//! counts, objects that are given twice are merged, unknown keys are passed over.

use serde_json::{Map, Value};

use super::protocol::CniError;
pub(super) use crate::go_json::{Json, quoted, same_key};

/// Reads a document. The error does not quote it: it may have secrets.
pub(super) fn parse(place: &str, document: &[u8]) -> Result<Json, CniError> {
    serde_json::from_slice(document)
        .map_err(|error| CniError::decoding(place, &format!("is not valid JSON: {error}")))
}

/// The same without order and duplicates.
fn to_value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => number.clone().into(),
        Json::Text(text) => text.as_str().into(),
        Json::List(items) => items.iter().map(to_value).collect(),
        Json::Object(members) => Value::Object(to_map(members)),
    }
}

fn to_map<'a>(members: impl IntoIterator<Item = &'a (String, Json)>) -> Map<String, Value> {
    let pair = |(key, value): &(String, Json)| (key.clone(), to_value(value));
    members.into_iter().map(pair).collect()
}

/// The members of an object, or of several that Go would merge.
pub(super) struct Object<'a> {
    place: String,
    members: Vec<&'a (String, Json)>,
}

impl<'a> Object<'a> {
    /// The document's top level.
    pub(super) fn root(json: &'a Json) -> Result<Self, CniError> {
        match json {
            Json::Object(members) => Ok(Self {
                place: String::new(),
                members: members.iter().collect(),
            }),
            other => Err(wrong("stdin", other, "an object")),
        }
    }

    /// The path of a key, for messages.
    pub(super) fn place(&self, name: &str) -> String {
        format!("{}{name}", self.place)
    }

    /// The values given for the field, in order.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &'a Json> {
        let members = self.members.iter();
        members.filter_map(move |(key, value)| same_key(key, name).then_some(value))
    }

    /// The field's last value.
    pub(super) fn last(&self, name: &str) -> Option<&'a Json> {
        self.all(name).last()
    }

    /// The keys that are none of these.
    pub(super) fn others(&self, known: impl Fn(&str) -> bool) -> impl Iterator<Item = &'a str> {
        let keys = self.members.iter().map(|(key, _)| key.as_str());
        keys.filter(move |key| !known(key))
    }

    /// A Go `string`: null leaves it as it is; empty is not set.
    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, CniError> {
        let mut found = None;
        for value in self.all(name).filter(|value| **value != Json::Null) {
            match value {
                Json::Text(text) => found = Some(text.as_str()),
                other => return Err(wrong(&self.place(name), other, "a string")),
            }
        }
        Ok(found.filter(|text| !text.is_empty()))
    }

    /// A Go `*string`: null unsets it, and an empty one is set.
    pub(super) fn set_text(&self, name: &str) -> Result<Option<&'a str>, CniError> {
        self.text(name)?;
        Ok(match self.last(name) {
            Some(Json::Text(text)) => Some(text.as_str()),
            _ => None,
        })
    }

    /// A Go `*int`: null unsets it.
    pub(super) fn int(&self, name: &str) -> Result<Option<i64>, CniError> {
        let mut found = None;
        for value in self.all(name) {
            found = match value {
                Json::Null => None,
                Json::Number(number) if number.is_i64() => number.as_i64(),
                other => return Err(wrong(&self.place(name), other, "an integer")),
            };
        }
        Ok(found)
    }

    /// A Go `bool`: null leaves it as it is.
    pub(super) fn flag(&self, name: &str) -> Result<bool, CniError> {
        let mut found = false;
        for value in self.all(name).filter(|value| **value != Json::Null) {
            match value {
                Json::Bool(on) => found = *on,
                other => return Err(wrong(&self.place(name), other, "true or false")),
            }
        }
        Ok(found)
    }

    /// A Go `[]string`: null unsets it.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, CniError> {
        let mut found = Vec::new();
        for value in self.all(name) {
            found = match value {
                Json::Null => Vec::new(),
                Json::List(items) => items
                    .iter()
                    .map(|item| self.item(name, item))
                    .collect::<Result<_, _>>()?,
                other => return Err(wrong(&self.place(name), other, "a list of strings")),
            };
        }
        Ok(found)
    }

    fn item(&self, name: &str, item: &Json) -> Result<String, CniError> {
        match item {
            Json::Text(text) => Ok(text.clone()),
            Json::Null => Ok(String::new()),
            other => Err(wrong(&self.place(name), other, "a list of strings")),
        }
    }

    /// An object in this one; all of them, if there are several.
    pub(super) fn nested(&self, name: &str) -> Result<Self, CniError> {
        let place = self.place(name);
        let mut members = Vec::new();
        for value in self.all(name) {
            match value {
                Json::Null => {}
                Json::Object(more) => members.extend(more),
                other => return Err(wrong(&place, other, "an object")),
            }
        }
        Ok(Self {
            place: format!("{place}."),
            members,
        })
    }

    /// Keys and values; their keys are data, not names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, &'a Json)> {
        self.members
            .iter()
            .map(|(key, value)| (key.as_str(), value))
    }

    /// Nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn to_map(&self) -> Map<String, Value> {
        to_map(self.members.iter().copied())
    }
}

/// A value of another type than the key has.
pub(super) fn wrong(place: &str, value: &Json, right: &str) -> CniError {
    let shown = match value {
        Json::List(_) => "a list".to_owned(),
        // Nothing of what objects contain.
        Json::Object(_) => "an object".to_owned(),
        other => other.to_string(),
    };
    CniError::decoding(place, &format!("is {shown}, must be {right}"))
}
