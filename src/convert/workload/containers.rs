//! Extended resources of the containers of a pod.

use serde_json::Value;

use super::super::pools::Pools;
use crate::{pool::PoolName, selector::Quantity};

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

/// Extended resources of a container, that is names with a domain.
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

/// The number of devices of a quantity; `None` if it is no number of devices.
fn count(value: &Value) -> Option<u64> {
    let quantity = match value {
        Value::String(text) => Quantity::parse(text.trim()),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    };
    u64::try_from(quantity?.whole()?).ok()
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

/// An amount of a pool's devices that the API server refuses.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::convert) struct OddAmount {
    /// `app.limits[intel.com/sriov]`.
    pub(in crate::convert) at: String,
    pub(in crate::convert) value: Value,
    pub(in crate::convert) why: &'static str,
}

/// Amounts of pools that are no number of devices, or are not limits.
pub(in crate::convert) fn odd_amounts(pod: &Value, pools: &Pools) -> Vec<OddAmount> {
    let of = |(_, container): (bool, &Value)| {
        let all = resources(container).into_iter();
        let all = all.filter(|(resource, _)| pools.by_resource(resource).is_some());
        all.filter_map(|(resource, value)| odd_amount(container, &resource, value))
            .collect::<Vec<_>>()
    };
    all(pod).flat_map(of).collect()
}

fn odd_amount(container: &Value, resource: &str, value: Value) -> Option<OddAmount> {
    let of = |kind: &str| container["resources"][kind].get(resource);
    let differs = of("requests").is_some_and(|it| count(it) != count(&value));
    let (kind, why) = match (count(&value), of("limits")) {
        (None, Some(_)) => ("limits", "must be a whole number of devices"),
        (_, None) => ("requests", "needs limits of the same number"),
        (Some(_), Some(_)) if differs => ("limits", "differs from requests"),
        (Some(_), Some(_)) => return None,
    };
    let at = format!("{}.{kind}[{resource}]", name(container));
    Some(OddAmount { at, value, why })
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
    fn amounts_are_limits_and_equal_to_requests() {
        let why = |resources: Value| {
            let container = json!({"name": "app", "resources": resources});
            let value = resources["limits"]
                .get("a/b")
                .or(resources["requests"].get("a/b"));
            odd_amount(&container, "a/b", value.unwrap().clone()).map(|odd| (odd.at, odd.why))
        };
        let odd = |at: &str, why| Some((at.to_owned(), why));
        assert_eq!(why(json!({"limits": {"a/b": 2}})), None);
        assert_eq!(
            why(json!({"limits": {"a/b": "2"}, "requests": {"a/b": 2}})),
            None
        );
        assert_eq!(
            why(json!({"limits": {"a/b": 2}, "requests": {"a/b": 1}})),
            odd("app.limits[a/b]", "differs from requests")
        );
        assert_eq!(
            why(json!({"requests": {"a/b": 1}})),
            odd("app.requests[a/b]", "needs limits of the same number")
        );
        assert_eq!(
            why(json!({"limits": {"a/b": -1}})),
            odd("app.limits[a/b]", "must be a whole number of devices")
        );
    }

    #[test]
    fn amounts_are_read_as_kubernetes_reads_them() {
        for (value, right) in [
            (json!(2), Some(2)),
            (json!("2"), Some(2)),
            (json!(2.0), Some(2)),
            (json!("1k"), Some(1000)),
            (json!("1Ki"), Some(1024)),
            (json!("2000m"), Some(2)),
            (json!("2e0"), Some(2)),
            (json!("1G"), Some(1_000_000_000)),
            (json!("-1"), None),
            (json!(-1), None),
            (json!("1500m"), None),
            (json!(1.5), None),
            (json!("two"), None),
        ] {
            assert_eq!(count(&value), right, "{value}");
        }
    }
}
