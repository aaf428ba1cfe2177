//! The allocation on one node: the devices that serve the claim, or what is in the way.

use super::{
    cause::{Cause, needs, shortfall},
    evaluate::{Alternative, Verdict},
    fit::{Candidates, Choice, Search, SearchResult, covers},
    holders::Holders,
    limit,
    objects::{Constraint, Listed},
    text,
};

/// The devices of one node, evaluated for every request.
pub(super) struct NodeView<'a, 's> {
    pub(super) devices: &'s [Listed<'a>],
    /// The alternatives of each request, each with one verdict per device.
    pub(super) requests: &'s [Vec<(&'s Alternative<'a>, Vec<Verdict>)>],
    pub(super) constraints: &'a [Constraint],
    pub(super) holders: &'s Holders<'a>,
    /// How many claims the requests are of.
    pub(super) claims: usize,
}

/// Result of the allocation on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The claim can be allocated with these devices.
    Fits(Choice),
    /// How close it came (to rank nodes), and what stopped it.
    Rejected(usize, Cause),
    /// Not supported by this evaluation, and why.
    Undecided(String),
}

impl<'a> NodeView<'a, '_> {
    pub(super) fn outcome(&self) -> Outcome {
        let shortfall = self
            .requests
            .iter()
            .filter_map(|request| shortfall(request, self.devices))
            .min_by_key(|(near, _)| *near);
        if let Some((near, cause)) = shortfall {
            if self.requests.iter().flatten().any(|(_, all)| {
                all.iter()
                    .any(|verdict| matches!(verdict, Verdict::NotEvaluated(_)))
            }) {
                return self.not_evaluated();
            }
            return Outcome::Rejected(near, cause);
        }
        if let Some(attribute) = self.unsupported_attribute() {
            return Outcome::Undecided(format!(
                "constraints on attribute {attribute} cannot be evaluated: unsupported attribute type"
            ));
        }
        if let Some(text) = limit::over(self.least(), self.claims) {
            return Outcome::Rejected(usize::MAX, Cause::new("tooMany", None, text));
        }
        // Every request can be allocated by itself: try all of them together.
        match self.search(|_| true, true) {
            SearchResult::Choice(choice) => Outcome::Fits(choice),
            SearchResult::Undecided => {
                Outcome::Undecided("too many combinations of devices to try".to_owned())
            }
            SearchResult::None => Outcome::Rejected(usize::MAX, self.conflict()),
        }
    }

    /// The fewest devices that each request can be served with.
    fn least(&self) -> impl Iterator<Item = usize> {
        self.requests.iter().filter_map(|request| {
            let options = request
                .iter()
                .filter_map(|(alternative, all)| candidates(alternative, all));
            options.map(|option| option.count).min()
        })
    }

    fn not_evaluated(&self) -> Outcome {
        let all = self.requests.iter().flatten().flat_map(|(_, all)| all);
        let why = all.filter_map(|verdict| {
            if let Verdict::NotEvaluated(why) = verdict {
                Some(why.clone())
            } else {
                None
            }
        });
        Outcome::Undecided(why.into_iter().next().unwrap_or_default())
    }

    fn unsupported_attribute(&self) -> Option<&str> {
        let names = self.constraints.iter().filter_map(super::fit::attribute);
        names.into_iter().find(|name| {
            let values = self
                .devices
                .iter()
                .filter_map(|listed| listed.attribute(name));
            values
                .into_iter()
                .any(|datum| matches!(datum, crate::selector::AttributeValue::Other(_)))
        })
    }

    fn search(&self, keep: impl Fn(usize) -> bool, counting: bool) -> SearchResult {
        let candidates_of = |request: &Vec<(&Alternative<'a>, Vec<Verdict>)>| {
            request
                .iter()
                .filter_map(|(alternative, all)| candidates(alternative, all))
                .collect()
        };
        let requests: Vec<Vec<Candidates>> = self.requests.iter().map(candidates_of).collect();
        let kept = self
            .constraints
            .iter()
            .enumerate()
            .filter(|(index, _)| keep(*index));
        let constraints = kept.map(|(_, constraint)| constraint).collect();
        let (devices, left) = (self.devices, self.holders.left().clone());
        Search {
            devices,
            requests: &requests,
            constraints,
            left,
            counting,
            most: limit::MAX_DEVICES * self.claims,
        }
        .run()
    }

    /// Each request can be allocated by itself, but not all of them together: finds out whether
    /// the number of devices, counters or constraints are the reason, by searching again without
    /// them.
    fn conflict(&self) -> Cause {
        let found = |result: SearchResult| matches!(result, SearchResult::Choice(_));
        if !found(self.search(|_| false, true)) {
            return match found(self.search(|_| false, false)) {
                true => Cause::new(
                    "counters",
                    None,
                    "the claim requests devices that exclude each other: a PF and its VFs",
                ),
                false => Cause::new(
                    "tooFew",
                    None,
                    "the requests compete for the same devices, and there are too few for all of them",
                ),
            };
        }
        // A constraint is the cause if the claim can be allocated without it. If no single one
        // is, report all of them.
        let mut culprits: Vec<usize> = (0..self.constraints.len()).collect();
        culprits.retain(|index| found(self.search(|other| other != *index, true)));
        let all = if culprits.is_empty() {
            (0..self.constraints.len()).collect()
        } else {
            culprits
        };
        let texts: Vec<String> = all.iter().map(|index| self.unsatisfiable(*index)).collect();
        let first = if texts.len() == 1 {
            ""
        } else {
            "the constraints contradict each other: "
        };
        Cause::new("constraint", None, format!("{first}{}", texts.join("; ")))
    }

    fn unsatisfiable(&self, index: usize) -> String {
        let constraint = &self.constraints[index];
        let alternatives = || {
            self.requests
                .iter()
                .flatten()
                .filter(|(alternative, _)| covers(&constraint.requests, &alternative.name))
        };
        let free = |verdicts: &[Verdict], at: usize| verdicts[at] == Verdict::Fits;
        let all: Vec<&Listed<'_>> = (0..self.devices.len())
            .filter(|at| alternatives().any(|(_, verdicts)| free(verdicts, *at)))
            .map(|at| &self.devices[at])
            .collect();
        let wanted: Vec<String> = alternatives()
            .map(|(alternative, all)| {
                format!(
                    "{} for {}",
                    text::devices(needs(alternative, all)),
                    alternative.name
                )
            })
            .collect();
        let rule = if constraint.match_attribute.is_some() {
            "the same value"
        } else {
            "different values"
        };
        format!(
            "constraint {index}, {}: {} must have {rule}, but the available devices have {}",
            text::constraint(constraint),
            wanted.join(" and "),
            text::grouped(&text::groups(constraint, &all))
        )
    }
}

fn candidates(alternative: &Alternative<'_>, verdicts: &[Verdict]) -> Option<Candidates> {
    let devices: Vec<usize> = (0..verdicts.len())
        .filter(|at| verdicts[*at] == Verdict::Fits)
        .collect();
    let count = needs(alternative, verdicts);
    let served = alternative.class.is_some() && devices.len() >= count;
    served.then(|| Candidates {
        name: alternative.name.clone(),
        count,
        devices,
        admin_access: alternative.spec.admin_access,
    })
}
