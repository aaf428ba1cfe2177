//! What is wrong with a configuration.

use super::ConfigSource;

/// A configuration that is refused. Displays as `WHERE: FIELD: REASON`, e.g.
/// `claim config: vlan: 5000 is not a VLAN id, must be 0 to 4094`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {field}: {reason}")]
pub struct ConfigError {
    /// Whose configuration, as the user knows it.
    pub place: String,
    /// The field, as written.
    pub field: String,
    /// The value, why not, and what would be right.
    pub reason: String,
}

impl ConfigError {
    pub(super) fn new(
        source: ConfigSource,
        class: Option<&str>,
        field: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        let place = match (source, class) {
            (ConfigSource::Claim, _) => "claim config".to_owned(),
            (ConfigSource::Class, Some(class)) => format!("config of DeviceClass {class}"),
            (ConfigSource::Class, None) => "class config".to_owned(),
        };
        Self {
            place,
            field: field.into(),
            reason: reason.into(),
        }
    }
}
