//! Extended resources of the containers of a pod.

use serde_json::Value;

use super::super::pools::Pools;
use crate::pool::PoolName;

/// Devices of one pool that a container requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::convert) struct Demand {
    pub(in crate::convert) container: String,
    /// Whether it is an init container.
    pub(in crate::convert) init: bool,
    pub(in crate::convert) pool: PoolName,
    pub(in crate::convert) count: u64,
}

/// All containers, init containers last: devices go to the long-running ones first.
fn all(pod: &Value) -> impl Iterator<Item = (bool, &Value)> {
    [("containers", false), ("initContainers", true)]
        .into_iter()
        .flat_map(|(kind, init)| {
            let list = pod["spec"][kind].as_array().into_iter().flatten();
            list.map(move |container| (init, container))
        })
}

fn name(container: &Value) -> String {
    container["name"].as_str().unwrap_or_default().to_owned()
}

/// The first container's name.
pub(in crate::convert) fn first(pod: &Value) -> String {
    let first = all(pod).next();
    first
        .map(|(_, container)| name(container))
        .unwrap_or_default()
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
    const UNITS: [(&str, u64); 5] = [
        ("k", 1000),
        ("Ki", 1 << 10),
        ("M", 1_000_000),
        ("Mi", 1 << 20),
        ("", 1),
    ];
    let text = match value {
        Value::String(text) => text.trim(),
        value => return value.as_u64().or_else(|| whole(value.as_f64()?)),
    };
    let number = |(unit, factor): &(&str, u64)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(*factor)
    };
    let milli = || {
        let milli: u64 = text.strip_suffix('m')?.parse().ok()?;
        (milli.is_multiple_of(1000)).then_some(milli / 1000)
    };
    UNITS.iter().find_map(number).or_else(milli)
}

/// `2.0`, as some tools write numbers.
fn whole(number: f64) -> Option<u64> {
    let is_whole = number.fract() == 0.0 && (0.0..1e9).contains(&number);
    is_whole.then(|| format!("{number:.0}").parse().ok())?
}

/// Devices requested from known pools.
pub(in crate::convert) fn demand(pod: &Value, pools: &Pools) -> Vec<Demand> {
    let of = |(init, container): (bool, &Value)| {
        let one = |(resource, value): (String, Value)| {
            let (pool, count) = (pools.by_resource(&resource)?, count(&value)?);
            (count > 0).then(|| Demand {
                container: name(container),
                init,
                pool: pool.clone(),
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

/// Amounts of pools that are no integer: container, resource, value.
pub(super) fn odd_amounts(pod: &Value, pools: &Pools) -> Vec<(String, String, Value)> {
    let of = |(_, container): (bool, &Value)| {
        let odd = resources(container)
            .into_iter()
            .filter(|(resource, value)| {
                pools.by_resource(resource).is_some() && count(value).is_none()
            });
        odd.map(|(resource, value)| (name(container), resource, value))
            .collect::<Vec<_>>()
    };
    all(pod).flat_map(of).collect()
}

/// Resources of no known pool.
pub(super) fn others(pod: &Value, pools: &Pools) -> Vec<String> {
    let of = |(_, container): (bool, &Value)| resources(container);
    let names = all(pod).flat_map(of).map(|(resource, _)| resource);
    names
        .filter(|resource| pools.by_resource(resource).is_none())
        .collect()
}

/// Whether a container that requests devices has a claim as well.
pub(super) fn has_claims(pod: &Value, demand: &[Demand]) -> bool {
    all(pod).any(|(_, container)| {
        let claims = container["resources"]["claims"].as_array();
        let requests = demand.iter().any(|it| it.container == name(container));
        requests && claims.is_some_and(|claims| !claims.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_read_as_kubernetes_reads_them() {
        for (value, right) in [
            (json!(2), Some(2)),
            (json!("2"), Some(2)),
            (json!(2.0), Some(2)),
            (json!("1k"), Some(1000)),
            (json!("1Ki"), Some(1024)),
            (json!("2000m"), Some(2)),
            (json!("1500m"), None),
            (json!(1.5), None),
            (json!("two"), None),
        ] {
            assert_eq!(count(&value), right, "{value}");
        }
    }
}
