//! The field `networkAttachmentDefinition`: a network whose settings are taken.

use serde_json::Value;

use super::ConfigSource;

/// A NetworkAttachmentDefinition that a configuration names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// `metadata.namespace`; none: the claim's.
    pub namespace: Option<String>,
    /// `metadata.name`.
    pub name: String,
    /// Who names it.
    pub source: ConfigSource,
}

/// The field's name.
pub(super) const NAME: &str = "networkAttachmentDefinition";

impl Definition {
    /// Reads the object.
    pub(super) fn read(value: &Value) -> Result<Self, String> {
        let right = "an object like {\"name\": \"blue\", \"namespace\": \"networks\"}";
        let wrong = || format!("{value} is wrong, must be {right}");
        let object = value.as_object().ok_or_else(wrong)?;
        if let Some(unknown) = object
            .keys()
            .find(|key| *key != "name" && *key != "namespace")
        {
            return Err(format!("unknown field {unknown:?}, must be {right}"));
        }
        let text = |key: &str| {
            let given = object.get(key);
            let text = given.map(|given| given.as_str().filter(|text| !text.is_empty()));
            text.map(|text| text.map(str::to_owned).ok_or_else(wrong))
                .transpose()
        };
        Ok(Self {
            namespace: text("namespace")?,
            name: text("name")?.ok_or_else(wrong)?,
            source: ConfigSource::Claim,
        })
    }

    /// Of a class, which serves claims of any namespace: whoever writes networks in theirs must not
    /// decide what it sets.
    pub(super) fn written_by(&mut self, source: ConfigSource) -> Result<(), String> {
        self.source = source;
        match (&self.namespace, source) {
            (None, ConfigSource::Class) => {
                Err("namespace: is not set, a DeviceClass has to name it".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// Namespace and name, for a claim of this namespace.
    ///
    /// # Errors
    /// The claim names a network of another one.
    pub fn of<'a>(&'a self, claim: &'a str) -> Result<(&'a str, &'a str), String> {
        match self.namespace.as_deref() {
            Some(other) if self.source == ConfigSource::Claim && other != claim => Err(format!(
                "namespace: {other:?} is not the claim's own, which is all that a claim may name"
            )),
            given => Ok((given.unwrap_or(claim), &self.name)),
        }
    }
}
