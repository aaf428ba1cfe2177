//! Pools of config.json that take no device of a node, from the ConfigMaps and what is published.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    evaluate::Alternative,
    objects::{ConfigMap, Listed},
    snapshot::Snapshot,
};
use crate::{
    api::Attribute,
    pool::{Candidate, Config, Nearest},
    selector::AttributeValue,
};

/// The key of a ConfigMap for the nodes that have none of their own.
const FOR_ALL: &str = "config.json";

/// A pool that takes no device of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EmptyPoolView {
    /// `prefix/name`.
    pub pool: String,
    /// Name of the node.
    pub node: Option<String>,
    /// `nearest 0000:3b:00.0: devices is 101d, wanted 101e`.
    pub reason: String,
}

impl EmptyPoolView {
    /// `node1: pool intel.com/upf takes no device; nearest …`.
    #[must_use]
    pub fn line(&self) -> String {
        let node = self.node.as_ref().map(|node| format!("{node}: "));
        format!(
            "{}pool {} takes no device; {}",
            node.unwrap_or_default(),
            self.pool,
            self.reason
        )
    }
}

/// The pools that take no device, by node. Nodes that have no devices at all are not known here.
#[must_use]
pub fn empty_pools(snapshot: &Snapshot, driver: &str, prefix: &str) -> Vec<EmptyPoolView> {
    let mut nodes: BTreeMap<&str, Vec<Listed<'_>>> = BTreeMap::new();
    for listed in snapshot.devices() {
        if let Some(node) = listed.node.filter(|_| listed.driver == driver) {
            nodes.entry(node).or_default().push(listed);
        }
    }
    let of = |(node, devices): (&&str, &Vec<Listed<'_>>)| {
        let configs = snapshot.config_maps.iter();
        let texts = configs.filter_map(|map| of_node(map, node));
        let of_text = |text: &str| of_config(text, prefix, node, devices);
        texts.flat_map(of_text).collect::<Vec<_>>()
    };
    nodes.iter().flat_map(of).collect()
}

/// As the agent of the node reads it.
fn of_node<'m>(map: &'m ConfigMap, node: &str) -> Option<&'m str> {
    let text = map.data.get(node).or_else(|| map.data.get(FOR_ALL))?;
    Some(text)
}

fn of_config(text: &str, prefix: &str, node: &str, devices: &[Listed<'_>]) -> Vec<EmptyPoolView> {
    let Ok((config, _)) = Config::read(text, prefix) else {
        return Vec::new();
    };
    let candidates: Vec<Candidate> = devices.iter().filter_map(candidate).collect();
    let assignment = config.assign(&candidates);
    // What is published counts: a device under a claim stays in its pool.
    let has = |pool: &str| {
        devices
            .iter()
            .any(|listed| pool_of(listed).as_deref() == Some(pool))
    };
    let view = |pool: String, nearest: &Nearest| EmptyPoolView {
        pool,
        node: Some(node.to_owned()),
        reason: nearest.to_string(),
    };
    let empty = config.empty_pools(&candidates, &[], &assignment);
    let named = empty
        .iter()
        .map(|pool| (pool.pool.to_string(), &pool.nearest));
    named
        .filter(|(pool, _)| !has(pool))
        .map(|(pool, nearest)| view(pool, nearest))
        .collect()
}

fn candidate(listed: &Listed<'_>) -> Option<Candidate> {
    Candidate::published(&listed.device.name, |name| own(listed, name))
}

/// An attribute of the driver's own domain.
fn own(listed: &Listed<'_>, name: &str) -> Option<Attribute> {
    match listed.attribute(&format!("{}/{name}", listed.driver))? {
        AttributeValue::Known(value) => Some(value.clone()),
        AttributeValue::Other(_) => None,
    }
}

fn pool_of(listed: &Listed<'_>) -> Option<String> {
    match own(listed, "pool")? {
        Attribute::String(pool) => Some(pool),
        _ => None,
    }
}

/// What is to be said of the pools that the selectors name: a line for each, with the first node.
pub(super) fn notes(
    snapshot: &Snapshot,
    requests: &[Vec<Alternative<'_>>],
    driver: &str,
    prefix: &str,
) -> Vec<String> {
    if snapshot.config_maps.is_empty() {
        return Vec::new();
    }
    let named = |pool: &str| {
        let quoted = [format!("\"{pool}\""), format!("'{pool}'")];
        let mut expressions = requests.iter().flatten().flat_map(Alternative::expressions);
        expressions.any(|text| quoted.iter().any(|pool| text.contains(pool.as_str())))
    };
    let mut pools: BTreeMap<String, Vec<EmptyPoolView>> = BTreeMap::new();
    for view in empty_pools(snapshot, driver, prefix) {
        if named(&view.pool) {
            pools.entry(view.pool.clone()).or_default().push(view);
        }
    }
    pools.values().map(|views| note(views)).collect()
}

fn note(views: &[EmptyPoolView]) -> String {
    match views {
        [one] => one.line(),
        all => format!("{}; none on {} nodes in all", all[0].line(), all.len()),
    }
}
