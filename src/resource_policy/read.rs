//! From a policy's JSON to what it means.

use serde_json::Value;

use super::{
    Config, LabelSelector, NodeSelector, Policy,
    fields::Fields,
    filter::{Filter, Seen, VF},
};
use crate::pool::{ConfigError, Place, Refusal, Warning};

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

    /// The closest filter: how many of its conditions the device meets, and the first that it does
    /// not; `None`: the device matches.
    pub(super) fn refusal(&self, device: &Seen) -> Option<(usize, Refusal)> {
        if self.filters.is_empty() {
            let refusal = Refusal::new("deviceType", device.kind(), VF);
            return (!device.is(VF)).then_some((0, refusal));
        }
        let all: Option<Vec<(usize, Refusal)>> = self
            .filters
            .iter()
            .map(|filter| filter.refusal(device))
            .collect();
        // The first of those that are equally close.
        all?.into_iter().rev().max_by_key(|(met, _)| *met)
    }

    pub(super) fn matches(&self, device: &Seen) -> bool {
        match self.filters.is_empty() {
            true => device.is(VF),
            false => self.filters.iter().any(|filter| filter.matches(device)),
        }
    }
}
