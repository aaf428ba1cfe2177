//! How many devices pass each step of an allocation: published, class, pool, selectors, free, and
//! what constraints allow together on one node.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    cause::needs,
    evaluate::{Alternative, Stage, Verdict},
    fit,
    nodes::Node,
    objects::{Constraint, Listed},
    report::Funnel,
};

/// The funnel of one alternative over all nodes. `at` is its position: request, alternative.
pub(super) fn funnel(
    nodes: &[Node<'_, '_>],
    alternative: &Alternative<'_>,
    at: (usize, usize),
    constraints: &[Constraint],
    driver: &str,
) -> Funnel {
    let constraints: Vec<&Constraint> = constraints
        .iter()
        .filter(|constraint| fit::covers(&constraint.requests, &alternative.name))
        .collect();
    let mut funnel = Funnel::of(&alternative.name, nodes.len());
    funnel.constraints = (!constraints.is_empty()).then_some(0);
    for node in nodes {
        let verdicts = node.verdicts(at);
        for (_, verdict) in node.shown(at, driver) {
            count(&mut funnel, alternative, verdict);
        }
        let free = free(node, verdicts, alternative);
        let together = together(&constraints, &free);
        if together >= funnel.constraints.unwrap_or(funnel.one_node) {
            funnel.needed = needs(alternative, verdicts);
        }
        funnel.one_node = funnel.one_node.max(free.len());
        funnel.constraints = funnel.constraints.map(|most| most.max(together));
    }
    funnel
}

/// A device is counted by each step that it passes.
fn count(funnel: &mut Funnel, alternative: &Alternative<'_>, verdict: &Verdict) {
    let passed = match alternative.class {
        Some(_) => verdict.stage(),
        None => Stage::Class,
    };
    let Funnel {
        devices,
        class,
        pool,
        selectors,
        free,
        ..
    } = funnel;
    let steps = [
        (Stage::Class, devices),
        (Stage::Pool, class),
        (Stage::Selectors, pool),
        (Stage::Free, selectors),
        (Stage::Passed, free),
    ];
    for (stage, counter) in steps {
        *counter += usize::from(passed >= stage);
    }
}

fn free<'n, 'a>(
    node: &'n Node<'a, '_>,
    verdicts: &[Verdict],
    alternative: &Alternative<'_>,
) -> Vec<&'n Listed<'a>> {
    let fits = |(_, verdict): &(_, &Verdict)| **verdict == Verdict::Fits;
    let all = node.devices.iter().zip(verdicts).filter(fits);
    all.filter(|_| alternative.class.is_some())
        .map(|(listed, _)| listed)
        .collect()
}

/// The most of these devices that satisfy the constraints together: of those with equal values
/// where they must be equal, as many as have different ones where they must differ.
fn together(constraints: &[&Constraint], free: &[&Listed<'_>]) -> usize {
    let mut groups: BTreeMap<Vec<String>, Vec<&Listed<'_>>> = BTreeMap::new();
    for listed in free {
        let equal = constraints.iter().filter(|one| is_match(one));
        let values: Option<Vec<String>> = equal.map(|one| fit::value(one, listed)).collect();
        if let Some(values) = values {
            groups.entry(values).or_default().push(listed);
        }
    }
    let distinct = |group: &Vec<&Listed<'_>>| {
        let different = constraints.iter().filter(|one| !is_match(one));
        different
            .map(|one| {
                let values = group.iter().filter_map(|listed| fit::value(one, listed));
                values.collect::<BTreeSet<String>>().len()
            })
            .chain([group.len()])
            .min()
            .unwrap_or(0)
    };
    groups.values().map(distinct).max().unwrap_or(0)
}

fn is_match(constraint: &Constraint) -> bool {
    constraint.match_attribute.is_some()
}
