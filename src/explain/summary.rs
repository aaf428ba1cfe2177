//! The verdicts of all devices of all nodes, by reason: as many lines as there are reasons, however
//! large the cluster is.

use std::collections::BTreeMap;

use super::{
    evaluate::{Rejection, Verdict},
    nodes::Node,
    objects::Listed,
    reason,
    report::ReasonView,
    text,
};

/// What makes verdicts one reason: code, selector, term, and error. The details of others differ by
/// device: holders, taints, counters.
type Key<'v> = (&'static str, &'v str, &'v str, &'v str);

/// The devices that have a reason in common.
struct Group<'n> {
    rank: u8,
    nodes: BTreeMap<&'n str, usize>,
    first: &'n Listed<'n>,
    verdicts: Vec<&'n Verdict>,
}

/// The reasons of one alternative, those closest to a match first.
pub(super) fn reasons(
    nodes: &[Node<'_, '_>],
    request: &str,
    at: (usize, usize),
    driver: &str,
    own: impl Fn(&Listed<'_>) -> bool,
) -> Vec<ReasonView> {
    let mut groups: BTreeMap<Key<'_>, Group<'_>> = BTreeMap::new();
    for node in nodes {
        for (listed, verdict) in node.shown(at, driver) {
            let group = groups
                .entry(key(verdict, own(listed)))
                .or_insert_with(|| Group {
                    rank: verdict.rank(),
                    nodes: BTreeMap::new(),
                    first: listed,
                    verdicts: Vec::new(),
                });
            *group.nodes.entry(&node.name).or_default() += 1;
            group.verdicts.push(verdict);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| {
        std::cmp::Reverse((group.rank, group.verdicts[0].stage(), group.verdicts.len()))
    });
    groups
        .into_iter()
        .map(|(key, group)| view(request, key.0, &group))
        .collect()
}

fn key(verdict: &Verdict, own: bool) -> Key<'_> {
    match verdict {
        Verdict::Fits if own => ("own", "", "", ""),
        Verdict::Rejected(rejection) => (verdict.code(), &rejection.place, &rejection.term, ""),
        Verdict::Failed(rejection, error) => {
            (verdict.code(), &rejection.place, &rejection.term, error)
        }
        Verdict::NotEvaluated(why) => (verdict.code(), why, "", ""),
        _ => (verdict.code(), "", "", ""),
    }
}

fn view(request: &str, verdict: &'static str, group: &Group<'_>) -> ReasonView {
    let only = (group.nodes.len() == 1).then(|| group.nodes.keys().next().copied());
    ReasonView {
        request: request.to_owned(),
        verdict,
        devices: group.verdicts.len(),
        nodes: group.nodes.len(),
        node: only.flatten().map(str::to_owned),
        example: group.first.device.name.clone(),
        reason: match verdict {
            "own" => OWN.to_owned(),
            _ => text_of(&group.verdicts),
        },
    }
}

/// The reason of a device that the claim itself holds.
pub(super) const OWN: &str = "allocated to this claim";

/// The reason that all have, or what differs, the most frequent first.
fn text_of(verdicts: &[&Verdict]) -> String {
    let mut texts: BTreeMap<String, usize> = BTreeMap::new();
    for verdict in verdicts {
        *texts.entry(reason::reason(verdict)).or_default() += 1;
    }
    let mut texts: Vec<(String, usize)> = texts.into_iter().collect();
    if let [(only, _)] = &texts[..] {
        return only.clone();
    }
    texts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    match verdicts[0] {
        Verdict::Rejected(rejection) => rejected(rejection, verdicts),
        Verdict::Held(..) => format!("allocated to {}", holders(verdicts)),
        Verdict::Tainted(_) => format!("untolerated taints: {}", taints(verdicts)),
        _ => text::list(vec![texts[0].0.clone()], texts.len()),
    }
}

/// `class vf, selector 0: TERM is false: vendor is "8086" on 7 devices, "15b3" on 2 devices`.
fn rejected(first: &Rejection, verdicts: &[&Verdict]) -> String {
    let rejections = verdicts.iter().filter_map(|verdict| match verdict {
        Verdict::Rejected(rejection) => Some(rejection),
        _ => None,
    });
    let values = reason::distribution(rejections);
    format!("{}: {} is false: {values}", first.place, first.term)
}

fn holders(verdicts: &[&Verdict]) -> String {
    let holder = |verdict: &&Verdict| match verdict {
        Verdict::Held(claim, pods) => Some(text::holder(claim, pods)),
        _ => None,
    };
    let mut all: Vec<String> = verdicts.iter().filter_map(holder).collect();
    all.sort();
    all.dedup();
    text::list(all.iter().take(text::NAMES).cloned().collect(), all.len())
}

fn taints(verdicts: &[&Verdict]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for verdict in verdicts {
        if let Verdict::Tainted(taints) = verdict {
            for taint in taints {
                *counts.entry(taint).or_default() += 1;
            }
        }
    }
    reason::counted(&counts)
}
