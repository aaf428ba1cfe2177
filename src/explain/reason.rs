//! The reasons of verdicts, with the actual values.

use std::collections::BTreeMap;

use super::{
    evaluate::{Rejection, Verdict},
    objects::Listed,
    text,
};
use crate::selector::Looked;

/// The verdict's reason.
pub(super) fn reason(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Fits => "nothing refuses it".to_owned(),
        Verdict::NotEvaluated(why) => format!("no verdict: {why}"),
        Verdict::Failed(rejection, error) => {
            format!("{}: {}", rejection.place, failed(rejection, error))
        }
        Verdict::Rejected(rejection) => format!("{}: {}", rejection.place, rejected(rejection)),
        Verdict::Incomplete(there, said) => {
            format!(
                "{there} of {said} slices of its pool are there: the scheduler waits for the others"
            )
        }
        Verdict::Held(claim, pods) => format!("allocated to {}", text::holder(claim, pods)),
        Verdict::Tainted(taints) => format!("taint not tolerated: {}", taints.join(", ")),
        Verdict::Exhausted(text) => text.clone(),
    }
}

/// `TERM is false (vendor="8086")`.
pub(super) fn rejected(rejection: &Rejection) -> String {
    format!("{} is false{}", rejection.term, values(&rejection.looked))
}

/// What an error means.
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

/// The device at which the scheduler gives up, and what would help.
pub(super) fn aborted(verdict: &Verdict, listed: &Listed<'_>) -> String {
    let remedy = match verdict {
        Verdict::Failed(rejection, _)
            if rejection.looked.iter().any(|looked| looked.value.is_none()) =>
        {
            ", unless the expression asks with has() or .? first"
        }
        _ => "",
    };
    let device = format!("{} of {}", listed.path(), listed.driver);
    format!(
        "{}; the scheduler gives up at such a device, here {device}{remedy}",
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

/// `vendor is "8086" (7 devices), "15b3" (2)`, over all devices that a term refused.
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

/// `"a" on 7 devices, "b" on 2`.
fn counted(counts: &BTreeMap<&str, usize>) -> String {
    let mut all: Vec<_> = counts.iter().collect();
    all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let shown = all
        .iter()
        .take(text::NAMES)
        .map(|(value, count)| format!("{value} on {}", text::devices(**count)));
    text::list(shown.collect(), all.len())
}
