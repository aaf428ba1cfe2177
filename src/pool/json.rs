//! A `config.json`, and where it is no JSON.

use super::{
    ConfigError,
    error::{Place, quoted},
};
use crate::go_json::Json;

/// Reads a document. The error names line, column, and what is there.
pub(super) fn parse(text: &str) -> Result<Json, ConfigError> {
    serde_json::from_str(text).map_err(|error| broken(text, &error))
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
