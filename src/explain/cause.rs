//! The root cause: of all rejections, the one that the user has to act on.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    evaluate::{Alternative, Verdict},
    fit::{Candidates, Choice, Search, SearchResult, covers},
    holders::Holders,
    limit,
    objects::{Constraint, Listed},
    reason, text,
};

/// Why a claim is not allocated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Machine-readable and stable.
    pub code: &'static str,
    /// Human-readable message.
    pub text: String,
    /// The request concerned, if it is one.
    pub request: Option<String>,
    /// The node that came closest, if any.
    pub node: Option<String>,
}

impl Cause {
    pub(super) fn new(code: &'static str, request: Option<&str>, text: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            request: request.map(str::to_owned),
            node: None,
        }
    }
}

/// The devices of one node, evaluated for every request.
pub(super) struct NodeView<'a, 's> {
    pub(super) devices: &'s [Listed<'a>],
    /// The alternatives of each request, each with one verdict per device.
    pub(super) requests: &'s [Vec<(&'s Alternative<'a>, Vec<Verdict>)>],
    pub(super) constraints: &'a [Constraint],
    pub(super) holders: &'s Holders<'a>,
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
        if let Some(text) = limit::over(self.least()) {
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

/// How many devices an alternative needs.
pub(super) fn needs(alternative: &Alternative<'_>, verdicts: &[Verdict]) -> usize {
    match alternative.spec.allocation_mode.as_str() {
        "All" => verdicts
            .iter()
            .filter(|verdict| verdict.matches())
            .count()
            .max(1),
        _ => alternative.spec.count.unwrap_or(1),
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

/// Why a request cannot be allocated even by itself; `None` if one of its alternatives can.
/// Otherwise the alternative that came closest is reported.
fn shortfall(
    request: &[(&Alternative<'_>, Vec<Verdict>)],
    devices: &[Listed<'_>],
) -> Option<(usize, Cause)> {
    let of = |(alternative, verdicts): &(&Alternative<'_>, Vec<Verdict>)| {
        shortfall_of(alternative, verdicts, devices)
    };
    let shortfalls: Vec<(usize, Cause)> = request.iter().filter_map(of).collect();
    if shortfalls.len() < request.len() {
        return None;
    }
    shortfalls.into_iter().max_by_key(|(near, _)| *near)
}

/// The same for one alternative, with a rank to compare nodes and alternatives: 0 without a
/// class, 1 without a matching device, then the more the more devices match.
fn shortfall_of(
    alternative: &Alternative<'_>,
    verdicts: &[Verdict],
    devices: &[Listed<'_>],
) -> Option<(usize, Cause)> {
    let request = Some(&*alternative.name);
    if alternative.class.is_none() {
        let text = format!(
            "request {}: DeviceClass {} not found",
            alternative.name, alternative.spec.device_class_name
        );
        return Some((0, Cause::new("classMissing", request, text)));
    }
    let (fits, needs) = (
        count(verdicts, |verdict| *verdict == Verdict::Fits),
        needs(alternative, verdicts),
    );
    if let Some(at) = aborting_device(verdicts, needs) {
        return Some((
            1,
            Cause::new(
                "selectorError",
                request,
                reason::aborted(&verdicts[at], &devices[at]),
            ),
        ));
    }
    if fits >= needs {
        return None;
    }
    match count(verdicts, Verdict::matches) {
        0 => Some((1, nothing_matches(alternative, verdicts))),
        matching if matching < needs => {
            let text = format!(
                "request {} needs {needs} devices, {}",
                alternative.name,
                text::matching(matching)
            );
            Some((2 + matching, Cause::new("tooFew", request, text)))
        }
        matching => Some((2 + matching, not_free(alternative, verdicts, fits, needs))),
    }
}

/// The device whose selector error makes the scheduler abort. It stops looking as soon as it has
/// enough devices, so errors on later ones do not matter.
fn aborting_device(verdicts: &[Verdict], needs: usize) -> Option<usize> {
    let at = verdicts
        .iter()
        .position(|verdict| matches!(verdict, Verdict::Failed(..)))?;
    (count(&verdicts[..at], |verdict| *verdict == Verdict::Fits) < needs).then_some(at)
}

fn count(verdicts: &[Verdict], which: impl Fn(&Verdict) -> bool) -> usize {
    verdicts.iter().filter(|verdict| which(verdict)).count()
}

/// The selector term that rejected the devices that came closest.
pub(super) fn nothing_matches(alternative: &Alternative<'_>, verdicts: &[Verdict]) -> Cause {
    let rejections = || {
        let all = verdicts.iter();
        all.filter_map(|verdict| {
            if let Verdict::Rejected(rejection) = verdict {
                Some(rejection)
            } else {
                None
            }
        })
    };
    let request = Some(&*alternative.name);
    let Some(nearest) = rejections().max_by_key(|rejection| rejection.passed) else {
        return Cause::new("noDevices", request, "there are no devices");
    };
    let same = || rejections().filter(|one| one.place == nearest.place && one.term == nearest.term);
    let whose = if same().count() == verdicts.len() {
        "all devices"
    } else {
        "the closest devices"
    };
    let text = format!(
        "no device matches request {}: {}: {} is false for {whose}: {}",
        alternative.name,
        nearest.place,
        nearest.term,
        reason::distribution(same())
    );
    Cause::new("selector", request, text)
}

/// Enough devices match, but too few of them are available.
fn not_free(
    alternative: &Alternative<'_>,
    verdicts: &[Verdict],
    fits: usize,
    needs: usize,
) -> Cause {
    let mut kinds: BTreeMap<&'static str, Vec<&Verdict>> = BTreeMap::new();
    for verdict in verdicts
        .iter()
        .filter(|verdict| verdict.matches() && **verdict != Verdict::Fits)
    {
        kinds.entry(verdict.code()).or_default().push(verdict);
    }
    let mut kinds: Vec<_> = kinds.into_iter().collect();
    kinds.sort_by_key(|(_, all)| std::cmp::Reverse(all.len()));
    let code = kinds.first().map_or("tooFew", |(code, _)| code);
    let matching = count(verdicts, Verdict::matches);
    let rest: Vec<String> = kinds
        .iter()
        .map(|(code, all)| format!("{} {}", all.len(), blocked(code, all)))
        .collect();
    let have = if fits == 0 {
        "none is available".to_owned()
    } else {
        format!("{needs} needed, {fits} available")
    };
    let text = format!(
        "{} request {}, {have}: {}",
        text::matching(matching),
        alternative.name,
        rest.join("; ")
    );
    Cause::new(code, Some(&alternative.name), text)
}

fn blocked(code: &str, all: &[&Verdict]) -> String {
    let mut details: Vec<String> = all
        .iter()
        .map(|verdict| match verdict {
            Verdict::Held(claim, pods) => text::holder(claim, pods),
            Verdict::Tainted(taints) => taints.join(", "),
            verdict => reason::reason(verdict),
        })
        .collect();
    details.sort();
    details.dedup();
    let shown = text::list(details.iter().take(3).cloned().collect(), details.len());
    match code {
        "held" => format!("allocated to {shown}"),
        "taint" => format!("with untolerated taints: {shown}"),
        _ => format!("blocked: {shown}"),
    }
}
