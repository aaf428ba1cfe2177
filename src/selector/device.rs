//! A device as the input of selectors.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;
use serde_json::Value;

use super::quantity::Quantity;
use crate::api::Attribute;

/// The part of a published device that expressions can access.
#[derive(Debug, Clone, Copy)]
pub struct CelDevice<'a> {
    /// Name of the driver.
    pub driver: &'a str,
    /// By qualified name. A name without a domain is in the driver's domain.
    pub attributes: &'a BTreeMap<String, AttributeValue>,
    /// By qualified name.
    pub capacity: &'a BTreeMap<String, Capacity>,
    /// Whether several claims can share it.
    pub allow_multiple_allocations: bool,
}

/// An attribute's value.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// One of the four types.
    Known(Attribute),
    /// Of a type that this version does not know.
    Other(Value),
}

impl fmt::Display for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(Attribute::String(text)) => write!(f, "{text:?}"),
            Self::Known(known) => known.fmt(f),
            Self::Other(value) => value.fmt(f),
        }
    }
}

/// A capacity.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Capacity {
    /// The amount.
    pub value: Quantity,
}
