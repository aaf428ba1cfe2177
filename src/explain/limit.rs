//! The API's limit on the devices of a claim.

use super::objects::RequestSpec;

/// `AllocationResultsMaxSize` of resource.k8s.io: the scheduler gives up on claims for more.
pub(super) const MAX_DEVICES: usize = 32;

/// The reason if the requests, each a list of alternatives, need more devices than a claim may
/// have, whatever the nodes have.
pub(super) fn exceeded<'a, Alternatives>(
    requests: impl Iterator<Item = Alternatives>,
) -> Option<String>
where
    Alternatives: Iterator<Item = &'a RequestSpec>,
{
    over(requests.filter_map(|alternatives| alternatives.map(at_least).min()))
}

fn at_least(request: &RequestSpec) -> usize {
    match request.allocation_mode.as_str() {
        "All" => 1,
        _ => request.count.unwrap_or(1),
    }
}

/// The reason if the requests together need more devices than a claim may have.
pub(super) fn over(counts: impl Iterator<Item = usize>) -> Option<String> {
    let total = counts.fold(0, usize::saturating_add);
    let text = || {
        format!("it requests {total} devices, and the API's limit for one claim is {MAX_DEVICES}")
    };
    (total > MAX_DEVICES).then(text)
}
