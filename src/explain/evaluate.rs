//! One request against one device: what, if anything, refuses it.

use std::collections::BTreeMap;

use super::{
    holders::Holders,
    objects::{Class, Listed, RequestSpec, Selecting, TaintRule},
    taint, text,
};
use crate::selector::{Because, Judgement, Looked, Selector};

/// One request, or one alternative of one.
pub(super) struct Alternative<'a> {
    /// `req` or `req/sub`.
    pub(super) name: String,
    pub(super) spec: &'a RequestSpec,
    /// None: there is no such class.
    pub(super) class: Option<&'a Class>,
    selectors: Vec<Compiled<'a>>,
}

/// A selector with its place.
struct Compiled<'a> {
    owner: String,
    index: usize,
    expression: &'a str,
    selector: Result<Selector, String>,
}

/// What one selector does with one device.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rejection {
    /// Selectors and terms before it that were true: how near the device came.
    pub(super) passed: (usize, usize),
    /// `class vf, selector 0`.
    pub(super) place: String,
    pub(super) expression: String,
    pub(super) term: String,
    pub(super) looked: Vec<Looked>,
}

/// What a request can expect of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// This program cannot say.
    NotEvaluated(String),
    /// The scheduler gives the claim up at this device.
    Failed(Rejection, String),
    /// A selector is false.
    Rejected(Rejection),
    /// The pool's slices are not all there.
    Incomplete(usize, usize),
    /// Another claim has it: its path, and its pods.
    Held(String, Vec<String>),
    /// Taints that are not tolerated.
    Tainted(Vec<String>),
    /// A counter has too little left.
    Exhausted(String),
    /// Nothing refuses it.
    Fits,
}

impl Verdict {
    /// Stable, for programs.
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

    /// How near it is to success.
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

    /// Whether all selectors are true of it.
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
                &format!("class {}", class.metadata.name),
                &class.spec.selectors,
            )
        });
        let own = compiled(&format!("request {name}"), &spec.selectors);
        let selectors = of_class.chain(own).collect();
        Self {
            name,
            spec,
            class,
            selectors,
        }
    }

    /// A selector that the API server would not have taken.
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
            // The scheduler does not even look at what is taken.
            Verdict::Failed(..) if held.is_some() => return held.unwrap_or(Verdict::Fits),
            verdict => return verdict,
        }
        if let Some((there, said)) = listed.incomplete {
            return Verdict::Incomplete(there, said);
        }
        if let Some(held) = held {
            return held;
        }
        let taints = taint::against(listed, rules, &self.spec.tolerations);
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
            let rejection = |because: Because| Rejection {
                passed: (passed, because.passed),
                place: format!("{}, selector {}", compiled.owner, compiled.index),
                expression: compiled.expression.trim().to_owned(),
                term: because.term,
                looked: because.looked,
            };
            match selector.judge(&listed.cel_device()) {
                Judgement::True => {}
                Judgement::False(because) => return Verdict::Rejected(rejection(because)),
                Judgement::Error(because, text) => {
                    return Verdict::Failed(rejection(because), text);
                }
                Judgement::Unjudged(why) => {
                    return Verdict::NotEvaluated(format!(
                        "{}, selector {}: {why}",
                        compiled.owner, compiled.index
                    ));
                }
            }
        }
        if listed.device.allow_multiple_allocations {
            return Verdict::NotEvaluated(
                "several claims may share it: capacity is not evaluated".to_owned(),
            );
        }
        Verdict::Fits
    }
}

fn compiled<'a>(owner: &str, selectors: &'a [Selecting]) -> Vec<Compiled<'a>> {
    let all = selectors.iter().enumerate().map(|(index, selecting)| {
        let expression = selecting.cel.expression.as_str();
        Compiled {
            owner: owner.to_owned(),
            index,
            expression,
            selector: Selector::compile(expression),
        }
    });
    all.collect()
}
