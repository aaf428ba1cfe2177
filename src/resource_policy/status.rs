//! What is said of a policy: whether it is understood, and what it takes where.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Kind, Library, Node, Object, Seen};

/// So many nodes are named; a cluster may have thousands.
const MOST_NODES: usize = 20;
/// So many nodes are named on which nothing is taken.
const MOST_NEAREST: usize = 3;
/// Characters of a message: all problems of a policy may be many.
const MOST_TEXT: usize = 1024;

impl Library {
    /// The status of each policy, by name.
    #[must_use]
    pub fn statuses(
        &self,
        policies: &[Object],
        nodes: &[(Node, Vec<Seen>)],
        now: Timestamp,
    ) -> BTreeMap<String, Value> {
        let mut matched: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
        for (node, devices) in nodes {
            for (policy, count) in self.matched(node, devices) {
                matched.entry(policy).or_default().insert(&node.name, count);
            }
        }
        let nothing = BTreeMap::new();
        let of = |object: &Object| {
            let there = matched.get(&object.name).unwrap_or(&nothing);
            let status = self.status(object, there, nodes, now);
            (object.name.clone(), status)
        };
        policies.iter().map(of).collect()
    }

    fn status(
        &self,
        object: &Object,
        nodes: &BTreeMap<&str, usize>,
        all: &[(Node, Vec<Seen>)],
        now: Timestamp,
    ) -> Value {
        let (ready, reason, message) = self.judge(object, nodes, all);
        let some = nodes.iter().filter(|(_, devices)| **devices > 0);
        let named = some
            .clone()
            .take(MOST_NODES)
            .map(|(node, devices)| json!({"name": node, "devices": devices}));
        let mut status = json!({
            "observedGeneration": object.generation,
            "conditions": [{
                "type": "Ready",
                "status": if ready { "True" } else { "False" },
                "reason": reason,
                "message": message,
                "observedGeneration": object.generation,
            }],
            "selectedNodes": nodes.len(),
            "matchedNodes": some.clone().count(),
            "matchedDevices": some.map(|(_, devices)| devices).sum::<usize>(),
            "nodes": named.collect::<Vec<_>>(),
        });
        status["conditions"][0]["lastTransitionTime"] = since(&object.status, &status, now);
        status
    }

    fn judge(
        &self,
        object: &Object,
        nodes: &BTreeMap<&str, usize>,
        all: &[(Node, Vec<Seen>)],
    ) -> (bool, &'static str, String) {
        let own = |kind, name: &str| kind == Kind::Policy && name == object.name;
        let mut problems: Vec<_> = self
            .problems()
            .iter()
            .filter(|all| own(all.kind, &all.name))
            .collect();
        problems.sort_by_key(|problem| !problem.bad);
        let texts: Vec<&str> = problems
            .iter()
            .map(|problem| problem.text.as_str())
            .collect();
        let text: String = texts.join("\n").chars().take(MOST_TEXT).collect();
        match problems.first() {
            Some(first) if first.bad => (false, "Invalid", text),
            Some(_) => (true, "NeverMatches", text),
            None if nodes.is_empty() => (
                true,
                "NoNode",
                "no node with devices is selected".to_owned(),
            ),
            None if nodes.values().all(|devices| *devices == 0) => {
                (true, "NoDevice", self.no_device(object, nodes, all))
            }
            None => (true, "Applied", String::new()),
        }
    }
}

impl Library {
    /// What came closest on each node, the closest first; a few of them.
    fn no_device(
        &self,
        object: &Object,
        selected: &BTreeMap<&str, usize>,
        all: &[(Node, Vec<Seen>)],
    ) -> String {
        let of = |(node, devices): &(Node, Vec<Seen>)| {
            let (met, nearest) = self.nearest(&object.name, node, devices)?;
            let line = format!("{}: takes no device; {nearest}", node.name);
            Some((Reverse(met), line))
        };
        let selected = all
            .iter()
            .filter(|(node, _)| selected.contains_key(&*node.name));
        let mut nearest: Vec<_> = selected.filter_map(of).collect();
        nearest.sort();
        let more = match nearest.len().saturating_sub(MOST_NEAREST) {
            0 => None,
            1 => Some("and 1 more node".to_owned()),
            more => Some(format!("and {more} more nodes")),
        };
        let lines = nearest.into_iter().take(MOST_NEAREST).map(|(_, line)| line);
        let first = "no device of the selected nodes is taken".to_owned();
        let all: Vec<String> = [first].into_iter().chain(lines).chain(more).collect();
        all.join("\n")
    }
}

/// When the condition became what it is.
fn since(before: &Value, status: &Value, now: Timestamp) -> Value {
    let (before, condition) = (&before["conditions"][0], &status["conditions"][0]);
    match before["lastTransitionTime"].as_str() {
        Some(since) if before["status"] == condition["status"] => since.into(),
        _ => now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into(),
    }
}
