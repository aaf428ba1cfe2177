//! The API's limit on the devices of a claim.

use super::evaluate::Alternative;

/// `AllocationResultsMaxSize` of resource.k8s.io: the scheduler gives up on claims for more.
pub(super) const MAX_DEVICES: usize = 32;

/// The reason if the requests need more devices than a claim may have, whatever the nodes have.
pub(super) fn exceeded(requests: &[Vec<Alternative<'_>>]) -> Option<String> {
    let least = |request: &Vec<Alternative<'_>>| request.iter().map(at_least).min();
    over(requests.iter().filter_map(least))
}

fn at_least(alternative: &Alternative<'_>) -> usize {
    match alternative.spec.allocation_mode.as_str() {
        "All" => 1,
        _ => alternative.spec.count.unwrap_or(1),
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
