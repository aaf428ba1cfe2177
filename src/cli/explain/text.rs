//! Human-readable output: the headline, then the details.

use crate::{
    cli::columns::columns,
    explain::{ConstraintView, Report, Row},
};

/// The whole output. With `all`, one line per device, else one per reason.
pub(super) fn text(report: &Report, all: bool) -> String {
    let mut text = report.headline() + "\n";
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    if !report.rows.is_empty() {
        text += "\n";
        let rows = report.rows.iter().flat_map(|row| {
            if all {
                one_by_one(row)
            } else {
                vec![grouped(row)]
            }
        });
        text += &columns(&["REQUEST", "NODE", "DEVICES", "VERDICT", "REASON"], rows);
    }
    if !report.constraints.is_empty() {
        text += "\n";
        text += &columns(
            &["CONSTRAINT", "NODE", "AVAILABLE DEVICES"],
            report.constraints.iter().map(constraint),
        );
    }
    text
}

fn grouped(row: &Row) -> Vec<String> {
    let devices = match row.devices.as_slice() {
        [one] => one.clone(),
        [first, ..] => format!("{} ({first}, …)", row.devices.len()),
        [] => String::new(),
    };
    cells(row, devices)
}

fn one_by_one(row: &Row) -> Vec<Vec<String>> {
    row.devices
        .iter()
        .map(|device| cells(row, device.clone()))
        .collect()
}

fn cells(row: &Row, devices: String) -> Vec<String> {
    let node = row.node.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        row.request.clone(),
        node,
        devices,
        row.verdict.to_owned(),
        row.reason.clone(),
    ]
}

fn constraint(view: &ConstraintView) -> Vec<String> {
    let groups: Vec<String> = view
        .groups
        .iter()
        .map(|(value, count)| format!("{value}: {count}"))
        .collect();
    let groups = if groups.is_empty() {
        "none".to_owned()
    } else {
        groups.join(", ")
    };
    vec![view.constraint.clone(), view.node.clone(), groups]
}
