//! The API's limits on a claim: what exceeds them, no node can serve.

use super::objects::{Claim, Devices, Request, RequestSpec};

/// `AllocationResultsMaxSize` of resource.k8s.io: the scheduler gives up on claims for more.
pub(super) const MAX_DEVICES: usize = 32;

/// `DeviceRequestsMaxSize`, `DeviceConstraintsMaxSize`, `DeviceConfigMaxSize` and
/// `DeviceSelectorsMaxSize`.
const MAX_ITEMS: usize = 32;
/// `FirstAvailableDeviceRequestMaxSize`.
const MAX_ALTERNATIVES: usize = 8;
/// `DeviceTolerationsMaxLength`.
const MAX_TOLERATIONS: usize = 16;

/// `ResourceClaimReservedForMaxSize`.
const MAX_CONSUMERS: usize = 256;

/// The reason if no further pod can use a claim that exists.
pub(super) fn reserved(claim: &Claim, pod: &str) -> Option<String> {
    let consumers = &claim.status.reserved_for;
    let is_full = consumers.len() >= MAX_CONSUMERS && consumers.iter().all(|it| it.name != pod);
    is_full.then(|| {
        let name = &claim.metadata.name;
        format!("ResourceClaim {name} is reserved for {MAX_CONSUMERS} pods, the API's limit")
    })
}

/// The first limit that is exceeded whatever the nodes have, if these are the devices of so many
/// claims.
pub(super) fn exceeded(devices: &Devices, claims: usize) -> Option<String> {
    let requests = &devices.requests;
    let of_claim = [
        ("requests", requests.len()),
        ("constraints", devices.constraints.len()),
        ("configs", devices.config.len()),
    ];
    let items = of_claim
        .into_iter()
        .find_map(|(what, count)| beyond("it", what, count, MAX_ITEMS * claims));
    items
        .or_else(|| requests.iter().find_map(of_request))
        .or_else(|| over(requests.iter().map(at_least), claims))
}

fn of_request(request: &Request) -> Option<String> {
    let subject = format!("request {}", request.name);
    let specs = request.exactly.iter().chain(&request.first_available);
    let alternatives = request.first_available.len();
    beyond(&subject, "alternatives", alternatives, MAX_ALTERNATIVES).or_else(|| {
        let mut all = specs.flat_map(|spec| {
            [
                ("selectors", spec.selectors.len(), MAX_ITEMS),
                ("tolerations", spec.tolerations.len(), MAX_TOLERATIONS),
            ]
        });
        all.find_map(|(what, count, most)| beyond(&subject, what, count, most))
    })
}

fn beyond(subject: &str, what: &str, count: usize, most: usize) -> Option<String> {
    (count > most).then(|| format!("{subject} has {count} {what}, and the API's limit is {most}"))
}

/// The fewest devices that one of the alternatives of a request needs.
fn at_least(request: &Request) -> usize {
    let specs = request.exactly.iter().chain(&request.first_available);
    let needs = |spec: &RequestSpec| match spec.allocation_mode.as_str() {
        "All" => 1,
        _ => spec.count.unwrap_or(1),
    };
    specs.map(needs).min().unwrap_or(0)
}

/// The reason if the requests together need more devices than so many claims may have.
pub(super) fn over(counts: impl Iterator<Item = usize>, claims: usize) -> Option<String> {
    let total = counts.fold(0, usize::saturating_add);
    let text = || {
        format!("it requests {total} devices, and the API's limit for one claim is {MAX_DEVICES}")
    };
    (total > MAX_DEVICES * claims).then(text)
}
