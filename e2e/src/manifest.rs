//! Manifests: YAML with `${name}` where a scenario puts something of its own.

use anyhow::{Result, bail};

/// Puts the values in their places.
///
/// # Errors
/// A place without a value.
pub(crate) fn fill(yaml: &str, values: &[(&str, &str)]) -> Result<String> {
    let mut text = yaml.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    match text
        .split_once("${")
        .map(|(_, rest)| rest.split('}').next().unwrap_or_default())
    {
        Some(left) => bail!("no value for ${{{left}}}"),
        None => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_wants_a_value() {
        assert_eq!(
            fill("a: ${a}, b: ${a}", &[("a", "1")]).ok().as_deref(),
            Some("a: 1, b: 1")
        );
        assert_eq!(
            fill("a: ${a}", &[]).err().map(|e| e.to_string()).as_deref(),
            Some("no value for ${a}")
        );
    }
}
