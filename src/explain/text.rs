//! Counts, lists, claims and constraints as text.

use std::collections::BTreeMap;

use super::{
    fit::{attribute, value},
    holders::Shortage,
    objects::{Claim, Constraint, Listed},
};

/// How many names are listed before "and N more".
pub(super) const NAMES: usize = 3;

/// `claim shop/net (pod upf-0)`.
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

/// Which counter is exhausted and by whom: a PF excludes its VFs and SFs, and the reverse.
pub(super) fn shortage(listed: &Listed<'_>, shortage: &Shortage<'_>) -> String {
    let kind = |listed: &Listed<'_>| {
        listed
            .attribute("type")
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let of = match kind(listed).as_str() {
        "\"pf\"" => "its VFs are in use",
        "\"vf\"" | "\"sf\""
            if shortage
                .consumers
                .iter()
                .any(|(consumer, _)| kind(consumer) == "\"pf\"") =>
        {
            "its PF is in use"
        }
        _ => "a shared counter is exhausted",
    };
    let consumer = |(consumer, claim): &(Listed<'_>, &Claim)| {
        let pods: Vec<String> = claim
            .status
            .reserved_for
            .iter()
            .map(|pod| pod.name.clone())
            .collect();
        format!(
            "{} by {}",
            consumer.device.name,
            holder(&claim.path(), &pods)
        )
    };
    let consumers = list(
        shortage
            .consumers
            .iter()
            .take(NAMES)
            .map(consumer)
            .collect(),
        shortage.consumers.len(),
    );
    let (_, _, set, counter) = shortage.counter;
    let consumers = if consumers.is_empty() {
        String::new()
    } else {
        format!(": {consumers}")
    };
    format!(
        "{of}{consumers} (counter {counter} of {set}: {} of {} left, {} needed)",
        shortage.left, shortage.size, shortage.needs
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

/// The devices by value of the constraint's attribute: value and number of devices.
pub(super) fn groups(constraint: &Constraint, all: &[&Listed<'_>]) -> Vec<(String, usize)> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for listed in all {
        *groups
            .entry(value(constraint, listed).unwrap_or_else(|| "absent".to_owned()))
            .or_default() += 1;
    }
    groups.into_iter().collect()
}

/// `0: 3 devices, 1: 4 devices, absent: 2 devices`, from [`groups`].
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

/// `1 other node`, `2 other nodes`.
pub(super) fn nodes(count: usize) -> String {
    match count {
        1 => "1 other node".to_owned(),
        count => format!("{count} other nodes"),
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

/// The items shown, and how many more there are.
pub(super) fn list(shown: Vec<String>, all: usize) -> String {
    let more = all.saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more == 0 {
        shown
    } else {
        format!("{shown} and {more} more")
    }
}
