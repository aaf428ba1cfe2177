//! The reasons of verdicts, with the actual values.

use std::collections::BTreeMap;

use super::{
    evaluate::{Rejection, Verdict},
    objects::Listed,
    text,
};
use crate::selector::Looked;

/// The reason of a verdict.
pub(super) fn reason(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Fits => "matches and is available".to_owned(),
        Verdict::NotEvaluated(why) => format!("not evaluated: {why}"),
        Verdict::Failed(rejection, error) => {
            format!("{}: {}", rejection.place, failed(rejection, error))
        }
        Verdict::Rejected(rejection) => format!("{}: {}", rejection.place, rejected(rejection)),
        Verdict::Incomplete(existing, expected) => {
            format!(
                "its pool is incomplete: {existing} of {expected} slices exist, the scheduler waits for the rest"
            )
        }
        Verdict::Held(claim, pods) => format!("allocated to {}", text::holder(claim, pods)),
        Verdict::Tainted(taints) => format!("untolerated taint: {}", taints.join(", ")),
        Verdict::Exhausted(text) => text.clone(),
    }
}

/// `TERM is false (vendor="8086")`.
pub(super) fn rejected(rejection: &Rejection) -> String {
    format!("{} is false{}", rejection.term, values(&rejection.looked))
}

/// `TERM: CAUSE (vendor="8086")`. A missing key is reported as the attribute that is missing.
pub(super) fn failed(rejection: &Rejection, error: &str) -> String {
    let missing = rejection
        .looked
        .iter()
        .rfind(|looked| looked.value.is_none());
    let cause = match missing {
        Some(looked) if error.starts_with("no such key") => {
            format!("the device has no attribute {}", looked.name)
        }
        _ => error.to_owned(),
    };
    let known: Vec<Looked> = rejection
        .looked
        .iter()
        .filter(|looked| looked.value.is_some())
        .cloned()
        .collect();
    format!("{}: {cause}{}", rejection.term, values(&known))
}

/// The device at which the scheduler aborts, and how to avoid it.
pub(super) fn aborted(verdict: &Verdict, listed: &Listed<'_>) -> String {
    let remedy = match verdict {
        Verdict::Failed(rejection, _)
            if rejection.looked.iter().any(|looked| looked.value.is_none()) =>
        {
            "; guard the attribute with has() or .?"
        }
        _ => "",
    };
    let device = format!("{} of {}", listed.path(), listed.driver);
    format!(
        "{}; the scheduler aborts at such a device, here {device}{remedy}",
        reason(verdict)
    )
}

fn values(looked: &[Looked]) -> String {
    let shown: Vec<String> = looked
        .iter()
        .map(|looked| format!("{}={}", looked.name, shown(looked)))
        .collect();
    if shown.is_empty() {
        String::new()
    } else {
        format!(" ({})", shown.join(", "))
    }
}

fn shown(looked: &Looked) -> &str {
    looked.value.as_deref().unwrap_or("absent")
}

/// `vendor is "8086" on 7 devices, "15b3" on 2 devices`, over all devices that a term rejected.
pub(super) fn distribution<'a>(rejections: impl Iterator<Item = &'a Rejection>) -> String {
    let mut all: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for looked in rejections.flat_map(|rejection| &rejection.looked) {
        *all.entry(&looked.name)
            .or_default()
            .entry(shown(looked))
            .or_default() += 1;
    }
    let one =
        |(name, counts): (&&str, &BTreeMap<&str, usize>)| format!("{name} is {}", counted(counts));
    all.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// `"a" on 7 devices, "b" on 2 devices`, the most frequent first.
fn counted(counts: &BTreeMap<&str, usize>) -> String {
    let mut all: Vec<_> = counts.iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown = all
        .iter()
        .take(text::NAMES)
        .map(|(value, count)| format!("{value} on {}", text::devices(**count)));
    text::list(shown.collect(), all.len())
}
