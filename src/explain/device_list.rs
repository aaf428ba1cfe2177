//! All devices of a driver in the cluster, and which claims hold them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::{
    holders::Holders,
    objects::{AllocationResult, Claim, Listed, or_default},
    snapshot::Snapshot,
    taint,
};
use crate::{api::Attribute, selector::AttributeValue};

/// One device of the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceView {
    /// The node of the device; `None`: all nodes.
    pub node: Option<String>,
    /// Its name in slices.
    pub device: String,
    /// The claim that holds it, `namespace/name`.
    pub claim: Option<String>,
    /// The pods for which the claim is reserved, `namespace/name`.
    pub pods: Vec<String>,
    /// Its taints, own and from DeviceTaintRules, `key=value:effect`.
    pub taints: Vec<String>,
    /// Whether it is in a slice. If not, it is only known from the claim that holds it.
    pub published: bool,
    /// As published; attributes of the driver's own domain without the domain.
    pub attributes: BTreeMap<String, Value>,
}

impl DeviceView {
    /// A string attribute; empty if absent.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.attributes
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// An integer attribute.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.attributes.get(name).and_then(Value::as_i64)
    }

    /// Whether it is a VF or SF of a PF.
    #[must_use]
    pub fn is_part(&self) -> bool {
        let (own, pf) = (self.text("pciAddress"), self.text("pfPciAddress"));
        self.text("type") == "sf" || (!pf.is_empty() && own != pf)
    }
}

/// Lists a driver's devices by node, each PF followed by its VFs and SFs by index. Includes
/// devices that a claim still holds though no slice has them any more.
#[must_use]
pub fn devices(snapshot: &Snapshot, driver: &str) -> Vec<DeviceView> {
    let all = snapshot.devices();
    let holders = Holders::of(snapshot, &all, None);
    let ours = all.iter().filter(|listed| listed.driver == driver);
    let mut views: Vec<DeviceView> = ours
        .map(|listed| view(listed, holders.of_device(listed), snapshot))
        .collect();
    views.extend(unpublished(snapshot, &all, driver));
    views.sort_by(|one, other| key(one).cmp(&key(other)));
    views
}

fn view(listed: &Listed<'_>, holder: Option<&Claim>, snapshot: &Snapshot) -> DeviceView {
    let own = |name: &str| {
        name.strip_prefix(listed.driver)
            .and_then(|rest| rest.strip_prefix('/'))
            .map(str::to_owned)
    };
    let attributes = &listed.device.attributes;
    DeviceView {
        node: listed.node.map(str::to_owned),
        device: listed.device.name.clone(),
        claim: holder.map(Claim::path),
        pods: holder.map(pods).unwrap_or_default(),
        taints: taint::untolerated(listed, &snapshot.rules, &[])
            .iter()
            .map(ToString::to_string)
            .collect(),
        published: true,
        attributes: attributes
            .iter()
            .map(|(name, datum)| (own(name).unwrap_or(name.clone()), value(datum)))
            .collect(),
    }
}

fn pods(claim: &Claim) -> Vec<String> {
    let namespace = or_default(&claim.metadata.namespace);
    claim
        .status
        .reserved_for
        .iter()
        .map(|consumer| format!("{namespace}/{}", consumer.name))
        .collect()
}

fn value(datum: &AttributeValue) -> Value {
    match datum {
        AttributeValue::Known(Attribute::String(text) | Attribute::Version(text)) => {
            text.as_str().into()
        }
        AttributeValue::Known(Attribute::Int(number)) => (*number).into(),
        AttributeValue::Known(Attribute::Bool(value)) => (*value).into(),
        AttributeValue::Other(value) => value.clone(),
    }
}

/// Devices that are allocated but in no slice. Pools of this driver have the name of their node.
fn unpublished(snapshot: &Snapshot, all: &[Listed<'_>], driver: &str) -> Vec<DeviceView> {
    let in_slices: BTreeSet<_> = all.iter().map(Listed::name).collect();
    let lost = |result: &&AllocationResult| {
        result.device.driver == driver
            && !result.admin_access
            && !in_slices.contains(&result.device.borrowed())
    };
    let of = |claim: &Claim, result: &AllocationResult| DeviceView {
        node: Some(result.device.slice_pool.clone()),
        device: result.device.device.clone(),
        claim: Some(claim.path()),
        pods: pods(claim),
        taints: Vec::new(),
        published: false,
        attributes: BTreeMap::new(),
    };
    let held = |claim: &Claim| -> Vec<DeviceView> {
        let results = claim
            .status
            .allocation
            .iter()
            .flat_map(|allocation| &allocation.devices.results);
        results
            .filter(lost)
            .map(|result| of(claim, result))
            .collect()
    };
    snapshot.claims.iter().flat_map(held).collect()
}

/// Sort key. `pfPciAddress` groups a PF with its VFs; `None` sorts before any index.
fn key(view: &DeviceView) -> (Option<&str>, bool, &str, bool, bool, Option<i64>, &str) {
    let is_sf = view.text("type") == "sf";
    (
        view.node.as_deref(),
        !view.published,
        view.text("pfPciAddress"),
        view.is_part(),
        is_sf,
        view.number("index"),
        &view.device,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(view: &DeviceView) -> String {
        format!(
            "{} {} {} {}",
            view.device,
            view.claim.as_deref().unwrap_or("-"),
            view.pods.join(","),
            view.taints.join(",")
        )
    }

    #[test]
    fn lists_holders_taints_of_rules_and_devices_in_no_slice() {
        let driver = "sriov-dra.io";
        let result = |device: &str, admin: bool| json!({"request": "r", "driver": driver, "pool": "n1", "device": device, "adminAccess": admin});
        let claim = |name: &str, results: serde_json::Value, pods: serde_json::Value| {
            json!({"kind": "ResourceClaim", "metadata": {"namespace": "shop", "name": name},
                "status": {"allocation": {"devices": {"results": results}}, "reservedFor": pods}})
        };
        let vf = |index: i64| {
            json!({"name": format!("0000-3b-02-{index}"), "attributes": {"type": {"string": "vf"}, "index": {"int": index},
                "pciAddress": {"string": format!("0000:3b:02.{index}")}, "pfPciAddress": {"string": "0000:3b:00.0"}}})
        };
        let objects = [
            claim(
                "a",
                json!([result("0000-3b-02-1", false)]),
                json!([{"name": "p"}, {"name": "q"}]),
            ),
            claim(
                "b",
                json!([result("0000-3b-02-0", true)]),
                json!([{"name": "watcher"}]),
            ),
            claim("c", json!([result("0000-3b-02-7", false)]), json!([])),
            json!({"kind": "ResourceSlice", "metadata": {"name": "s"}, "spec": {"driver": driver, "nodeName": "n1",
                "pool": {"name": "n1", "generation": 1, "resourceSliceCount": 1}, "devices": [vf(1), vf(0)]}}),
            json!({"kind": "ResourceSlice", "metadata": {"name": "t"}, "spec": {"driver": "gpu.example.com", "nodeName": "n1",
                "pool": {"name": "n1", "generation": 1, "resourceSliceCount": 1}, "devices": [{"name": "gpu"}]}}),
            json!({"kind": "DeviceTaintRule", "metadata": {"name": "work"}, "spec": {
                "deviceSelector": {"driver": driver, "device": "0000-3b-02-0"},
                "taint": {"key": "example.com/work", "value": "cable", "effect": "NoExecute"}}}),
        ];
        let all = devices(&Snapshot::read(objects).unwrap(), driver);
        let lines: Vec<String> = all.iter().map(line).collect();
        assert_eq!(
            lines,
            [
                "0000-3b-02-0 -  example.com/work=cable:NoExecute",
                "0000-3b-02-1 shop/a shop/p,shop/q ",
                "0000-3b-02-7 shop/c  ",
            ]
        );
        assert_eq!(
            all.iter().map(|view| view.published).collect::<Vec<_>>(),
            [true, true, false]
        );
    }
}
