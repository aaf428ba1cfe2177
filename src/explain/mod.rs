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
mod extended;
mod fit;
mod funnel;
mod holders;
mod invalid;
mod limit;
mod nodes;
mod objects;
mod outcome;
mod placement;
mod pod;
mod pools;
mod reason;
mod report;
mod snapshot;
mod summary;
mod taint;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod together;

pub use cause::Cause;
pub use device_list::{DeviceView, devices};
pub use pools::{EmptyPoolView, empty_pools};
pub use report::{ConstraintView, Funnel, ReasonView, Report, Row, State};
pub use snapshot::Snapshot;
pub use target::Query;

use evaluate::Alternative;
use holders::Holders;
use nodes::nodes;
use objects::{AllocationResult, Devices, Pod};
use pod::PodClaim;
use target::Target;

/// Error of [`explain`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExplainError {
    /// No object has this name.
    #[error(
        "no ResourceClaim or ResourceClaimTemplate {name} found in namespace {namespace}, and no DeviceClass {name}{elsewhere}"
    )]
    NotFound {
        /// As given.
        name: String,
        /// As given.
        namespace: String,
        /// Where there is one of that name: empty, or `; there is shop/net`.
        elsewhere: String,
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
    #[error("pod {namespace}/{name} uses no ResourceClaims; {resources}")]
    NoClaims {
        /// As given.
        name: String,
        /// As given.
        namespace: String,
        /// What is known of its extended resources.
        resources: String,
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
        let report = explain(snapshot, query, driver);
        return Ok(vec![report.map_err(|error| snapshot.odd_or(error))?]);
    };
    let pod = pod::find(snapshot, namespace, name);
    let pod = pod.map_err(|error| snapshot.odd_or(error))?;
    let claims = pod::claims(snapshot, pod)?;
    let report = |claim: &PodClaim<'_>| match &claim.target {
        Ok(target) => explained(snapshot, target, driver),
        Err(cause) => Report::rejected(&claim.title, cause.clone()),
    };
    let mut reports: Vec<Report> = claims.iter().map(report).collect();
    if claims.len() > 1 && reports.iter().any(is_waiting) {
        match reports.iter().all(Report::is_ok) {
            true => evaluate_together(snapshot, pod, &claims, &mut reports, driver),
            false => reports.iter_mut().for_each(note_alone),
        }
    }
    Ok(reports)
}

fn is_waiting(report: &Report) -> bool {
    report.state != State::Allocated
}

/// Each claim of the pod can be allocated by itself: adds a report if they cannot be together, and
/// otherwise gives each report devices that the others leave to it.
fn evaluate_together(
    snapshot: &Snapshot,
    pod: &Pod,
    claims: &[PodClaim<'_>],
    reports: &mut Vec<Report>,
    driver: &str,
) {
    let report = match together::target(snapshot, pod, claims) {
        Ok(target) => explained(snapshot, &target, driver),
        Err(cause) => Report::rejected(&pod::title(pod), cause),
    };
    if !report.is_ok() {
        return reports.push(report);
    }
    for (claim, of_claim) in claims
        .iter()
        .zip(reports)
        .filter(|(_, one)| is_waiting(one))
    {
        let own = |(request, device): &(String, String)| {
            let request = together::of_claim(request, &claim.name)?;
            Some((request.to_owned(), device.clone()))
        };
        of_claim.devices = report.devices.iter().filter_map(own).collect();
    }
}

fn note_alone(report: &mut Report) {
    if is_waiting(report) {
        let note = "evaluated by itself; the scheduler needs all claims of the pod on one node";
        report.notes.push(note.to_owned());
    }
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
    let devices = snapshot.devices();
    let holders = Holders::of(snapshot, &devices, target.claim);
    let nodes = nodes(snapshot, &devices, &requests, target, &holders);
    let mut report = Report::of(&target.title, nodes.len());
    report.notes = notes(snapshot, target);
    let own = allocation_results(target).unwrap_or_default();
    let all = (&*target.devices, own);
    details::fill(&mut report, &nodes, &requests, all, driver);
    match (allocation_results(target), rejected(target, &requests)) {
        (Some(results), _) => allocated(&mut report, results),
        (None, Some(cause)) => report.cause = Some(cause),
        (None, None) => decide::decide(&mut report, snapshot, &nodes, &requests, driver),
    }
    if !report.is_ok() {
        let notes = pools::notes(snapshot, &requests, driver, snapshot.prefix());
        report.notes.extend(notes);
    }
    let requests = requests.into_iter().flatten().collect();
    decide::prepare(&mut report, &target.devices, requests, driver);
    report
}

/// What the API server would reject, which files can have, or the scheduler on any node.
fn rejected(target: &Target<'_>, requests: &[Vec<Alternative<'_>>]) -> Option<Cause> {
    let invalid = requests.iter().flatten().find_map(|alternative| {
        let text = alternative.invalid()?;
        Some(Cause::new("selectorInvalid", Some(&alternative.name), text))
    });
    let too_many = || {
        let text = limit::exceeded(&target.devices, target.claims)?;
        Some(Cause::new("tooMany", None, text))
    };
    let refused = || {
        let text = invalid::fault(&target.devices)?;
        Some(Cause::new("invalid", None, text))
    };
    invalid.or_else(too_many).or_else(refused)
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

fn allocation_results<'a>(target: &Target<'a>) -> Option<&'a [AllocationResult]> {
    Some(&target.claim?.status.allocation.as_ref()?.devices.results)
}

fn allocated(report: &mut Report, results: &[AllocationResult]) {
    let device = |result: &AllocationResult| (result.request.clone(), result.device.to_string());
    report.state = State::Allocated;
    report.devices = results.iter().map(device).collect();
}

fn notes(snapshot: &Snapshot, target: &Target<'_>) -> Vec<String> {
    let left_out = match snapshot.left_out() {
        0 => None,
        count => Some(format!(
            "slices with a node selector are not evaluated: {} left out",
            text::devices(count)
        )),
    };
    let all = left_out.into_iter().chain(snapshot.odd_note());
    all.chain(target.notes.iter().cloned()).collect()
}
