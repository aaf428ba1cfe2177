//! **The user** asks `sriov-dra explain` why a selector does not match, which it answers without
//! the scheduler.
//!
//! **Must hold**: the real API server and the real scheduler judge each selector of
//! `e2e/fixtures/selectors.json` as that file says, to which `explain` is held by its own tests.

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use super::{Run, Scenario};
use crate::{
    eventually::{SLOW, eventually},
    kube::{self, items, text},
    lab::Lab,
    log::Log,
    node::Node,
    phantom,
    space::Space,
};

pub(super) const SCENARIO: Scenario = Scenario {
    letter: 'r',
    title: "selectors, as the scheduler judges them and `explain` does",
    run: Run::Lab(run),
};

const CORPUS: &str = include_str!("../../fixtures/selectors.json");
const CLASS: &str = "e2e-selectors";
/// Devices that a slice has at most.
const IN_A_SLICE: usize = 128;

fn run(lab: &Lab, _: &[Node], log: &Log) -> Result<()> {
    let corpus: Value = serde_json::from_str(CORPUS)?;
    let kinds = corpus["devices"].as_object().cloned().unwrap_or_default();
    for (kind, device) in &kinds {
        phantom::node(&format!("selectors-{kind}"), |node| {
            lab.space(log, &format!("e2e-r-{kind}"), |space| {
                publish(node, &corpus, device)?;
                let result = judge(node, space, &corpus, kind);
                let class =
                    kube::delete(&format!("/apis/resource.k8s.io/v1/deviceclasses/{CLASS}"));
                phantom::end_pods(space)?;
                result.and(class)
            })
        })?;
    }
    Ok(())
}

/// As many of the device as there are selectors, and a class for them.
fn publish(node: &str, corpus: &Value, device: &Value) -> Result<()> {
    let named = |number: usize| {
        let mut device = device.clone();
        device["name"] = json!(format!("d{number}"));
        device
    };
    let devices: Vec<Value> = (0..items(corpus, "/selectors").len()).map(named).collect();
    let pool = json!({"name": node, "generation": 1, "resourceSliceCount": devices.chunks(IN_A_SLICE).len()});
    let slice = |(number, devices): (usize, &[Value])| {
        let slice = json!({
            "apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": format!("{node}-{number}")},
            "spec": {"driver": corpus["driver"], "nodeName": node, "pool": pool, "devices": devices},
        });
        ("resourceslices", slice)
    };
    let guard = format!("device.driver == \"{}\"", text(corpus, "/driver"));
    let class = json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "DeviceClass", "metadata": {"name": CLASS},
        "spec": {"selectors": [{"cel": {"expression": guard}}]},
    });
    let slices = devices.chunks(IN_A_SLICE).enumerate().map(slice);
    for (kind, object) in slices.chain([("deviceclasses", class)]) {
        if let Err(why) = kube::create(&format!("/apis/resource.k8s.io/v1/{kind}"), &object)? {
            bail!("{kind}: {why}");
        }
    }
    Ok(())
}

fn judge(node: &str, space: &Space, corpus: &Value, kind: &str) -> Result<()> {
    let selectors = items(corpus, "/selectors");
    // All at once, so that they wait for the scheduler once.
    let asked: Vec<_> = (0..)
        .zip(selectors)
        .map(|(number, selector)| ask(node, space, number, text(selector, "/expression")))
        .collect();
    let wrong: Vec<String> = (0..)
        .zip(selectors.iter().zip(asked))
        .filter_map(|(number, (selector, asked))| {
            asked
                .and_then(|refused| {
                    agrees(refused.as_deref(), space, number, verdict(selector, kind))
                })
                .err()
                .map(|why| format!("{}: {why:#}", text(selector, "/name")))
        })
        .collect();
    ensure!(
        wrong.is_empty(),
        "{} of {} selectors:\n  {}",
        wrong.len(),
        selectors.len(),
        wrong.join("\n  ")
    );
    space.step(format!(
        "{kind}: {} selectors are judged as `explain` does",
        selectors.len()
    ));
    Ok(())
}

fn verdict<'a>(selector: &'a Value, kind: &str) -> &'a str {
    text(selector, &format!("/verdicts/{kind}"))
}

/// A claim with the selector and a pod that wants it; the server's message if it refuses the claim.
fn ask(node: &str, space: &Space, number: usize, expression: &str) -> Result<Option<String>> {
    let name = format!("s{number}");
    let exactly =
        json!({"deviceClassName": CLASS, "selectors": [{"cel": {"expression": expression}}]});
    let claim = json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": {"name": name},
        "spec": {"devices": {"requests": [{"name": "one", "exactly": exactly}]}},
    });
    if let Err(why) = kube::create(&kube::path("resourceclaims", &space.name, ""), &claim)? {
        return Ok(Some(why));
    }
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": node}, "tolerations": [{"operator": "Exists"}],
            "resourceClaims": [{"name": "one", "resourceClaimName": name}],
            "containers": [{"name": "main", "image": "none", "resources": {"claims": [{"name": "one"}]}}],
        },
    });
    match kube::create(&kube::path("pods", &space.name, ""), &pod)? {
        Ok(_) => Ok(None),
        Err(why) => bail!("pod {name}: {why}"),
    }
}

/// Waits for the scheduler's verdict and compares.
fn agrees(refused: Option<&str>, space: &Space, number: usize, expected: &str) -> Result<()> {
    if let Some(why) = refused {
        ensure!(
            expected == "invalid",
            "{expected} is expected, and the API server says: {why}"
        );
        return Ok(());
    }
    let pod = space.pod(&format!("s{number}"));
    let (is, why) = eventually(&format!("pod {} is judged", pod.name), SLOW, || {
        let pod = pod.get()?;
        let Some(scheduled) = items(&pod, "/status/conditions")
            .iter()
            .find(|c| text(c, "/type") == "PodScheduled")
        else {
            bail!("it is not");
        };
        let is = match (text(scheduled, "/status"), text(scheduled, "/reason")) {
            ("True", _) => "true",
            (_, "SchedulerError") => "error",
            _ => "false",
        };
        Ok((is, text(scheduled, "/message").to_owned()))
    })?;
    ensure!(
        is == expected,
        "{expected} is expected, and the scheduler says {is}: {why}"
    );
    Ok(())
}
