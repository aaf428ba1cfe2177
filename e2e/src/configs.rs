//! The table of claim configs, good and bad, that parser and admission policy are both held to.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{command, kube::text};

const TABLE: &str = include_str!("../fixtures/claim-configs.json");

/// Sends every row to the API server as each kind of object that can have it, as a dry run. Returns
/// how many there were.
pub(crate) fn admission_follows_the_table() -> Result<usize> {
    let rows: Vec<Value> = serde_json::from_str(TABLE)?;
    let objects_sent: Vec<_> = rows
        .iter()
        .enumerate()
        .flat_map(|(number, row)| objects(number, row))
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": objects_sent.iter().map(|(o, _)| o).collect::<Vec<_>>()});
    let answer = command::answer(
        "kubectl",
        &["create", "--dry-run=server", "-f", "-"],
        &list.to_string(),
    )?;
    let refusals: Vec<&str> = answer
        .err
        .lines()
        .filter(|line| line.contains("denied request: "))
        .collect();
    for (object, row) in &objects_sent {
        check(text(object, "/metadata/name"), row, &refusals)
            .with_context(|| text(row, "/name").to_owned())?;
    }
    Ok(objects_sent.len())
}

fn check(name: &str, row: &Value, refusals: &[&str]) -> Result<()> {
    let refusal = refusals
        .iter()
        .find(|line| line.contains(&format!("\"{name}\"")));
    let reason = refusal.and_then(|line| line.split("denied request: ").nth(1));
    match (text(row, "/error"), reason) {
        ("", None) => Ok(()),
        ("", Some(reason)) => anyhow::bail!("refused: {reason}"),
        (field, reason) => {
            let reason = reason.with_context(|| format!("let through, instead of {field}"))?;
            ensure!(
                reason.contains(field),
                "refused for another reason than {field}: {reason}"
            );
            Ok(())
        }
    }
}

fn objects(number: usize, row: &Value) -> Vec<(Value, &Value)> {
    let entry = json!({"opaque": {"driver": "sriov-dra.io", "parameters": row["config"]}});
    let request = json!({"name": "vf", "exactly": {"deviceClassName": "vf"}});
    let devices = json!({"devices": {"requests": [request], "config": [entry]}});
    let object = |kind: &str, spec: Value| {
        let name = format!("row-{number}-{}", kind.to_lowercase());
        (
            json!({"apiVersion": "resource.k8s.io/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}),
            row,
        )
    };
    if row["where"] == "class" {
        return vec![object("DeviceClass", json!({"config": [entry]}))];
    }
    vec![
        object("ResourceClaim", devices.clone()),
        object("ResourceClaimTemplate", json!({"spec": devices})),
    ]
}
