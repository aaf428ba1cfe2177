//! Fields that a later version has added to a record: kept when this version writes it again.

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
    ops::{Deref, DerefMut},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The fields of a JSON object that this version does not know, flattened into whatever has them;
/// none in what this version creates.
///
/// All are equal: whether a claim stands as it is wanted, or a record has changed, is decided by
/// what this version knows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unknown(BTreeMap<String, Value>);

impl PartialEq for Unknown {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Unknown {}

/// A value of a type that is not the ledger's own, as a record has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept<T> {
    // Before the rest: it takes its own fields out of them.
    #[serde(flatten)]
    value: T,
    #[serde(flatten)]
    unknown: Unknown,
}

impl<T> From<T> for Kept<T> {
    fn from(value: T) -> Self {
        Self {
            value,
            unknown: Unknown::default(),
        }
    }
}

impl<T> Deref for Kept<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Kept<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: PartialEq> PartialEq<T> for Kept<T> {
    fn eq(&self, other: &T) -> bool {
        self.value == *other
    }
}

impl<T: Display> Display for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
