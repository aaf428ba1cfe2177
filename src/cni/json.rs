//! JSON as Go's `encoding/json` reads it into a struct: keys in any case, of several the last one
//! counts, objects that are given twice are merged, unknown keys are passed over.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::protocol::CniError;

/// A value that keeps the order and the duplicates of its keys, which [`Value`] forgets.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Int(i64),
    /// Not an integer of 64 bits.
    Number(f64),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a document. The error does not quote it: it may have secrets.
    pub(super) fn parse(place: &str, document: &[u8]) -> Result<Self, CniError> {
        serde_json::from_slice(document)
            .map_err(|error| CniError::decoding(place, &format!("is not valid JSON: {error}")))
    }

    /// The same without order and duplicates.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => (*value).into(),
            Self::Int(value) => (*value).into(),
            Self::Number(value) => (*value).into(),
            Self::Text(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_value).collect(),
            Self::Object(members) => Value::Object(to_map(members)),
        }
    }

    pub(super) fn is_null(&self) -> bool {
        *self == Self::Null
    }
}

fn to_map<'a>(members: impl IntoIterator<Item = &'a (String, Json)>) -> Map<String, Value> {
    let pair = |(key, value): &(String, Json)| (key.clone(), value.to_value());
    members.into_iter().map(pair).collect()
}

/// For messages: short, on one line, and nothing of what objects contain.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::List(_) => f.write_str("a list"),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

/// The text in quotes, on one line, and not longer than somebody wants to read.
pub(super) fn quoted(text: &str) -> String {
    const MOST: usize = 64;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
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
        for value in self.all(name).filter(|value| !value.is_null()) {
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
                Json::Int(number) => Some(*number),
                other => return Err(wrong(&self.place(name), other, "an integer")),
            };
        }
        Ok(found)
    }

    /// A Go `bool`: null leaves it as it is.
    pub(super) fn flag(&self, name: &str) -> Result<bool, CniError> {
        let mut found = false;
        for value in self.all(name).filter(|value| !value.is_null()) {
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
    CniError::decoding(place, &format!("is {value}, must be {right}"))
}

/// Go folds as Unicode does, by which two letters beyond ASCII are an `s` and a `k`.
pub(super) fn same_key(key: &str, name: &str) -> bool {
    key.chars().map(folded).eq(name.chars().map(folded))
}

fn folded(c: char) -> char {
    match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        #[expect(clippy::cast_precision_loss, reason = "only ever shown")]
        Ok(i64::try_from(value).map_or(Json::Number(value as f64), Json::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}
