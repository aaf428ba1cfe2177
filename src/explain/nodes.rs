//! Every node by itself: a claim is allocated on one.

use super::{
    evaluate::{Alternative, Verdict},
    fit,
    holders::Holders,
    objects::Listed,
    outcome::{NodeView, Outcome},
    snapshot::Snapshot,
    target::Target,
};

/// One node, evaluated.
pub(super) struct Node<'a, 's> {
    pub(super) name: String,
    pub(super) devices: Vec<Listed<'a>>,
    /// Each request's alternatives with a verdict per device.
    pub(super) requests: Vec<Vec<(&'s Alternative<'a>, Vec<Verdict>)>>,
    pub(super) outcome: Outcome,
}

impl<'a> Node<'a, '_> {
    /// The verdicts on its devices, of a request's alternative.
    pub(super) fn verdicts(&self, (request, alternative): (usize, usize)) -> &[Verdict] {
        &self.requests[request][alternative].1
    }

    /// The devices that a report is about: those of other drivers only if they are not simply
    /// rejected by a selector.
    pub(super) fn shown(
        &self,
        at: (usize, usize),
        driver: &str,
    ) -> impl Iterator<Item = (&Listed<'a>, &Verdict)> {
        let all = self.devices.iter().zip(self.verdicts(at));
        all.filter(move |(listed, verdict)| {
            listed.driver == driver || !matches!(verdict, Verdict::Rejected(_))
        })
    }

    pub(super) fn choice(&self) -> Option<&fit::Choice> {
        if let Outcome::Fits(choice) = &self.outcome {
            Some(choice)
        } else {
            None
        }
    }

    /// A selector error on one node aborts the scheduling of the pod on all nodes.
    pub(super) fn abort_note(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Rejected(_, cause) if cause.code == "selectorError" => Some(format!(
                "the scheduler may abort on {} first: {}",
                self.name, cause.text
            )),
            _ => None,
        }
    }
}

/// Evaluates the requests on each node that has devices.
pub(super) fn nodes<'a, 's>(
    snapshot: &'a Snapshot,
    all: &[Listed<'a>],
    requests: &'s [Vec<Alternative<'a>>],
    target: &'a Target<'a>,
    holders: &Holders<'a>,
) -> Vec<Node<'a, 's>> {
    let names = names(all, target);
    let node = |name: &&str| {
        let here = |listed: &&Listed<'a>| listed.node.is_none_or(|node| node == *name);
        let devices: Vec<Listed<'a>> = all.iter().filter(here).copied().collect();
        let evaluated = |alternative: &'s Alternative<'a>| {
            let verdicts = devices
                .iter()
                .map(|listed| alternative.evaluate(listed, holders, &snapshot.rules))
                .collect();
            (alternative, verdicts)
        };
        let requests: Vec<Vec<_>> = requests
            .iter()
            .map(|request| request.iter().map(evaluated).collect())
            .collect();
        let constraints = &target.devices.constraints;
        let outcome = NodeView {
            devices: &devices,
            requests: &requests,
            constraints,
            holders,
            claims: target.claims,
        }
        .outcome();
        Node {
            name: (*name).to_owned(),
            devices,
            requests,
            outcome,
        }
    };
    names.iter().map(node).collect()
}

/// The nodes that the target may be on: with devices, or the one that it is bound to.
fn names<'a>(all: &[Listed<'a>], target: &'a Target<'a>) -> Vec<&'a str> {
    if let Some(node) = &target.node {
        return vec![node];
    }
    let mut names: Vec<&str> = all.iter().filter_map(|listed| listed.node).collect();
    names.sort_unstable();
    names.dedup();
    names
}
