//! JSON with its order and its duplicate keys, which Go's reader heeds and `serde_json::Value`
//! forgets.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::{
    ConfigError,
    error::{Place, quoted},
};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    /// Only ever to be shown.
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Reads a document. The error names line, column, and what is there.
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        serde_json::from_str(text).map_err(|error| broken(text, &error))
    }
}

fn broken(text: &str, error: &serde_json::Error) -> ConfigError {
    let right = "must be JSON, without comments and without a comma after the last item";
    if text.trim().is_empty() {
        return ConfigError::new(
            &Place::root(),
            "is empty, must be an object like {\"resourceList\": [...]}",
        );
    }
    let position = format!("line {} column {}", error.line(), error.column());
    let message = error.to_string();
    let reason = message
        .strip_suffix(&format!(" at {position}"))
        .unwrap_or(&message);
    let line = text
        .lines()
        .nth(error.line().saturating_sub(1))
        .unwrap_or_default();
    ConfigError::new(
        &Place::at(&position),
        format!("{reason} near {}, {right}", around(line, error.column())),
    )
}

/// The line near that byte: a document may be one long line.
fn around(line: &str, column: usize) -> String {
    let near = column.saturating_sub(40)..column.saturating_add(20);
    let shown: String = line
        .char_indices()
        .filter(|(at, _)| near.contains(at))
        .map(|(_, c)| c)
        .collect();
    quoted(shown.trim()).replace("\\\"", "\"")
}

/// For messages: short, on one line.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::List(items) if items.is_empty() => f.write_str("[]"),
            Self::List(_) => f.write_str("[…]"),
            Self::Object(members) if members.is_empty() => f.write_str("{}"),
            Self::Object(_) => f.write_str("{…}"),
        }
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
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
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
