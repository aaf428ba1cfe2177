//! The result over all nodes, and what Prepare will reject.

use super::{
    cause::{self, Cause},
    config,
    evaluate::{Alternative, Verdict},
    nodes::Node,
    objects::Devices,
    outcome::Outcome,
    report::{Report, State},
    snapshot::Snapshot,
    text,
};

/// Sets the result from the nodes: the first on which the claim fits, else the closest.
pub(super) fn decide(
    report: &mut Report,
    snapshot: &Snapshot,
    nodes: &[Node<'_, '_>],
    requests: &[Vec<Alternative<'_>>],
    driver: &str,
) {
    // Even if only one alternative has it: the scheduler does not start before all classes exist.
    if let Some(alternative) = requests
        .iter()
        .flatten()
        .find(|alternative| alternative.class.is_none())
    {
        let (class, request) = (&alternative.spec.device_class_name, &alternative.name);
        let text = format!("request {request}: DeviceClass {class} not found");
        report.cause = Some(Cause::new("classMissing", Some(request), text));
        return;
    }
    if let Some((node, choice)) = nodes.iter().find_map(|node| Some((node, node.choice()?))) {
        report.state = State::Allocatable;
        let device = |(name, at): &(String, usize)| (name.clone(), node.devices[*at].path());
        report.devices = choice.iter().map(device).collect();
        report.notes.extend(abort_note(nodes));
        return;
    }
    if snapshot.nodes(driver).is_empty() {
        let text = format!(
            "no node publishes devices of {driver}: check that its agent runs and that nodes have SR-IOV functions"
        );
        report.cause = Some(Cause::new("noDevices", None, text));
        return;
    }
    let undecided = nodes.iter().find_map(|node| match &node.outcome {
        Outcome::Undecided(why) => Some((&node.name, why)),
        _ => None,
    });
    if let Some((node, why)) = undecided {
        report.state = State::Undecided;
        report.cause = Some(Cause {
            node: Some(node.clone()),
            ..Cause::new("notJudged", None, why)
        });
        return;
    }
    if let [only] = nodes
        && only.devices.is_empty()
    {
        let text = format!("there are no devices on {}", only.name);
        report.cause = Some(Cause::new("noDevices", None, text));
        return;
    }
    report.cause = nearest(nodes).or_else(|| {
        let node = nodes.first().map_or("no node", |node| &node.name);
        let text = format!("there are no devices on {node}");
        Some(Cause::new("noDevices", None, text))
    });
}

/// Where the scheduler may abort, although the claim fits elsewhere.
fn abort_note(nodes: &[Node<'_, '_>]) -> Option<String> {
    let mut notes = nodes.iter().filter_map(Node::abort_note);
    let first = notes.next()?;
    Some(match notes.count() {
        0 => first,
        more => format!("{first}; the same holds for {}", text::nodes(more)),
    })
}

fn nearest(nodes: &[Node<'_, '_>]) -> Option<Cause> {
    let rejected = nodes.iter().filter_map(|node| match &node.outcome {
        Outcome::Rejected(near, cause) => Some((*near, node, cause)),
        _ => None,
    });
    let (_, node, cause) = rejected.rev().max_by_key(|(near, ..)| *near)?;
    if cause.code != "selector" {
        return Some(Cause {
            node: Some(node.name.clone()),
            ..cause.clone()
        });
    }
    // No device matches on any node: report the selector term over the devices of all nodes.
    let at = node.requests.iter().position(|request| {
        request
            .iter()
            .any(|(alternative, _)| Some(&alternative.name) == cause.request.as_ref())
    })?;
    let which = node.requests[at]
        .iter()
        .position(|(alternative, _)| Some(&alternative.name) == cause.request.as_ref())?;
    let verdicts: Vec<Verdict> = nodes
        .iter()
        .flat_map(|node| node.requests[at][which].1.clone())
        .collect();
    Some(cause::nothing_matches(
        node.requests[at][which].0,
        &verdicts,
    ))
}

/// Checks the configuration as Prepare will: its error is the cause if there is no other.
pub(super) fn prepare(
    report: &mut Report,
    spec: &Devices,
    alternatives: Vec<Alternative<'_>>,
    driver: &str,
) {
    for (request, text) in config::errors(spec, &alternatives, driver) {
        if report.cause.is_none() {
            let cause = Cause::new(
                "config",
                Some(&request),
                format!("request {request}: {text}"),
            );
            report.cause = Some(cause);
            report.state = if report.state == State::Allocated {
                State::Allocated
            } else {
                State::Unallocatable
            };
        } else {
            report
                .notes
                .push(format!("request {request}: Prepare would fail too: {text}"));
        }
    }
}
