//! `additionalInfo`: further values for a pool's containers.

use std::collections::BTreeMap;

use super::{
    ConfigError, Warning,
    error::{Place, quoted},
    object::{Object, wrong},
};
use crate::{device::Bdf, go_json::Json};

type Texts = BTreeMap<String, String>;

const FORM: &str = "an object like {\"*\": {\"token\": \"abc\"}}";

/// The key of what is for all devices.
const ALL: &str = "*";

/// By PCI address as written, or `*` for all devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdditionalInfo(BTreeMap<String, Texts>);

impl AdditionalInfo {
    /// What a device's container gets: what is for all, and over it what is for this address. A
    /// sub-function goes by its parent's address.
    #[must_use]
    pub fn of(&self, pci: Bdf) -> BTreeMap<String, String> {
        let parts = [ALL.to_owned(), pci.to_string()]
            .into_iter()
            .filter_map(|key| self.0.get(&key));
        parts
            .flatten()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    /// Several objects of the name add up, as Go's maps do; null takes back all that was said
    /// before.
    pub(super) fn read(pool: &Object<'_>) -> Result<Option<Self>, ConfigError> {
        let mut info = None;
        for value in pool.all("additionalInfo") {
            match value {
                Json::Null => info = None,
                value => info
                    .get_or_insert_with(Self::default)
                    .add(value, pool.place.key("additionalInfo"))?,
            }
        }
        Ok(info)
    }

    fn add(&mut self, value: &Json, place: Place) -> Result<(), ConfigError> {
        let object = Object::of(value, place, FORM)?;
        for (address, entries) in object.members() {
            self.0
                .insert(address.clone(), texts(entries, object.place.key(address))?);
        }
        Ok(())
    }

    /// Addresses that no device has.
    pub(super) fn lint(&self, place: &Place) -> Vec<Warning> {
        let never = self
            .0
            .keys()
            .filter(|key| *key != ALL && key.parse::<Bdf>().is_err());
        let reason = |key: &str| {
            format!(
                "{} is never looked up, must be \"*\" or a PCI address like \"0000:3b:02.1\"",
                quoted(key)
            )
        };
        never
            .map(|key| Warning::new(&place.key("additionalInfo"), reason(key)))
            .collect()
    }
}

fn texts(value: &Json, place: Place) -> Result<Texts, ConfigError> {
    if *value == Json::Null {
        return Ok(Texts::new());
    }
    let object = Object::of(
        value,
        place,
        "an object of strings like {\"token\": \"abc\"}",
    )?;
    let text = |(key, value): &(String, Json)| match value {
        Json::Text(text) => Ok((key.clone(), text.clone())),
        Json::Null => Ok((key.clone(), String::new())),
        other => Err(wrong(&object.place.key(key), other, "a string, in quotes")),
    };
    object.members().iter().map(text).collect()
}
