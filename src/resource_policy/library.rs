//! The objects that were read, and the last good state of those that cannot be read now.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Kind, Object, Objects, Policy,
    attributes::{AttributeSet, Grant},
    filter::Seen,
    nodes::Node,
};
use crate::pool::PoolName;

/// What is wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Which kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Whether (a part of) it does nothing; else it is only odd.
    pub bad: bool,
    /// In one line: place, value, what would be right.
    pub text: String,
}

/// `SriovResourcePolicy blue: spec.configs[0]…`.
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.kind, self.name, self.text)
    }
}

/// All policies of a namespace and what they give.
#[derive(Debug)]
pub struct Library {
    driver: String,
    prefix: String,
    /// By name. None: never good.
    policies: BTreeMap<String, Option<Policy>>,
    sets: BTreeMap<String, Option<AttributeSet>>,
    /// Of each policy, those of its configs.
    grants: BTreeMap<String, Vec<Grant>>,
    problems: Vec<Problem>,
}

/// One config, where it stands, and what it gives.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule<'a> {
    pub(super) policy: &'a str,
    pub(super) index: usize,
    pub(super) config: &'a super::Config,
    pub(super) grant: &'a Grant,
}

impl Library {
    /// `driver` is whose attributes cannot be set; pools that say nothing of it have `prefix`.
    #[must_use]
    pub fn new(driver: &str, prefix: &str) -> Self {
        let (policies, sets, grants, problems) = Default::default();
        Self {
            driver: driver.to_owned(),
            prefix: prefix.to_owned(),
            policies,
            sets,
            grants,
            problems,
        }
    }

    /// Takes all objects as they are now. One that cannot be read stays as it last could.
    pub fn read(&mut self, objects: &Objects) {
        self.problems.clear();
        self.policies = objects
            .policies
            .iter()
            .map(|object| (object.name.clone(), self.policy(object)))
            .collect();
        self.sets = objects
            .attributes
            .iter()
            .map(|object| (object.name.clone(), self.set(object)))
            .collect();
        self.grants = self.all_grants();
        self.problems.sort();
    }

    fn policy(&mut self, object: &Object) -> Option<Policy> {
        let before = self.policies.get(&object.name).cloned().flatten();
        match Policy::read(&object.spec) {
            Ok((policy, odd)) => {
                odd.iter()
                    .for_each(|warning| self.problem(object, false, warning.to_string()));
                Some(policy)
            }
            Err(error) => {
                self.problem(
                    object,
                    true,
                    format!("{error}; {}", instead(before.is_some())),
                );
                before
            }
        }
    }

    fn set(&mut self, object: &Object) -> Option<AttributeSet> {
        let before = self.sets.get(&object.name).cloned().flatten();
        match AttributeSet::read(&object.labels, &object.spec, &self.driver) {
            Ok((set, faults)) => {
                faults
                    .iter()
                    .for_each(|fault| self.problem(object, true, format!("{fault}; left out")));
                Some(set)
            }
            Err(error) => {
                self.problem(
                    object,
                    true,
                    format!("{error}; {}", instead(before.is_some())),
                );
                before
            }
        }
    }

    fn all_grants(&mut self) -> BTreeMap<String, Vec<Grant>> {
        let sets: BTreeMap<String, AttributeSet> = self
            .sets
            .iter()
            .filter_map(|(name, set)| Some((name.clone(), set.clone()?)))
            .collect();
        let mut all = BTreeMap::new();
        for (name, policy) in &self.policies {
            let configs = policy.iter().flat_map(|policy| &policy.configs);
            let grants: Vec<Grant> = configs
                .map(|config| config.grant(&sets, &self.prefix))
                .collect();
            for (index, grant) in grants.iter().enumerate() {
                let text = |what: String| {
                    format!("spec.configs[{index}].deviceAttributesSelector: {what}")
                };
                let over = (!grant.dropped.is_empty()).then(|| {
                    format!(
                        "a device has no room for {}, so they are left out",
                        grant.dropped.join(", ")
                    )
                });
                for text in grant
                    .fault
                    .clone()
                    .map(|why| format!("{why}; no pool"))
                    .into_iter()
                    .chain(over)
                    .map(text)
                {
                    self.problems.push(Problem {
                        kind: Kind::Policy,
                        name: name.clone(),
                        bad: true,
                        text,
                    });
                }
            }
            all.insert(name.clone(), grants);
        }
        all
    }

    fn problem(&mut self, object: &Object, bad: bool, text: String) {
        self.problems.push(Problem {
            kind: object.kind,
            name: object.name.clone(),
            bad,
            text,
        });
    }

    /// What is wrong or odd, by kind and name.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether nothing is there that was never good.
    #[must_use]
    pub fn all_known(&self) -> bool {
        self.policies.values().all(Option::is_some) && self.sets.values().all(Option::is_some)
    }

    /// The pools that policies give, whether a device is in them or not.
    #[must_use]
    pub fn pools(&self) -> BTreeSet<PoolName> {
        self.grants
            .values()
            .flatten()
            .filter_map(|grant| grant.pool.clone())
            .collect()
    }

    /// Those that one policy gives.
    #[must_use]
    pub fn pools_of(&self, policy: &str) -> BTreeSet<PoolName> {
        self.grants
            .get(policy)
            .into_iter()
            .flatten()
            .filter_map(|grant| grant.pool.clone())
            .collect()
    }

    /// Whether a node's labels have to be known.
    #[must_use]
    pub fn needs_labels(&self) -> bool {
        let selectors = self
            .policies
            .values()
            .flatten()
            .filter_map(|policy| policy.nodes.as_ref());
        selectors.into_iter().any(super::NodeSelector::needs_labels)
    }

    /// What applies on the node, in the order in which it is tried.
    pub(super) fn rules(&self, node: &Node) -> Vec<Rule<'_>> {
        let here = |policy: &&Policy| {
            policy
                .nodes
                .as_ref()
                .is_none_or(|nodes| nodes.matches(node))
        };
        let policies = self
            .policies
            .iter()
            .filter_map(|(name, policy)| Some((name, policy.as_ref().filter(here)?)));
        let rules = policies.flat_map(|(name, policy)| {
            let grants = self.grants.get(name).into_iter().flatten();
            let all = policy.configs.iter().zip(grants).enumerate();
            all.map(move |(index, (config, grant))| Rule {
                policy: name,
                index,
                config,
                grant,
            })
        });
        rules.collect()
    }

    /// How many of a node's devices each policy takes; those that take none on a node that they
    /// select have 0.
    #[must_use]
    pub fn matched(&self, node: &Node, devices: &[Seen]) -> BTreeMap<String, usize> {
        let rules = self.rules(node);
        let mut matched: BTreeMap<String, usize> = rules
            .iter()
            .map(|rule| (rule.policy.to_owned(), 0))
            .collect();
        for rule in devices.iter().filter_map(|device| first(&rules, device)) {
            *matched.entry(rule.policy.to_owned()).or_default() += 1;
        }
        matched
    }
}

fn instead(good: bool) -> &'static str {
    if good {
        "its last good state stays"
    } else {
        "it does nothing"
    }
}

/// The first that takes the device.
pub(super) fn first<'a>(rules: &[Rule<'a>], device: &Seen) -> Option<Rule<'a>> {
    rules
        .iter()
        .find(|rule| rule.config.matches(device))
        .copied()
}
