//! Explains why a claim is not allocated: what the scheduler decides for each device, and which
//! values that depends on.
//!
//! ```text
//!  claims, classes,                evaluate                 cause
//!  slices, rules ────► Snapshot ─► Verdict per request ───► Outcome ───► Report
//!                                  and device               per node
//!                                  (selector, holders,      (fit)
//!                                  taint)
//! ```
//!
//! No I/O: it works on objects from any source. It follows Kubernetes' structured allocator
//! (`k8s.io/dynamic-resource-allocation/structured`); what it does not support it reports as not
//! evaluated.

mod cause;
mod config;
mod device_list;
mod evaluate;
mod fit;
mod holders;
mod limit;
mod objects;
mod pod;
mod reason;
mod report;
mod snapshot;
mod taint;
mod target;
#[cfg(test)]
mod tests;
mod text;

pub use cause::Cause;
pub use device_list::{DeviceView, devices};
pub use report::{ConstraintView, Report, Row, State};
pub use snapshot::Snapshot;
pub use target::Query;

use std::collections::BTreeMap;

use cause::{NodeView, Outcome};
use evaluate::{Alternative, Verdict};
use holders::Holders;
use objects::{AllocationResult, Devices, Listed, RequestSpec};
use pod::PodTarget;
use target::Target;

/// Error of [`explain`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// No object has this name.
    #[error(
        "no ResourceClaim or ResourceClaimTemplate {name} found in namespace {namespace}, and no DeviceClass {name}"
    )]
    NotFound {
        /// As given.
        name: String,
        /// As given.
        namespace: String,
    },
    /// No pod has this name.
    #[error("no Pod {name} found in namespace {namespace}")]
    NoPod {
        /// As given.
        name: String,
        /// As given.
        namespace: String,
    },
    /// A pod without claims.
    #[error(
        "pod {namespace}/{name} uses no ResourceClaims; if it requests extended resources of a DeviceClass, the scheduler creates the claim once it has found a node: explain class/NAME instead"
    )]
    NoClaims {
        /// As given.
        name: String,
        /// As given.
        namespace: String,
    },
    /// An object that does not match the schema of its kind.
    #[error("{object}: {text}")]
    Object {
        /// Kind and name.
        object: String,
        /// Error of the deserializer.
        text: String,
    },
}

/// Explains the allocation of every claim of a pod, or of what else is named.
///
/// # Errors
/// The pod, claim, template or class does not exist, or the pod uses no claims.
pub fn explain_all(
    snapshot: &Snapshot,
    query: &Query,
    driver: &str,
) -> Result<Vec<Report>, ExplainError> {
    let Some((namespace, name)) = query.pod() else {
        return Ok(vec![explain(snapshot, query, driver)?]);
    };
    let targets = pod::targets(snapshot, namespace, name)?;
    let report = |target: &PodTarget<'_>| match target {
        PodTarget::Found(target) => explained(snapshot, target, driver),
        PodTarget::Missing(subject, text) => Report::missing(subject, text),
    };
    let mut reports: Vec<Report> = targets.iter().map(report).collect();
    let waiting = |report: &&mut Report| report.state != State::Allocated;
    if reports.iter_mut().filter(waiting).count() > 0 && reports.len() > 1 {
        let note = "evaluated by itself; the scheduler needs all claims of the pod on one node";
        let waiting = reports.iter_mut().filter(waiting);
        waiting.for_each(|report| report.notes.push(note.to_owned()));
    }
    Ok(reports)
}

/// Explains the allocation of a claim, of a claim from a template, or of a request for one device
/// of a class.
///
/// # Errors
/// The claim, template or class does not exist.
pub fn explain(snapshot: &Snapshot, query: &Query, driver: &str) -> Result<Report, ExplainError> {
    Ok(explained(snapshot, &target::find(snapshot, query)?, driver))
}

fn explained(snapshot: &Snapshot, target: &Target<'_>, driver: &str) -> Report {
    let requests = alternatives(&target.devices, snapshot);
    let invalid = requests
        .iter()
        .flatten()
        .find_map(|alternative| Some((alternative.name.clone(), alternative.invalid()?)));
    let devices = snapshot.devices();
    let holders = Holders::of(snapshot, &devices, target.claim);
    let nodes = nodes(snapshot, &devices, &requests, target, &holders);
    let mut report = Report {
        subject: target.title.clone(),
        state: State::Unallocatable,
        devices: Vec::new(),
        cause: None,
        nodes: nodes.len(),
        notes: notes(snapshot),
        constraints: constraints(&nodes, &target.devices),
        rows: rows(
            &nodes,
            driver,
            allocation_results(target).unwrap_or_default(),
        ),
    };
    // An invalid selector cannot be stored in a live cluster, but files can have one.
    match (allocation_results(target), invalid) {
        (Some(results), _) => allocated(&mut report, results),
        (None, Some((request, text))) => {
            report.cause = Some(Cause::new("selectorInvalid", Some(&request), text))
        }
        (None, None) => match limit::exceeded(specs(&requests)) {
            Some(text) => report.cause = Some(Cause::new("tooMany", None, text)),
            None => decide(&mut report, snapshot, &nodes, &requests, driver),
        },
    }
    prepare(
        &mut report,
        &target.devices,
        requests.into_iter().flatten().collect(),
        driver,
    );
    report
}

fn alternatives<'a>(spec: &'a Devices, snapshot: &'a Snapshot) -> Vec<Vec<Alternative<'a>>> {
    let of = |request: &'a objects::Request| {
        let exactly = request
            .exactly
            .iter()
            .map(|spec| (request.name.clone(), spec));
        let first = request
            .first_available
            .iter()
            .map(|spec| (format!("{}/{}", request.name, spec.name), spec));
        exactly
            .chain(first)
            .map(|(name, spec)| Alternative::new(name, spec, &snapshot.classes))
            .collect()
    };
    spec.requests.iter().map(of).collect()
}

/// What the alternatives of each request ask for.
fn specs<'a>(
    requests: &[Vec<Alternative<'a>>],
) -> impl Iterator<Item = impl Iterator<Item = &'a RequestSpec>> {
    let alternatives = |request: &Vec<Alternative<'a>>| {
        let specs: Vec<&RequestSpec> = request.iter().map(|alternative| alternative.spec).collect();
        specs.into_iter()
    };
    requests.iter().map(alternatives)
}

/// One node, evaluated.
struct Node<'a, 's> {
    name: String,
    devices: Vec<Listed<'a>>,
    requests: Vec<Vec<(&'s Alternative<'a>, Vec<Verdict>)>>,
    outcome: Outcome,
}

impl Node<'_, '_> {
    fn choice(&self) -> Option<&fit::Choice> {
        if let Outcome::Fits(choice) = &self.outcome {
            Some(choice)
        } else {
            None
        }
    }

    /// A selector error on one node aborts the scheduling of the pod on all nodes.
    fn abort_note(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Rejected(_, cause) if cause.code == "selectorError" => Some(format!(
                "the scheduler may abort on {} first: {}",
                self.name, cause.text
            )),
            _ => None,
        }
    }
}

fn nodes<'a, 's>(
    snapshot: &'a Snapshot,
    all: &[Listed<'a>],
    requests: &'s [Vec<Alternative<'a>>],
    target: &'a Target<'a>,
    holders: &Holders<'a>,
) -> Vec<Node<'a, 's>> {
    let mut names: Vec<&str> = all.iter().filter_map(|listed| listed.node).collect();
    names.sort_unstable();
    names.dedup();
    let node = |name: &&str| {
        let here = |listed: &&Listed<'a>| listed.node.is_none_or(|node| node == *name);
        let devices: Vec<Listed<'a>> = all.iter().filter(here).copied().collect();
        let evaluated = |alternative: &'s Alternative<'a>| {
            let verdicts = devices
                .iter()
                .map(|listed| alternative.evaluate(listed, holders, &snapshot.rules))
                .collect();
            (alternative, verdicts)
        };
        let requests: Vec<Vec<_>> = requests
            .iter()
            .map(|request| request.iter().map(evaluated).collect())
            .collect();
        let constraints = &target.devices.constraints;
        let outcome = NodeView {
            devices: &devices,
            requests: &requests,
            constraints,
            holders,
        }
        .outcome();
        Node {
            name: (*name).to_owned(),
            devices,
            requests,
            outcome,
        }
    };
    names.iter().map(node).collect()
}

fn allocation_results<'a>(target: &Target<'a>) -> Option<&'a [AllocationResult]> {
    Some(&target.claim?.status.allocation.as_ref()?.devices.results)
}

fn allocated(report: &mut Report, results: &[AllocationResult]) {
    let device = |result: &AllocationResult| (result.request.clone(), result.device.to_string());
    report.state = State::Allocated;
    report.devices = results.iter().map(device).collect();
}

/// Sets the result from the nodes: the first on which the claim fits, else the closest.
fn decide(
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
        report
            .notes
            .extend(nodes.iter().filter_map(Node::abort_note));
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
    report.cause = nearest(nodes);
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
fn prepare(report: &mut Report, spec: &Devices, alternatives: Vec<Alternative<'_>>, driver: &str) {
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

fn notes(snapshot: &Snapshot) -> Vec<String> {
    match snapshot.left_out() {
        0 => Vec::new(),
        count => vec![format!(
            "slices with a node selector are not evaluated: {} left out",
            text::devices(count)
        )],
    }
}

fn constraints(nodes: &[Node<'_, '_>], spec: &Devices) -> Vec<ConstraintView> {
    let view = |node: &Node<'_, '_>, constraint: &objects::Constraint| {
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
fn rows(nodes: &[Node<'_, '_>], driver: &str, own: &[AllocationResult]) -> Vec<Row> {
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
