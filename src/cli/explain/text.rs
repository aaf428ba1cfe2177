//! Human-readable output: the headline, the funnel, then the reasons. It fits on a screen however
//! large the cluster is, unless every device is asked for.

use crate::{
    cli::columns::columns,
    explain::{Funnel, ReasonView, Report, Row},
};

use super::constraints;

const FUNNEL: [&str; 10] = [
    "REQUEST",
    "NODES",
    "DEVICES",
    "CLASS",
    "POOL",
    "SELECTORS",
    "FREE",
    "ONE NODE",
    "CONSTRAINTS",
    "NEEDED",
];

/// The whole output. With `all`, one line per device, else one per reason.
pub(super) fn text(report: &Report, all: bool) -> String {
    let mut text = report.headline() + "\n";
    for note in &report.notes {
        text += &format!("note: {note}\n");
    }
    if !report.funnel.is_empty() {
        text += "\n";
        text += &columns(&FUNNEL, report.funnel.iter().map(funnel));
    }
    let reasons: Vec<Vec<String>> = match all {
        true => report.rows.iter().flat_map(one_by_one).collect(),
        false => report.reasons.iter().map(reason).collect(),
    };
    if !reasons.is_empty() {
        text += "\n";
        text += &columns(
            &["REQUEST", "NODE", "DEVICES", "VERDICT", "REASON"],
            reasons,
        );
    }
    let constraints = constraints::lines(&report.constraints, all);
    if !constraints.is_empty() {
        text += "\n";
        text += &columns(&["CONSTRAINT", "NODE", "AVAILABLE DEVICES"], constraints);
    }
    text
}

fn funnel(funnel: &Funnel) -> Vec<String> {
    let counts = [
        Some(funnel.nodes),
        Some(funnel.devices),
        Some(funnel.class),
        Some(funnel.pool),
        Some(funnel.selectors),
        Some(funnel.free),
        Some(funnel.one_node),
        funnel.constraints,
        Some(funnel.needed),
    ];
    let cell = |count: Option<usize>| count.map_or_else(|| "-".to_owned(), |it| it.to_string());
    let counts = counts.into_iter().map(cell);
    [funnel.request.clone()].into_iter().chain(counts).collect()
}

fn reason(view: &ReasonView) -> Vec<String> {
    let node = match &view.node {
        Some(node) => node.clone(),
        None => format!("{} nodes", view.nodes),
    };
    let devices = match view.devices {
        1 => view.example.clone(),
        count => format!("{count} ({}, …)", view.example),
    };
    let (request, reason) = (view.request.clone(), view.reason.clone());
    vec![request, node, devices, view.verdict.to_owned(), reason]
}

fn one_by_one(row: &Row) -> Vec<Vec<String>> {
    let node = row.node.clone().unwrap_or_else(|| "-".to_owned());
    let cells = |device: &String| {
        vec![
            row.request.clone(),
            node.clone(),
            device.clone(),
            row.verdict.to_owned(),
            row.reason.clone(),
        ]
    };
    row.devices.iter().map(cells).collect()
}
