//! The details of a report: the verdicts of the devices, and what constraints compare.

use std::collections::BTreeMap;

use super::{
    evaluate::{Alternative, Verdict},
    fit, funnel,
    nodes::Node,
    objects::{AllocationResult, Constraint, Devices, Listed},
    reason,
    report::{ConstraintView, Report, Row},
    summary, text,
};

/// Fills in the details. `own` are the devices that the claim has.
pub(super) fn fill(
    report: &mut Report,
    nodes: &[Node<'_, '_>],
    requests: &[Vec<Alternative<'_>>],
    (devices, own): (&Devices, &[AllocationResult]),
    driver: &str,
) {
    report.constraints = constraints(nodes, devices);
    for (at, alternative) in positions(requests) {
        let constraints = &devices.constraints;
        report
            .funnel
            .push(funnel::funnel(nodes, alternative, at, constraints, driver));
        // Without a class it is not known which devices are meant.
        if alternative.class.is_none() {
            continue;
        }
        let own = |listed: &Listed<'_>| {
            let is = |result: &AllocationResult| is_device(result, listed);
            own.iter()
                .any(|result| is(result) && result.request == alternative.name)
        };
        let name = &alternative.name;
        report
            .reasons
            .extend(summary::reasons(nodes, name, at, driver, own));
        for node in nodes {
            report.rows.extend(rows(node, name, at, driver, own));
        }
    }
}

fn positions<'r, 'a>(
    requests: &'r [Vec<Alternative<'a>>],
) -> impl Iterator<Item = ((usize, usize), &'r Alternative<'a>)> {
    let of = |(request, all): (usize, &'r Vec<Alternative<'a>>)| {
        let numbered = all.iter().enumerate();
        numbered.map(move |(at, alternative)| ((request, at), alternative))
    };
    requests.iter().enumerate().flat_map(of)
}

/// The available devices of each node by the values of each constraint's attribute.
fn constraints(nodes: &[Node<'_, '_>], spec: &Devices) -> Vec<ConstraintView> {
    let view = |node: &Node<'_, '_>, constraint: &Constraint| {
        let alternatives = || {
            node.requests
                .iter()
                .flatten()
                .filter(|(alternative, _)| fit::covers(&constraint.requests, &alternative.name))
        };
        let free: Vec<&Listed<'_>> = (0..node.devices.len())
            .filter(|at| alternatives().any(|(_, verdicts)| verdicts[*at] == Verdict::Fits))
            .map(|at| &node.devices[at])
            .collect();
        let groups = text::groups(constraint, &free);
        ConstraintView {
            constraint: text::constraint(constraint),
            node: node.name.clone(),
            groups,
        }
    };
    nodes
        .iter()
        .flat_map(|node| {
            spec.constraints
                .iter()
                .map(move |constraint| view(node, constraint))
        })
        .collect()
}

/// The devices of one node: those with the same verdict and reason share a row.
fn rows(
    node: &Node<'_, '_>,
    request: &str,
    at: (usize, usize),
    driver: &str,
    own: impl Fn(&Listed<'_>) -> bool,
) -> Vec<Row> {
    type Devices = (u8, usize, Vec<String>);
    let mut groups: BTreeMap<(&'static str, String), Devices> = BTreeMap::new();
    for (place, (listed, verdict)) in node.shown(at, driver).enumerate() {
        let (_, _, devices) = groups
            .entry(code_and_reason(verdict, own(listed)))
            .or_insert((verdict.rank(), place, Vec::new()));
        devices.push(listed.device.name.clone());
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (rank, first, _))| (std::cmp::Reverse(*rank), *first));
    let row = |((verdict, reason), (_, _, devices)): ((&'static str, String), Devices)| Row {
        request: request.to_owned(),
        node: Some(node.name.clone()),
        verdict,
        reason,
        devices,
    };
    groups.into_iter().map(row).collect()
}

fn code_and_reason(verdict: &Verdict, own: bool) -> (&'static str, String) {
    match verdict {
        Verdict::Fits if own => ("own", summary::OWN.to_owned()),
        verdict => (verdict.code(), reason::reason(verdict)),
    }
}

fn is_device(result: &AllocationResult, listed: &Listed<'_>) -> bool {
    result.device.borrowed() == listed.name()
}
