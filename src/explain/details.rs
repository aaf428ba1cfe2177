//! The details of a report: the verdicts of the devices, and what constraints compare.

use std::collections::BTreeMap;

use super::{
    evaluate::Verdict,
    fit,
    nodes::Node,
    objects::{AllocationResult, Constraint, Devices, Listed},
    reason,
    report::{ConstraintView, Row},
    text,
};

/// The available devices of each node by the values of each constraint's attribute.
pub(super) fn constraints(nodes: &[Node<'_, '_>], spec: &Devices) -> Vec<ConstraintView> {
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

/// Devices with the same verdict and reason share a row. Devices of other drivers are shown only
/// if they are not simply rejected by a selector.
pub(super) fn rows(nodes: &[Node<'_, '_>], driver: &str, own: &[AllocationResult]) -> Vec<Row> {
    let mut rows = Vec::new();
    for node in nodes {
        for (alternative, verdicts) in node.requests.iter().flatten() {
            let mut groups: BTreeMap<(&'static str, String), (usize, Vec<String>)> =
                BTreeMap::new();
            for (at, (listed, verdict)) in node.devices.iter().zip(verdicts).enumerate() {
                if listed.driver == driver || !matches!(verdict, Verdict::Rejected(_)) {
                    let has = own.iter().any(|result| {
                        is_device(result, listed) && result.request == alternative.name
                    });
                    let group = groups
                        .entry(code_and_reason(verdict, has))
                        .or_insert((at, Vec::new()));
                    group.1.push(listed.device.name.clone());
                }
            }
            let mut groups: Vec<_> = groups.into_iter().collect();
            groups.sort_by_key(|(_, (first, _))| {
                (std::cmp::Reverse(verdicts[*first].rank()), *first)
            });
            rows.extend(
                groups
                    .into_iter()
                    .map(|((verdict, reason), (_, devices))| Row {
                        request: alternative.name.clone(),
                        node: Some(node.name.clone()),
                        verdict,
                        reason,
                        devices,
                    }),
            );
        }
    }
    rows
}

fn code_and_reason(verdict: &Verdict, own: bool) -> (&'static str, String) {
    match verdict {
        Verdict::Fits if own => ("own", "allocated to this claim".to_owned()),
        verdict => (verdict.code(), reason::reason(verdict)),
    }
}

fn is_device(result: &AllocationResult, listed: &Listed<'_>) -> bool {
    result.device.borrowed() == listed.name()
}
