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
mod decide;
mod details;
mod device_list;
mod evaluate;
mod fit;
mod holders;
mod limit;
mod nodes;
mod objects;
mod outcome;
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

use details::{constraints, rows};
use evaluate::Alternative;
use holders::Holders;
use nodes::nodes;
use objects::{AllocationResult, Devices, RequestSpec};
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
            None => decide::decide(&mut report, snapshot, &nodes, &requests, driver),
        },
    }
    decide::prepare(
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

fn allocation_results<'a>(target: &Target<'a>) -> Option<&'a [AllocationResult]> {
    Some(&target.claim?.status.allocation.as_ref()?.devices.results)
}

fn allocated(report: &mut Report, results: &[AllocationResult]) {
    let device = |result: &AllocationResult| (result.request.clone(), result.device.to_string());
    report.state = State::Allocated;
    report.devices = results.iter().map(device).collect();
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
