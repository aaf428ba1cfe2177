//! What is wrong with a configuration, and what is odd in one.

pub(crate) use crate::go_json::quoted;

/// A configuration that is refused as a whole. One line, `PLACE: REASON`, e.g.
/// `resourceList[1].resourceName: "a b" is wrong, must be letters, digits, '-' and '_'`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ConfigError {
    /// Where: a path in the document, or line and column of text that is not JSON.
    pub place: String,
    /// The value, why not, and what would be right.
    pub reason: String,
}

impl ConfigError {
    pub(crate) fn new(place: &Place, reason: impl Into<String>) -> Self {
        Self {
            place: place.to_string(),
            reason: reason.into(),
        }
    }
}

/// Something that is taken as the device plugin takes it, and that its author hardly meant. One
/// line, as [`ConfigError`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Warning {
    /// A path in the document.
    pub place: String,
    /// The value, what becomes of it, and what would be right.
    pub reason: String,
}

impl Warning {
    pub(crate) fn new(place: &Place, reason: impl Into<String>) -> Self {
        Self {
            place: place.to_string(),
            reason: reason.into(),
        }
    }
}

/// A path in the document: `resourceList[1].selectors[0].vendors[2]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place(String);

impl Place {
    pub(crate) fn root() -> Self {
        Self(String::new())
    }

    pub(crate) fn at(path: &str) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn key(&self, key: &str) -> Self {
        let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match (plain, self.0.is_empty()) {
            (true, true) => Self(key.to_owned()),
            (true, false) => Self(format!("{self}.{key}")),
            (false, _) => Self(format!("{}[{}]", self.0, quoted(key))),
        }
    }

    pub(crate) fn item(&self, index: usize) -> Self {
        Self(format!("{self}[{index}]"))
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_empty() { "config" } else { &self.0 })
    }
}
