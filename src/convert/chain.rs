//! The CNI configuration of a network: one plugin, or a list of them.

use serde_json::Value;

use super::any_case;

/// A plugin, and where it is: `config`, `config.plugins[1]`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Link {
    pub(super) at: String,
    pub(super) plugin: Value,
}

impl Link {
    /// Its `type`.
    pub(super) fn kind(&self) -> &str {
        any_case::text(&self.plugin, "type")
    }
}

/// Why a configuration cannot be read: the value, the reason, what to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault(
    pub(super) String,
    pub(super) String,
    pub(super) &'static str,
);

/// The plugins of a NetworkAttachmentDefinition.
pub(super) fn of(nad: &Value) -> Result<Vec<Link>, Fault> {
    let spec = &nad["spec"];
    if let Some(why) = spec["fault"].as_str() {
        return Err(Fault(String::new(), why.to_owned(), "fix it in the object"));
    }
    let text = match &spec["config"] {
        Value::String(text) if !text.trim().is_empty() => text,
        Value::Null | Value::String(_) => {
            return Err(Fault(
                String::new(),
                "not set: the configuration is a file on each node".to_owned(),
                "set spec.config to the content of the file",
            ));
        }
        other => {
            let why = "not a text with JSON".to_owned();
            return Err(Fault(other.to_string(), why, "write it as a string"));
        }
    };
    let fault = |why: String| Fault(text.clone(), why, "fix it and convert again");
    match serde_json::from_str::<Value>(text) {
        Ok(config) if config.is_object() => links(&config).map_err(|why| fault(why.to_owned())),
        Ok(_) => Err(fault("not a JSON object".to_owned())),
        Err(error) => Err(fault(format!("invalid JSON: {error}"))),
    }
}

/// The plugins of a configuration.
pub(super) fn links(config: &Value) -> Result<Vec<Link>, &'static str> {
    let link = |at: String, plugin: &Value| Link {
        at,
        plugin: plugin.clone(),
    };
    let links = match any_case::get(config, "plugins") {
        Value::Null => vec![link("config".to_owned(), config)],
        Value::Array(list) => {
            let list = list.iter().enumerate();
            list.map(|(index, plugin)| link(format!("config.plugins[{index}]"), plugin))
                .collect()
        }
        _ => return Err("plugins is not a list"),
    };
    match links.is_empty() || links.iter().any(|link| link.kind().is_empty()) {
        true => Err("names no plugin: type is missing"),
        false => Ok(links),
    }
}
