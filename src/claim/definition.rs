//! NetworkAttachmentDefinitions whose settings a claim's configurations take. Pure: the agent reads
//! them for Prepare.

use std::collections::BTreeSet;

use super::{AllocatedClaim, hash::fnv1a};
use crate::{
    api::{self, ConfigSource, Settings},
    ledger::Defined,
};

/// Namespace and name of those that the claim's configurations name. What is wrong in these is
/// found when the claim is prepared.
#[must_use]
pub fn definitions_of(claim: &AllocatedClaim, driver: &str) -> BTreeSet<(String, String)> {
    let named = claim.devices.iter().filter_map(|device| {
        let class = device.class.as_deref();
        let settings = api::merge(&device.request, class, &claim.configs, driver).ok()?;
        let definition = settings.definition?;
        let (namespace, name) = definition.of(&claim.claim.namespace).ok()?;
        Some((namespace.to_owned(), name.to_owned()))
    });
    named.collect()
}

/// Lays the settings of the network below those of the configuration. Returns which it is, and why
/// the device cannot be prepared with it: what is prepared already is not concerned by that.
pub(super) fn lay(
    claim: &AllocatedClaim,
    settings: &mut Settings,
) -> (Option<Defined>, Option<String>) {
    let Some(definition) = settings.definition.clone() else {
        return (None, None);
    };
    let (namespace, name) = match definition.of(&claim.claim.namespace) {
        Ok(named) => named,
        Err(reason) => return (None, Some(format!("networkAttachmentDefinition: {reason}"))),
    };
    let nad = format!("{namespace}/{name}");
    let joined = match claim.definitions.get(&nad) {
        None => Err("was not read".to_owned()),
        Some(Err(reason)) => Err(reason.clone()),
        Some(Ok(of_nad)) if of_nad.ipam.is_some() && definition.source == ConfigSource::Claim => {
            Err(
                "has an IPAM plugin, which only a DeviceClass may ask for, never a claim"
                    .to_owned(),
            )
        }
        Some(Ok(of_nad)) => settings
            .join(
                &format!("NetworkAttachmentDefinition {nad}"),
                of_nad.clone(),
            )
            .map_err(|reason| format!("conflicts with the config: {reason}")),
    };
    let fault = joined.err();
    let fault = fault.map(|reason| format!("networkAttachmentDefinition: {nad}: {reason}"));
    let configs = serde_json::to_vec(&claim.configs).unwrap_or_default();
    let defined = Defined {
        nad,
        configs: format!("{:016x}", fnv1a(&configs)),
        unknown: Default::default(),
    };
    (Some(defined), fault)
}
