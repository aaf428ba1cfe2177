//! Large clusters: the report stays small.

use serde_json::json;

use super::*;

/// 300 nodes with 8 devices: seven VFs, of which one is tainted and two are held by a claim each,
/// and a PF.
fn large(claim: Value) -> Report {
    let taint = json!([{"key": "sriov-dra.io/link-down", "effect": "NoSchedule"}]);
    let one = |index: usize| {
        let mut devices = vfs(7, |vf, device| {
            device["attributes"]["pool"] =
                json!({"string": if vf < 5 { "intel.com/upf" } else { "" }});
            device["attributes"]["resource.kubernetes.io/numaNode"] =
                json!({"int": (vf + index) % 2});
            if vf == 4 {
                device["taints"] = taint.clone();
            }
        });
        devices.push(device("0000-3b-00-0", "pf", &json!({})));
        let held = |vf: usize| {
            let mut claim = holding(
                &format!("c{index}-{vf}"),
                &format!("p{index}-{vf}"),
                &format!("0000-3b-02-{vf}"),
            );
            claim["status"]["allocation"]["devices"]["results"][0]["pool"] =
                format!("n{index:03}").into();
            claim
        };
        [node(&format!("n{index:03}"), &devices), held(0), held(1)]
    };
    let wanted = VF.to_owned() + r#" && device.attributes["sriov-dra.io"].pool == "intel.com/upf""#;
    report_of((0..300).flat_map(one).chain([class("vf", &wanted), claim]))
}

#[test]
fn every_reason_is_one_line_however_many_nodes_there_are() {
    let mut claim = one(&json!({"count": 2}));
    claim["spec"]["devices"]["constraints"] =
        json!([{"matchAttribute": "resource.kubernetes.io/numaNode"}]);
    let report = large(claim);
    insta::assert_json_snapshot!(report.funnel, @r#"
    [
      {
        "request": "nic",
        "nodes": 300,
        "devices": 2400,
        "class": 2100,
        "pool": 1500,
        "selectors": 1500,
        "free": 600,
        "oneNode": 2,
        "constraints": 1,
        "needed": 2
      }
    ]
    "#);
    insta::assert_json_snapshot!(report.reasons, @r#"
    [
      {
        "request": "nic",
        "verdict": "fits",
        "devices": 600,
        "nodes": 300,
        "node": null,
        "example": "0000-3b-02-2",
        "reason": "matches and is available"
      },
      {
        "request": "nic",
        "verdict": "taint",
        "devices": 300,
        "nodes": 300,
        "node": null,
        "example": "0000-3b-02-4",
        "reason": "untolerated taint: sriov-dra.io/link-down:NoSchedule"
      },
      {
        "request": "nic",
        "verdict": "held",
        "devices": 600,
        "nodes": 300,
        "node": null,
        "example": "0000-3b-02-0",
        "reason": "allocated to claim shop/c0-0 (pod p0-0), claim shop/c0-1 (pod p0-1), claim shop/c1-0 (pod p1-0) and 597 more"
      },
      {
        "request": "nic",
        "verdict": "selector",
        "devices": 600,
        "nodes": 300,
        "node": null,
        "example": "0000-3b-02-5",
        "reason": "class vf, selector 0: device.attributes[\"sriov-dra.io\"].pool == \"intel.com/upf\" is false (pool=\"\")"
      },
      {
        "request": "nic",
        "verdict": "selector",
        "devices": 300,
        "nodes": 300,
        "node": null,
        "example": "0000-3b-00-0",
        "reason": "class vf, selector 0: device.attributes[\"sriov-dra.io\"].type == \"vf\" is false (type=\"pf\")"
      }
    ]
    "#);
    assert_eq!(report.constraints.len(), 300, "programs get every node");
}

#[test]
fn a_class_that_does_not_exist_takes_no_device() {
    let report = report_of([one(&json!({})), node("node1", &vfs(2, |_, _| {}))]);
    assert_eq!((report.funnel[0].devices, report.funnel[0].class), (2, 0));
    assert!(
        report.rows.is_empty() && report.reasons.is_empty(),
        "{report:?}"
    );
}

#[test]
fn a_selector_error_on_many_nodes_is_one_note() {
    let report = |more: usize| {
        let good = (0..=more).map(|index| node(&format!("a{index}"), &vfs(1, |_, _| {})));
        let bad = (0..=more).map(|index| {
            let without = |_, vf: &mut Value| {
                vf["attributes"]
                    .as_object_mut()
                    .unwrap()
                    .remove("linkSpeed");
            };
            node(&format!("b{index}"), &vfs(1, without))
        });
        let fast = VF.to_owned() + r#" && device.attributes["sriov-dra.io"].linkSpeed >= 10000"#;
        report_of(good.chain(bad).chain([class("vf", &fast), one(&json!({}))]))
    };
    assert_eq!(report(0).notes.len(), 1);
    let notes = report(20).notes;
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].ends_with("; the same holds for 20 other nodes"),
        "{notes:?}"
    );
}

#[test]
fn an_empty_pool_is_explained_from_its_config_map() {
    let map = |config: &str| json!({"kind": "ConfigMap", "metadata": {"name": "pools"}, "data": {"config.json": config, "n001": r#"{"resourceList": []}"#}});
    let selectors = r#"{"vendors": ["8086"], "devices": ["1889"]}"#;
    let config = format!(
        r#"{{"resourceList": [{{"resourceName": "upf", "selectors": {selectors}}}, {{"resourceName": "other", "selectors": {selectors}}}]}}"#
    );
    let wanted = VF.to_owned() + r#" && device.attributes["sriov-dra.io"].pool == "intel.com/upf""#;
    let notes = |nodes: &[&str], map: Value| {
        let nodes = nodes.iter().map(|name| node(name, &vfs(2, |_, _| {})));
        let objects = nodes.chain([class("vf", &wanted), one(&json!({})), map]);
        report_of(objects.collect::<Vec<_>>()).notes
    };
    let nearest = "n000: pool intel.com/upf takes no device; nearest 0000:3b:02.0: devices is 154c, wanted 1889";
    assert_eq!(
        notes(&["n000", "n001"], map(&config)),
        [nearest],
        "n001 has a key of its own"
    );
    assert_eq!(
        notes(&["n000", "n002", "n003"], map(&config)),
        [format!("{nearest}; none on 3 nodes in all")]
    );
    assert_eq!(
        notes(&["n000"], json!({"kind": "ConfigMap", "data": {"a": "b"}})),
        [""; 0]
    );
}
