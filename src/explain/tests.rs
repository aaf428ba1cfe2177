//! A small cluster, a claim, and the reason that is reported to the user.

mod cases;
mod large;
mod more;
mod pods;
mod refused;

use serde_json::{Value, json};

use super::{Query, Report, Snapshot, explain};

const DRIVER: &str = "sriov-dra.io";
const VF: &str =
    r#"device.driver == "sriov-dra.io" && device.attributes["sriov-dra.io"].type == "vf""#;

/// A device of `node1`'s only PF, on NUMA node 0. `more` overrides its attributes.
fn device(name: &str, kind: &str, more: &Value) -> Value {
    let text = |text: &str| json!({"string": text});
    let mut attributes = json!({
        "type": text(kind), "vendor": text("8086"), "deviceID": text("154c"), "driver": text("iavf"), "pool": text(""),
        "pfName": text("ens1f0"), "linkSpeed": {"int": 10000}, "resource.kubernetes.io/numaNode": {"int": 0},
    });
    for (key, value) in more.as_object().into_iter().flatten() {
        attributes[key] = value.clone();
    }
    let takes = if kind == "pf" { "8" } else { "1" };
    json!({
        "name": name, "attributes": attributes,
        "consumesCounters": [{"counterSet": "pf-0000-3b-00-0", "counters": {"vfs": {"value": takes}}}],
    })
}

/// VF by index.
fn vf(index: usize) -> Value {
    device(&format!("0000-3b-02-{index}"), "vf", &json!({}))
}

/// VFs 0 to `count` - 1, each changed by its index.
fn vfs(count: usize, change: impl Fn(usize, &mut Value)) -> Vec<Value> {
    let one = |index| {
        let mut vf = vf(index);
        change(index, &mut vf);
        vf
    };
    (0..count).map(one).collect()
}

/// The slices of `node`: the devices, and the PF's counters.
fn node(node: &str, devices: &[Value]) -> Value {
    let slice = |name: &str, content: (&str, Value)| {
        let pool = json!({"name": node, "generation": 1, "resourceSliceCount": 2});
        let mut spec = json!({"driver": DRIVER, "nodeName": node, "pool": pool});
        spec[content.0] = content.1;
        json!({"kind": "ResourceSlice", "metadata": {"name": format!("{name}-{node}")}, "spec": spec})
    };
    let counters = json!([{"name": "pf-0000-3b-00-0", "counters": {"vfs": {"value": "8"}}}]);
    json!({"kind": "List", "items": [slice("0", ("sharedCounters", counters)), slice("1", ("devices", json!(devices)))]})
}

fn class(name: &str, expression: &str) -> Value {
    let selectors = json!([{"cel": {"expression": expression}}]);
    json!({"kind": "DeviceClass", "metadata": {"name": name}, "spec": {"selectors": selectors}})
}

/// Claim `shop/net` with these `spec.devices`.
fn claim(devices: &Value) -> Value {
    json!({"kind": "ResourceClaim", "metadata": {"namespace": "shop", "name": "net"}, "spec": {"devices": devices}})
}

/// Claim `shop/net` with one request `nic` of class `vf`, changed by `more`.
fn one(more: &Value) -> Value {
    let mut exactly = json!({"deviceClassName": "vf", "allocationMode": "ExactCount", "count": 1});
    for (key, value) in more.as_object().into_iter().flatten() {
        exactly[key] = value.clone();
    }
    claim(&json!({"requests": [{"name": "nic", "exactly": exactly}]}))
}

/// Another claim that holds a device of `node1`, and the pod that uses it.
fn holding(name: &str, pod: &str, device: &str) -> Value {
    let result = json!({"request": "nic", "driver": DRIVER, "pool": "node1", "device": device});
    json!({
        "kind": "ResourceClaim", "metadata": {"namespace": "shop", "name": name},
        "status": {
            "allocation": {"devices": {"results": [result]}},
            "reservedFor": [{"resource": "pods", "name": pod, "uid": "u"}],
        },
    })
}

/// The report on `shop/net`.
fn report_of(objects: impl IntoIterator<Item = Value>) -> Report {
    report_on("shop/net", objects)
}

fn report_on(what: &str, objects: impl IntoIterator<Item = Value>) -> Report {
    let snapshot = Snapshot::read(objects).expect("the objects are well formed");
    explain(&snapshot, &Query::read(what, "default"), DRIVER).expect("the target exists")
}

/// The cause's code, and the headline.
fn line(report: &Report) -> String {
    format!(
        "{}: {}",
        report.cause.as_ref().map_or("none", |cause| cause.code),
        report.headline()
    )
}

/// The rows, one per line.
fn rows(report: &Report) -> String {
    let row = |row: &super::Row| {
        let node = row.node.as_deref().unwrap_or("-");
        format!(
            "{} {node} {} {}: {}",
            row.request,
            row.verdict,
            row.devices.join(","),
            row.reason
        )
    };
    report.rows.iter().map(row).collect::<Vec<_>>().join("\n")
}
