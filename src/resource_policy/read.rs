//! From a policy's JSON to what it means.

use serde_json::Value;

use super::{
    Config, LabelSelector, NodeSelector, Policy,
    fields::Fields,
    filter::{Filter, Seen, VF},
};
use crate::pool::{ConfigError, Place, Warning};

impl Policy {
    /// Reads `spec`.
    pub(super) fn read(spec: &Value) -> Result<(Self, Vec<Warning>), ConfigError> {
        let fields = Fields::of(
            spec,
            Place::at("spec"),
            "an object like {\"configs\": [...]}",
        )?;
        let fields = fields.only(&["nodeSelector", "configs"])?;
        let nodes = fields
            .get("nodeSelector")
            .map(|(value, place)| NodeSelector::read(value, place))
            .transpose()?;
        let (mut configs, mut warnings) = (Vec::new(), Vec::new());
        for (item, place) in fields.list("configs", "[{\"resourceFilters\": [...]}]")? {
            configs.push(Config::read(item, place, &mut warnings)?);
        }
        Ok((Self { nodes, configs }, warnings))
    }
}

impl Config {
    fn read(value: &Value, place: Place, warnings: &mut Vec<Warning>) -> Result<Self, ConfigError> {
        let fields = Fields::of(value, place, "an object like {\"resourceFilters\": [...]}")?;
        let fields = fields.only(&["deviceAttributesSelector", "resourceFilters"])?;
        let selector = fields.get("deviceAttributesSelector");
        let attributes = selector
            .map(|(value, place)| LabelSelector::read(value, place))
            .transpose()?;
        let mut filters = Vec::new();
        for (item, place) in fields.list("resourceFilters", "[{\"vendors\": [\"8086\"]}]")? {
            let (filter, odd) = Filter::read(item, place)?;
            filters.push(filter);
            warnings.extend(odd);
        }
        Ok(Self {
            filters,
            attributes,
        })
    }

    pub(super) fn matches(&self, device: &Seen) -> bool {
        match self.filters.is_empty() {
            true => device.is(VF),
            false => self.filters.iter().any(|filter| filter.matches(device)),
        }
    }
}
