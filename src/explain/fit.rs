//! Finds devices that satisfy all requests, constraints and counters together: a backtracking
//! search like the scheduler's, over devices that fit each request by themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    holders::{Left, consume, consumption, release},
    objects::{Constraint, Listed},
};

/// The devices that can serve one alternative of a request.
#[derive(Debug, Clone)]
pub(super) struct Candidates {
    /// `req` or `req/sub`.
    pub(super) name: String,
    pub(super) count: usize,
    /// Indices of devices, in the scheduler's order.
    pub(super) devices: Vec<usize>,
    /// Requested with `adminAccess`: neither takes the device nor consumes counters.
    pub(super) admin_access: bool,
}

/// The chosen devices: name of the request or alternative, and index of the device.
pub(super) type Choice = Vec<(String, usize)>;

/// Result of a search.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SearchResult {
    /// A choice that satisfies everything.
    Choice(Choice),
    /// There is no such choice.
    None,
    /// Given up after [`MAX_TRIES`].
    Undecided,
}

/// Limit on placements tried: the search is exponential in the worst case.
const MAX_TRIES: usize = 200_000;

/// Input of a search.
pub(super) struct Search<'a, 's> {
    pub(super) devices: &'s [Listed<'a>],
    /// The alternatives of each request that enough devices fit.
    pub(super) requests: &'s [Vec<Candidates>],
    pub(super) constraints: Vec<&'a Constraint>,
    pub(super) left: Left<'a>,
    /// Whether shared counters are checked.
    pub(super) counting: bool,
    /// So many devices may be chosen.
    pub(super) most: usize,
}

struct Progress<'a, 's> {
    search: Search<'a, 's>,
    chosen: Choice,
    taken: BTreeSet<usize>,
    /// For each constraint, the attribute values of the devices chosen so far.
    values: Vec<Vec<String>>,
    /// Equivalence class of each device: one that fails need not be tried again with another
    /// device of the same class.
    kinds: BTreeMap<usize, usize>,
    tries: usize,
}

impl<'a> Search<'a, '_> {
    pub(super) fn run(self) -> SearchResult {
        let values = vec![Vec::new(); self.constraints.len()];
        let kinds = self.kinds();
        let mut progress = Progress {
            search: self,
            chosen: Vec::new(),
            taken: BTreeSet::new(),
            values,
            kinds,
            tries: 0,
        };
        match progress.serve(0) {
            true => SearchResult::Choice(progress.chosen),
            false if progress.tries >= MAX_TRIES => SearchResult::Undecided,
            false => SearchResult::None,
        }
    }

    /// Groups devices that are interchangeable: same attribute values for the constraints, same
    /// counter consumption, and candidates of the same alternatives.
    fn kinds(&self) -> BTreeMap<usize, usize> {
        let options = || self.requests.iter().flatten();
        let all: BTreeSet<usize> = options()
            .flat_map(|option| option.devices.iter().copied())
            .collect();
        let mut known = BTreeMap::new();
        all.into_iter()
            .map(|device| {
                let listed = &self.devices[device];
                let values: Vec<_> = self
                    .constraints
                    .iter()
                    .map(|constraint| value(constraint, listed))
                    .collect();
                let takes: Vec<_> = consumption(listed).collect();
                let members: Vec<bool> = options()
                    .map(|option| option.devices.binary_search(&device).is_ok())
                    .collect();
                let next = known.len();
                (
                    device,
                    *known.entry((values, takes, members)).or_insert(next),
                )
            })
            .collect()
    }
}

impl Progress<'_, '_> {
    /// Chooses devices for this request and all that follow.
    fn serve(&mut self, request: usize) -> bool {
        let requests = self.search.requests;
        let Some(options) = requests.get(request) else {
            return true;
        };
        options.iter().any(|option| {
            self.chosen.len().saturating_add(option.count) <= self.search.most
                && self.fill(request, option, option.count, 0)
        })
    }

    /// Chooses the `missing` devices of this request among those from index `from` on, then serves
    /// the next requests; backtracks if they cannot be served.
    fn fill(&mut self, request: usize, option: &Candidates, missing: usize, from: usize) -> bool {
        if missing == 0 {
            return self.serve(request + 1);
        }
        let mut failed_kinds = BTreeSet::new();
        for at in from..option.devices.len() {
            let device = option.devices[at];
            if option.devices.len() - at < missing || self.tries >= MAX_TRIES {
                return false;
            }
            if failed_kinds.contains(&self.kinds[&device]) || !self.place(option, device) {
                continue;
            }
            if self.fill(request, option, missing - 1, at + 1) {
                return true;
            }
            self.unplace(option, device);
            // Any other device of this kind would fail in the same way.
            failed_kinds.insert(self.kinds[&device]);
        }
        false
    }

    fn place(&mut self, option: &Candidates, device: usize) -> bool {
        self.tries += 1;
        let listed = self.search.devices[device];
        let free = option.admin_access || !self.taken.contains(&device);
        if !free || !self.constraints_hold(option, device) {
            return false;
        }
        if !option.admin_access {
            let enough = |(counter, needs)| {
                self.search
                    .left
                    .get(&counter)
                    .is_some_and(|left| *left >= needs)
            };
            if self.search.counting && !consumption(&listed).all(enough) {
                return false;
            }
            consume(&mut self.search.left, &listed);
            self.taken.insert(device);
        }
        for (constraint, values) in self.search.constraints.iter().zip(&mut self.values) {
            if covers(&constraint.requests, &option.name) {
                values.extend(value(constraint, &listed));
            }
        }
        self.chosen.push((option.name.clone(), device));
        true
    }

    fn constraints_hold(&self, option: &Candidates, device: usize) -> bool {
        let listed = &self.search.devices[device];
        self.search
            .constraints
            .iter()
            .zip(&self.values)
            .all(|(constraint, values)| {
                !covers(&constraint.requests, &option.name)
                    || value(constraint, listed).is_some_and(|value| {
                        match constraint.match_attribute {
                            Some(_) => values.iter().all(|other| *other == value),
                            None => !values.contains(&value),
                        }
                    })
            })
    }

    fn unplace(&mut self, option: &Candidates, device: usize) {
        self.chosen.pop();
        for (constraint, values) in self.search.constraints.iter().zip(&mut self.values) {
            // place() has pushed one value: constraints_hold() is false for a device without one.
            if covers(&constraint.requests, &option.name) {
                values.pop();
            }
        }
        if !option.admin_access {
            release(&mut self.search.left, &self.search.devices[device]);
            self.taken.remove(&device);
        }
    }
}

/// Whether a constraint's or config's `requests` include this one. `req` includes `req/sub`; an
/// empty list means all.
pub(super) fn covers(requests: &[String], name: &str) -> bool {
    let base = name.split('/').next().unwrap_or(name);
    requests.is_empty()
        || requests
            .iter()
            .any(|request| request == name || request == base)
}

/// The attribute that a constraint compares.
pub(super) fn attribute(constraint: &Constraint) -> Option<&str> {
    constraint
        .match_attribute
        .as_deref()
        .or(constraint.distinct_attribute.as_deref())
}

/// The device's value of that attribute.
pub(super) fn value(constraint: &Constraint, listed: &Listed<'_>) -> Option<String> {
    attribute(constraint)
        .and_then(|name| listed.attribute(name))
        .map(ToString::to_string)
}
