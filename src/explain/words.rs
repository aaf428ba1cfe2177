//! Reasons, in words and with the actual values.

use std::collections::BTreeMap;

use super::{
    fit::{attribute, value},
    holders::Short,
    judge::{Refusal, Verdict},
    objects::{Claim, Constraint, Listed},
};
use crate::selector::Looked;

/// How many names are told before "and N more".
const NAMES: usize = 3;

/// The verdict's reason.
pub(super) fn reason(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Fits => "nothing refuses it".to_owned(),
        Verdict::Unjudged(why) => format!("no verdict: {why}"),
        Verdict::Failed(refusal, error) => format!("{}: {}", refusal.place, failed(refusal, error)),
        Verdict::Refused(refusal) => format!("{}: {}", refusal.place, refused(refusal)),
        Verdict::Incomplete(there, said) => {
            format!(
                "{there} of {said} slices of its pool are there: the scheduler waits for the others"
            )
        }
        Verdict::Held(claim, pods) => format!("allocated to {}", holder(claim, pods)),
        Verdict::Tainted(taints) => format!("taint not tolerated: {}", taints.join(", ")),
        Verdict::Drained(text) => text.clone(),
    }
}

/// `TERM is false (vendor="8086")`.
pub(super) fn refused(refusal: &Refusal) -> String {
    format!("{} is false{}", refusal.term, values(&refusal.looked))
}

/// What an error means.
pub(super) fn failed(refusal: &Refusal, error: &str) -> String {
    let missing = refusal.looked.iter().rfind(|looked| looked.value.is_none());
    let cause = match missing {
        Some(looked) if error.starts_with("no such key") => {
            format!("the device has no attribute {}", looked.name)
        }
        _ => error.to_owned(),
    };
    let known: Vec<Looked> = refusal
        .looked
        .iter()
        .filter(|looked| looked.value.is_some())
        .cloned()
        .collect();
    format!("{}: {cause}{}", refusal.term, values(&known))
}

/// The device at which the scheduler gives up, and what would help.
pub(super) fn stumbled(verdict: &Verdict, listed: &Listed<'_>) -> String {
    let remedy = match verdict {
        Verdict::Failed(refusal, _)
            if refusal.looked.iter().any(|looked| looked.value.is_none()) =>
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
pub(super) fn distribution<'a>(refusals: impl Iterator<Item = &'a Refusal>) -> String {
    let mut all: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for looked in refusals.flat_map(|refusal| &refusal.looked) {
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
        .take(NAMES)
        .map(|(value, count)| format!("{value} on {}", devices(**count)));
    list(shown.collect(), all.len())
}

/// `shop/net (pod upf-0)`.
pub(super) fn holder(claim: &str, pods: &[String]) -> String {
    match pods {
        [] => format!("claim {claim}"),
        [pod] => format!("claim {claim} (pod {pod})"),
        pods => format!(
            "claim {claim} (pods {})",
            list(pods.iter().take(NAMES).cloned().collect(), pods.len())
        ),
    }
}

/// A PF whose VFs are in use, or the other way round, or whatever else shares a counter.
pub(super) fn short(listed: &Listed<'_>, short: &Short<'_>) -> String {
    let kind = |listed: &Listed<'_>| {
        listed
            .attribute("type")
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let of = match kind(listed).as_str() {
        "\"pf\"" => "its VFs are in use",
        "\"vf\"" | "\"sf\""
            if short
                .takers
                .iter()
                .any(|(taker, _)| kind(taker) == "\"pf\"") =>
        {
            "its PF is in use"
        }
        _ => "what it shares is in use",
    };
    let taker = |(taker, claim): &(Listed<'_>, &Claim)| {
        let pods: Vec<String> = claim
            .status
            .reserved_for
            .iter()
            .map(|pod| pod.name.clone())
            .collect();
        format!("{} by {}", taker.device.name, holder(&claim.path(), &pods))
    };
    let takers = list(
        short.takers.iter().take(NAMES).map(taker).collect(),
        short.takers.len(),
    );
    let (_, _, set, counter) = short.counter;
    let takers = if takers.is_empty() {
        String::new()
    } else {
        format!(": {takers}")
    };
    format!(
        "{of}{takers} (counter {counter} of {set}: {} of {} left, it takes {})",
        short.left, short.size, short.needs
    )
}

/// `matchAttribute resource.kubernetes.io/numaNode`.
pub(super) fn constraint(constraint: &Constraint) -> String {
    let kind = if constraint.match_attribute.is_some() {
        "matchAttribute"
    } else {
        "distinctAttribute"
    };
    format!("{kind} {}", attribute(constraint).unwrap_or("?"))
}

/// `0: 3 devices, 1: 4, absent: 2`.
pub(super) fn groups(constraint: &Constraint, all: &[&Listed<'_>]) -> Vec<(String, usize)> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for listed in all {
        *groups
            .entry(value(constraint, listed).unwrap_or_else(|| "absent".to_owned()))
            .or_default() += 1;
    }
    groups.into_iter().collect()
}

/// See [`groups`].
pub(super) fn grouped(groups: &[(String, usize)]) -> String {
    let shown = groups
        .iter()
        .map(|(value, count)| format!("{value}: {}", devices(*count)));
    list(shown.take(8).collect(), groups.len())
}

/// `1 device`, `2 devices`.
pub(super) fn devices(count: usize) -> String {
    if count == 1 {
        "1 device".to_owned()
    } else {
        format!("{count} devices")
    }
}

/// `1 device matches`, `2 devices match`.
pub(super) fn matching(count: usize) -> String {
    format!(
        "{} {}",
        devices(count),
        if count == 1 { "matches" } else { "match" }
    )
}

/// The first ones and how many more.
pub(super) fn list(shown: Vec<String>, all: usize) -> String {
    let more = all.saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}
