//! The fields of a JSON object as Go's `encoding/json` finds them: keys in any case, the last of
//! several counts, null is no value, unknown keys are ignored.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::go_json::same_key;

/// An object's members, in their order and with their repetitions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Members(Vec<(String, Value)>);

impl Members {
    /// The value of a field; none if it is absent or null.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        let named = |(key, value): &&(String, Value)| same_key(key, name) && !value.is_null();
        self.0.iter().rfind(named).map(|(_, value)| value)
    }

    /// The value of exactly this key, null included.
    #[must_use]
    pub fn exactly(&self, key: &str) -> Option<&Value> {
        self.0
            .iter()
            .rfind(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    /// The text of a field; empty if it is absent or null.
    ///
    /// # Errors
    /// It is no string.
    pub fn text(&self, name: &str) -> Result<&str, String> {
        match self.value(name) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(format!("{name}: {other} is wrong, must be a string")),
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Members, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = object.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_as_go_finds_them() {
        let text = r#"{"Name":"a","NAME":"b","name":null,"type":7,"ſtate":"s"}"#;
        let members: Members = serde_json::from_str(text).unwrap();
        assert_eq!(members.text("name"), Ok("b"));
        assert_eq!(members.text("state"), Ok("s"));
        assert_eq!(members.text("absent"), Ok(""));
        assert_eq!(members.exactly("name"), Some(&Value::Null));
        let error = members.text("type").unwrap_err();
        assert_eq!(error, "type: 7 is wrong, must be a string");
        assert!(serde_json::from_str::<Members>("[1]").is_err());
    }
}
