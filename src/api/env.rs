//! `env`: variables of the container.

use serde_json::Value;

use super::{Settings, read::wrong};

/// What this driver says itself stands under these.
const OWN: [&str; 2] = ["PCIDEVICE_", "SRIOV_DRA_"];

/// Variables add up by name, over all entries: a claim that sets one leaves its class's others.
pub(super) fn read(settings: &mut Settings, value: &Value) -> Result<(), String> {
    let right = "an object of strings like {\"TOKEN\": \"abc\"}";
    for (name, text) in value.as_object().ok_or_else(|| wrong(value, right))? {
        let text = text
            .as_str()
            .ok_or_else(|| format!("{name}: {text} is wrong, must be a string, in quotes"))?;
        if let Some(fault) = name_fault(name).or_else(|| text_fault(text)) {
            return Err(format!("{name:?}: {fault}"));
        }
        settings.env.insert(name.clone(), text.to_owned());
    }
    Ok(())
}

/// Names are those that a pod's own `env` takes, but for those that begin with other signs.
fn name_fault(name: &str) -> Option<String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') || !name.chars().all(inner)
    {
        let right = "must be a letter or '_', and then letters, digits, '_', '-' and '.'";
        return Some(format!("is not a variable's name, {right}"));
    }
    let own = OWN.iter().find(|own| name.starts_with(**own));
    own.map(|own| format!("is reserved, names that begin with {own} are the driver's own"))
}

/// The kernel ends a variable at a NUL, and tools that list variables end it at a line's end.
fn text_fault(text: &str) -> Option<String> {
    let odd = text.contains(['\0', '\n', '\r']);
    odd.then(|| "has a NUL or a line's end in its value, must be one line".to_owned())
}
