//! Configs of policies that take no device of a node, and the device that came closest.

use std::{cmp::Reverse, collections::BTreeSet};

use super::{
    Library, Node,
    filter::Seen,
    library::{Rule, first},
};

/// How close the device came, and `nearest 0000:3b:00.0: vendors is 15b3, wanted 8086`.
type Closest = (usize, String);

/// More than any number of conditions.
const MATCHES: usize = usize::MAX;

impl Library {
    /// A line for each config of a policy that selects the node and takes none of its devices.
    pub(super) fn empty(&self, node: &Node, devices: &[Seen]) -> Vec<String> {
        let rules = self.rules(node);
        let taking = devices.iter().filter_map(|device| first(&rules, device));
        let taking: BTreeSet<_> = taking.map(|rule| (rule.policy, rule.index)).collect();
        let empty = |rule: &&Rule<'_>| !taking.contains(&(rule.policy, rule.index));
        let line = |rule: &Rule<'_>| {
            let nearest = nearest(&rules, rule, devices);
            format!(
                "SriovResourcePolicy {} configs[{}] takes no device; {}",
                rule.policy,
                rule.index,
                nearest.map_or_else(|| NO_DEVICES.to_owned(), |(_, text)| text)
            )
        };
        rules.iter().filter(empty).map(line).collect()
    }

    /// What came closest to a policy on a node of which it takes no device.
    pub(super) fn nearest(&self, policy: &str, node: &Node, devices: &[Seen]) -> Option<Closest> {
        let rules = self.rules(node);
        let own = rules.iter().filter(|rule| rule.policy == policy);
        let all = own.filter_map(|rule| nearest(&rules, rule, devices));
        all.max_by_key(|(met, _)| *met)
    }
}

const NO_DEVICES: &str = "the node has no device that it may take";

/// The device that came closest to a config; of several, the first.
fn nearest(rules: &[Rule<'_>], rule: &Rule<'_>, devices: &[Seen]) -> Option<Closest> {
    let of = |device: &Seen| {
        let (met, why) = match rule.config.refusal(device) {
            Some((met, refusal)) => (met, refusal.to_string()),
            None => (MATCHES, taken(first(rules, device))),
        };
        (met, device.address().to_owned(), why)
    };
    let all = devices.iter().map(of);
    let (met, address, why) =
        all.max_by_key(|(met, address, _)| (*met, Reverse(address.clone())))?;
    Some((met, format!("nearest {address}: {why}")))
}

fn taken(by: Option<Rule<'_>>) -> String {
    match by {
        Some(by) => format!(
            "matches, but SriovResourcePolicy {} configs[{}] takes it",
            by.policy, by.index
        ),
        None => "matches".to_owned(),
    }
}
