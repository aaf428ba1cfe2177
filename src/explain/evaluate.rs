//! Evaluates one request for one device: what, if anything, rejects it.

use std::collections::BTreeMap;

use super::{
    holders::Holders,
    objects::{Class, DeviceSelector, Listed, RequestSpec, TaintRule},
    taint, text,
};
use crate::{
    api::RESOURCE_NAME,
    selector::{AccessedValue, DecidingTerm, Selector, SelectorResult},
};

/// A request with `exactly`, or one entry of its `firstAvailable` list.
pub(super) struct Alternative<'a> {
    /// `req` or `req/sub`.
    pub(super) name: String,
    pub(super) spec: &'a RequestSpec,
    /// `None`: the class does not exist.
    pub(super) class: Option<&'a Class>,
    selectors: Vec<Compiled<'a>>,
}

/// A selector and where it is from.
struct Compiled<'a> {
    of_class: bool,
    owner: String,
    index: usize,
    expression: &'a str,
    selector: Result<Selector, String>,
}

/// Why a selector is false, or fails, for a device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rejection {
    /// Selectors, and terms of this one, that were true before: how close the device came.
    pub(super) passed: (usize, usize),
    /// The selector is the class's, not the request's.
    pub(super) of_class: bool,
    /// `class vf, selector 0`.
    pub(super) place: String,
    pub(super) expression: String,
    pub(super) term: String,
    pub(super) accessed: Vec<AccessedValue>,
}

/// Result of a request for a device, ordered by how close it is to success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Not supported by this evaluation, and why.
    NotEvaluated(String),
    /// A selector fails: the scheduler aborts the allocation of the claim at this device.
    Failed(Rejection, String),
    /// A selector is false.
    Rejected(Rejection),
    /// Slices of the pool are missing: how many exist, of how many.
    Incomplete(usize, usize),
    /// Held by another claim: its path and its pods.
    Held(String, Vec<String>),
    /// Untolerated taints.
    Tainted(Vec<String>),
    /// A shared counter has too little left.
    Exhausted(String),
    /// Matches and is available.
    Fits,
}

/// The step of an allocation that rejects a device, in the order of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// The class's selectors, but for the pool.
    Class,
    /// Which pool the device is in.
    Pool,
    /// The request's own selectors.
    Selectors,
    /// It is held, tainted, or otherwise not available.
    Free,
    /// Nothing rejects it.
    Passed,
}

impl Rejection {
    /// The administrator's pool is published in two forms.
    fn stage(&self) -> Stage {
        let is_pool =
            |name: &str| name == "pool" || name.ends_with("/pool") || name == RESOURCE_NAME;
        match self.accessed.iter().any(|accessed| is_pool(&accessed.name)) {
            true => Stage::Pool,
            false if self.of_class => Stage::Class,
            false => Stage::Selectors,
        }
    }
}

impl Verdict {
    /// The step that rejects the device.
    pub(super) fn stage(&self) -> Stage {
        match self {
            Self::NotEvaluated(_) => Stage::Selectors,
            Self::Failed(rejection, _) | Self::Rejected(rejection) => rejection.stage(),
            Self::Incomplete(..) | Self::Held(..) | Self::Tainted(_) | Self::Exhausted(_) => {
                Stage::Free
            }
            Self::Fits => Stage::Passed,
        }
    }

    /// Machine-readable and stable.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::NotEvaluated(_) => "notJudged",
            Self::Failed(..) => "selectorError",
            Self::Rejected(_) => "selector",
            Self::Incomplete(..) => "poolIncomplete",
            Self::Held(..) => "held",
            Self::Tainted(_) => "taint",
            Self::Exhausted(_) => "counters",
            Self::Fits => "fits",
        }
    }

    /// How close it is to success.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::NotEvaluated(_) => 0,
            Self::Failed(..) => 1,
            Self::Rejected(_) => 2,
            Self::Incomplete(..) => 3,
            Self::Held(..) => 4,
            Self::Tainted(_) => 5,
            Self::Exhausted(_) => 6,
            Self::Fits => 7,
        }
    }

    /// Whether all selectors are true for the device.
    pub(super) fn matches(&self) -> bool {
        self.rank() >= 3
    }
}

impl<'a> Alternative<'a> {
    pub(super) fn new(
        name: String,
        spec: &'a RequestSpec,
        classes: &'a BTreeMap<String, Class>,
    ) -> Self {
        let class = classes.get(&spec.device_class_name);
        let of_class = class.into_iter().flat_map(|class| {
            compiled(
                true,
                &format!("class {}", class.metadata.name),
                &class.spec.selectors,
            )
        });
        let own = compiled(false, &format!("request {name}"), &spec.selectors);
        let selectors = of_class.chain(own).collect();
        Self {
            name,
            spec,
            class,
            selectors,
        }
    }

    /// Its selectors, as written.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &'a str> {
        self.selectors.iter().map(|compiled| compiled.expression)
    }

    /// A selector that the API server would reject.
    pub(super) fn invalid(&self) -> Option<String> {
        self.selectors.iter().find_map(|compiled| {
            let error = compiled.selector.as_ref().err()?;
            Some(format!(
                "{}, selector {}: {error}: {}",
                compiled.owner, compiled.index, compiled.expression
            ))
        })
    }

    pub(super) fn evaluate(
        &self,
        listed: &Listed<'a>,
        holders: &Holders<'a>,
        rules: &[TaintRule],
    ) -> Verdict {
        let holder = holders
            .of_device(listed)
            .filter(|_| !self.spec.admin_access && !listed.device.allow_multiple_allocations);
        let held = holder.map(|claim| {
            Verdict::Held(
                claim.path(),
                claim
                    .status
                    .reserved_for
                    .iter()
                    .map(|pod| pod.name.clone())
                    .collect(),
            )
        });
        match self.selected(listed) {
            Verdict::Fits => {}
            // The scheduler skips allocated devices before it evaluates selectors, so an error
            // on one does not abort it.
            Verdict::Failed(..) if held.is_some() => return held.unwrap_or(Verdict::Fits),
            verdict => return verdict,
        }
        if let Some((existing, expected)) = listed.incomplete {
            return Verdict::Incomplete(existing, expected);
        }
        if let Some(held) = held {
            return held;
        }
        let taints = taint::untolerated(listed, rules, &self.spec.tolerations);
        if !taints.is_empty() {
            return Verdict::Tainted(taints.iter().map(ToString::to_string).collect());
        }
        match holders.shortage(listed).filter(|_| !self.spec.admin_access) {
            Some(shortage) => Verdict::Exhausted(text::shortage(listed, &shortage)),
            None => Verdict::Fits,
        }
    }

    fn selected(&self, listed: &Listed<'a>) -> Verdict {
        for (passed, compiled) in self.selectors.iter().enumerate() {
            let Ok(selector) = &compiled.selector else {
                continue;
            };
            let rejection = |term: DecidingTerm| Rejection {
                passed: (passed, term.passed),
                of_class: compiled.of_class,
                place: format!("{}, selector {}", compiled.owner, compiled.index),
                expression: compiled.expression.trim().to_owned(),
                term: term.term,
                accessed: term.accessed,
            };
            match selector.evaluate(&listed.cel_device()) {
                SelectorResult::True => {}
                SelectorResult::False(term) => return Verdict::Rejected(rejection(term)),
                SelectorResult::Error(term, text) => {
                    return Verdict::Failed(rejection(term), text);
                }
                SelectorResult::Unsupported(why) => {
                    return Verdict::NotEvaluated(format!(
                        "{}, selector {}: {why}",
                        compiled.owner, compiled.index
                    ));
                }
            }
        }
        if !self.spec.capacity.requests.is_empty() {
            return Verdict::NotEvaluated(format!(
                "request {}: requests of capacity are not evaluated",
                self.name
            ));
        }
        if listed.device.allow_multiple_allocations {
            return Verdict::NotEvaluated(
                "the device can be shared by several claims: capacity is not evaluated".to_owned(),
            );
        }
        Verdict::Fits
    }
}

fn compiled<'a>(of_class: bool, owner: &str, selectors: &'a [DeviceSelector]) -> Vec<Compiled<'a>> {
    let all = selectors.iter().enumerate().map(|(index, selector)| {
        let expression = selector.cel.expression.as_str();
        Compiled {
            of_class,
            owner: owner.to_owned(),
            index,
            expression,
            selector: Selector::compile(expression),
        }
    });
    all.collect()
}
