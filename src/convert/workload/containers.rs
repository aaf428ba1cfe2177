//! Extended resources of the containers of a pod.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::pool::PoolName;

/// Devices of one pool that a container requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) container: String,
    pub(super) pool: PoolName,
    pub(super) count: u64,
}

/// All containers, init containers last: devices go to the long-running ones first.
fn all(pod: &Value) -> impl Iterator<Item = &Value> {
    ["containers", "initContainers"]
        .into_iter()
        .flat_map(|kind| pod["spec"][kind].as_array().into_iter().flatten())
}

fn name(container: &Value) -> String {
    container["name"].as_str().unwrap_or_default().to_owned()
}

/// The first container's name.
pub(super) fn first(pod: &Value) -> String {
    all(pod).next().map(name).unwrap_or_default()
}

/// Extended resources of a container, that is names with a domain. The API requires limits and
/// requests of them to be equal.
fn resources(container: &Value) -> Vec<(String, Value)> {
    let of = |kind: &str| {
        container["resources"][kind]
            .as_object()
            .cloned()
            .unwrap_or_default()
    };
    let mut all = of("requests");
    all.extend(of("limits"));
    all.into_iter()
        .filter(|(name, _)| name.contains('/') && !name.contains("kubernetes.io/"))
        .collect()
}

/// The number of devices of a quantity; `None` if it is not an integer.
fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn is_pool(pools: &BTreeSet<PoolName>, resource: &str) -> Option<PoolName> {
    pools
        .iter()
        .find(|pool| pool.to_string() == resource)
        .cloned()
}

/// Devices requested from known pools.
pub(super) fn demand(pod: &Value, pools: &BTreeSet<PoolName>) -> Vec<Demand> {
    let of = |container: &Value| {
        let one = |(resource, value): (String, Value)| {
            let (pool, count) = (is_pool(pools, &resource)?, count(&value)?);
            (count > 0).then(|| Demand {
                container: name(container),
                pool,
                count,
            })
        };
        resources(container)
            .into_iter()
            .filter_map(one)
            .collect::<Vec<_>>()
    };
    all(pod).flat_map(of).collect()
}

/// Resources that are not a known pool, or not an integer: container, resource, value.
pub(super) fn others(pod: &Value, pools: &BTreeSet<PoolName>) -> Vec<(String, String, Value)> {
    let of = |container: &Value| {
        let resources = resources(container).into_iter();
        let other = resources.filter(|(resource, value)| {
            is_pool(pools, resource).is_none() || count(value).is_none()
        });
        other
            .map(|(resource, value)| (name(container), resource, value))
            .collect::<Vec<_>>()
    };
    all(pod).flat_map(of).collect()
}
