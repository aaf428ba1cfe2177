//! Label selectors and what they are made of, as Kubernetes judges them
//! (`k8s.io/apimachinery/pkg/labels`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, wrong};
use crate::pool::{ConfigError, Place, quoted};

/// What an object is marked with.
pub(super) type Labels = BTreeMap<String, String>;

/// A condition on one label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    In(Vec<String>),
    /// True of what has no such label.
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
    Gt(i64),
    Lt(i64),
}

/// Which operators there are where.
pub(super) const OF_LABELS: [&str; 4] = ["In", "NotIn", "Exists", "DoesNotExist"];
/// Nodes have two more.
pub(super) const OF_NODES: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

impl Requirement {
    pub(super) fn read(
        value: &Value,
        place: Place,
        operators: &[&str],
    ) -> Result<Self, ConfigError> {
        let example =
            "an object like {\"key\": \"zone\", \"operator\": \"In\", \"values\": [\"a\"]}";
        let fields = Fields::of(value, place, example)?.only(&["key", "operator", "values"])?;
        let key = fields.text("key", "a label's name like \"zone\"")?;
        if !is_key(key) {
            let reason = format!(
                "{} is wrong, must be a label's name like \"kubernetes.io/hostname\"",
                quoted(key)
            );
            return Err(ConfigError::new(&fields.place.key("key"), reason));
        }
        Ok(Self {
            key: key.to_owned(),
            operator: operator(&fields, operators)?,
        })
    }

    pub(super) fn equal(key: &str, value: &str) -> Self {
        Self {
            key: key.to_owned(),
            operator: Operator::In(vec![value.to_owned()]),
        }
    }

    pub(super) fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.key);
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.operator {
            Operator::In(values) => value.is_some_and(|value| values.contains(value)),
            Operator::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt(bound) => number().is_some_and(|number| number > *bound),
            Operator::Lt(bound) => number().is_some_and(|number| number < *bound),
        }
    }
}

fn operator(fields: &Fields<'_>, operators: &[&str]) -> Result<Operator, ConfigError> {
    let right = format!("one of {}", operators.join(", "));
    let name = fields.text("operator", &right)?;
    let place = fields.place.key("values");
    let values = fields.texts("values", "[\"a\"]")?;
    let texts = || {
        values
            .iter()
            .map(|(text, _)| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    let none_or = |operator| match values.is_empty() {
        true => Ok(operator),
        false => Err(ConfigError::new(
            &place,
            format!("must be empty with {name}"),
        )),
    };
    let some_or = |operator: fn(Vec<String>) -> Operator| match values.is_empty() {
        false => Ok(operator(texts())),
        true => Err(ConfigError::new(
            &place,
            format!("is empty, must have 1 or more values with {name}"),
        )),
    };
    let bound = |operator: fn(i64) -> Operator| match values.as_slice() {
        [(text, place)] => text.parse().map(operator).map_err(|_| {
            ConfigError::new(
                place,
                format!(
                    "{} is wrong, must be a whole number with {name}",
                    quoted(text)
                ),
            )
        }),
        _ => Err(ConfigError::new(
            &place,
            format!("must be exactly one whole number with {name}"),
        )),
    };
    match name {
        other if !operators.contains(&other) => {
            Err(wrong(&fields.place.key("operator"), &other.into(), &right))
        }
        "In" => some_or(Operator::In),
        "NotIn" => some_or(Operator::NotIn),
        "Exists" => none_or(Operator::Exists),
        "DoesNotExist" => none_or(Operator::DoesNotExist),
        "Gt" => bound(Operator::Gt),
        _ => bound(Operator::Lt),
    }
}

/// A `LabelSelector`: all must hold; one without conditions selects everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LabelSelector(Vec<Requirement>);

impl LabelSelector {
    pub(super) fn read(value: &Value, place: Place) -> Result<Self, ConfigError> {
        let right = "a label selector like {\"matchLabels\": {\"pool\": \"blue\"}}";
        let fields = Fields::of(value, place, right)?.only(&["matchLabels", "matchExpressions"])?;
        let mut all = Vec::new();
        if let Some((labels, place)) = fields.get("matchLabels") {
            for (key, value) in
                Fields::of(labels, place.clone(), "labels like {\"pool\": \"blue\"}")?.members()
            {
                all.push(match_label(key, value, &place)?);
            }
        }
        for (item, place) in fields.list(
            "matchExpressions",
            "[{\"key\": \"pool\", \"operator\": \"Exists\"}]",
        )? {
            all.push(Requirement::read(item, place, &OF_LABELS)?);
        }
        Ok(Self(all))
    }

    pub(super) fn matches(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| requirement.matches(labels))
    }
}

fn match_label(key: &str, value: &Value, place: &Place) -> Result<Requirement, ConfigError> {
    let place = place.key(key);
    let right = "a label's value: at most 63 letters, digits, '-', '_' and '.'";
    match value.as_str() {
        _ if !is_key(key) => Err(ConfigError::new(&place, "is no label's name")),
        Some(text) if text.is_empty() || is_name(text) => Ok(Requirement::equal(key, text)),
        _ => Err(wrong(&place, value, right)),
    }
}

/// `[prefix/]name`.
fn is_key(text: &str) -> bool {
    let (prefix, name) = text
        .split_once('/')
        .map_or((None, text), |(prefix, name)| (Some(prefix), name));
    let domain = |prefix: &str| prefix.len() <= 253 && prefix.split('.').all(crate::api::is_label);
    is_name(name) && prefix.is_none_or(domain)
}

fn is_name(text: &str) -> bool {
    let ends = |c: char| c.is_ascii_alphanumeric();
    let inner = |c: char| ends(c) || matches!(c, '-' | '_' | '.');
    (1..=63).contains(&text.len())
        && text.starts_with(ends)
        && text.ends_with(ends)
        && text.chars().all(inner)
}
