//! Opaque configurations of this driver, validated as Prepare will validate them.

use super::{
    evaluate::Alternative,
    objects::{Config, Devices},
};
use crate::api::{self, ConfigSource, OpaqueConfig};

/// The requests that Prepare would reject: name and reason.
pub(super) fn errors(
    spec: &Devices,
    alternatives: &[Alternative<'_>],
    driver: &str,
) -> Vec<(String, String)> {
    let error = |alternative: &Alternative<'_>| {
        let of_class = alternative
            .class
            .iter()
            .flat_map(|class| &class.spec.config);
        let class = of_class.filter_map(|config| opaque(config, ConfigSource::Class, driver));
        let claim = spec
            .config
            .iter()
            .filter_map(|config| opaque(config, ConfigSource::Claim, driver));
        let configs: Vec<OpaqueConfig> = class.chain(claim).collect();
        let merged = api::merge(
            &alternative.name,
            Some(&alternative.spec.device_class_name),
            &configs,
            driver,
        );
        merged
            .err()
            .map(|error| (alternative.name.clone(), error.to_string()))
    };
    alternatives.iter().filter_map(error).collect()
}

fn opaque(config: &Config, source: ConfigSource, driver: &str) -> Option<OpaqueConfig> {
    let opaque = config
        .opaque
        .as_ref()
        .filter(|opaque| opaque.driver == driver)?;
    Some(OpaqueConfig {
        source,
        requests: config.requests.clone(),
        parameters: opaque.parameters.clone(),
    })
}
