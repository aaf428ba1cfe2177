//! The reasons of verdicts, with the actual values.

use std::collections::BTreeMap;

use super::{
    evaluate::{Rejection, Verdict},
    objects::Listed,
    text,
};
use crate::selector::AccessedValue;

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
    format!("{} is false{}", rejection.term, values(&rejection.accessed))
}

/// `TERM: CAUSE (vendor="8086")`. A missing key is reported as the attribute that is missing.
pub(super) fn failed(rejection: &Rejection, error: &str) -> String {
    let missing = rejection
        .accessed
        .iter()
        .rfind(|accessed| accessed.value.is_none());
    let cause = match missing {
        Some(accessed) if error.starts_with("no such key") => {
            format!("the device has no attribute {}", accessed.name)
        }
        _ => error.to_owned(),
    };
    let known: Vec<AccessedValue> = rejection
        .accessed
        .iter()
        .filter(|accessed| accessed.value.is_some())
        .cloned()
        .collect();
    format!("{}: {cause}{}", rejection.term, values(&known))
}

/// The device at which the scheduler aborts, and how to avoid it.
pub(super) fn aborted(verdict: &Verdict, listed: &Listed<'_>) -> String {
    let remedy = match verdict {
        Verdict::Failed(rejection, _)
            if rejection
                .accessed
                .iter()
                .any(|accessed| accessed.value.is_none()) =>
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

fn values(accessed: &[AccessedValue]) -> String {
    let shown: Vec<String> = accessed
        .iter()
        .map(|accessed| format!("{}={}", accessed.name, shown(accessed)))
        .collect();
    if shown.is_empty() {
        String::new()
    } else {
        format!(" ({})", shown.join(", "))
    }
}

fn shown(accessed: &AccessedValue) -> &str {
    accessed.value.as_deref().unwrap_or("absent")
}

/// `vendor is "8086" on 7 devices, "15b3" on 2 devices`, over all devices that a term rejected.
pub(super) fn distribution<'a>(rejections: impl Iterator<Item = &'a Rejection>) -> String {
    let mut all: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for accessed in rejections.flat_map(|rejection| &rejection.accessed) {
        *all.entry(&accessed.name)
            .or_default()
            .entry(shown(accessed))
            .or_default() += 1;
    }
    let one =
        |(name, counts): (&&str, &BTreeMap<&str, usize>)| format!("{name} is {}", counted(counts));
    all.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// `"a" on 7 devices, "b" on 2 devices`, the most frequent first.
pub(super) fn counted(counts: &BTreeMap<&str, usize>) -> String {
    let mut all: Vec<_> = counts.iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown = all
        .iter()
        .take(text::NAMES)
        .map(|(value, count)| format!("{value} on {}", text::devices(**count)));
    text::list(shown.collect(), all.len())
}
