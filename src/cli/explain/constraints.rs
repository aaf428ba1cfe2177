//! The available devices by the values that a constraint compares: nodes with the same values share
//! a line.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::explain::ConstraintView;

/// So many lines of a constraint are printed, and so many values of one.
const LINES: usize = 5;
const VALUES: usize = 8;

/// Cells of the table: constraint, node, devices by value. With `all`, of every node.
pub(super) fn lines(views: &[ConstraintView], all: bool) -> Vec<Vec<String>> {
    let mut constraints: Vec<&str> = Vec::new();
    for view in views {
        if !constraints.contains(&&*view.constraint) {
            constraints.push(&view.constraint);
        }
    }
    let of = |constraint: &&str| {
        let own = views.iter().filter(|view| view.constraint == *constraint);
        match all {
            true => own.map(|view| line(view, &view.node)).collect(),
            false => grouped(own),
        }
    };
    constraints.iter().flat_map(of).collect()
}

/// Nodes with the most devices of one value first.
fn grouped<'a>(views: impl Iterator<Item = &'a ConstraintView>) -> Vec<Vec<String>> {
    let mut groups: BTreeMap<&[(String, usize)], Vec<&ConstraintView>> = BTreeMap::new();
    for view in views {
        groups.entry(&view.groups).or_default().push(view);
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|nodes| Reverse((most(nodes[0]), nodes.len())));
    let shown = match groups.len() > LINES {
        true => LINES - 1,
        false => groups.len(),
    };
    let rest = groups.split_off(shown);
    let mut lines: Vec<Vec<String>> = groups.iter().map(|nodes| of_nodes(nodes)).collect();
    let more: usize = rest.iter().map(Vec::len).sum();
    if let Some(view) = rest.first().and_then(|nodes| nodes.first()) {
        let nodes = format!("{more} more nodes");
        lines.push(vec![
            view.constraint.clone(),
            nodes,
            "as many or fewer of a value".to_owned(),
        ]);
    }
    lines
}

fn most(view: &ConstraintView) -> usize {
    view.groups
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
}

fn of_nodes(nodes: &[&ConstraintView]) -> Vec<String> {
    match nodes {
        [one] => line(one, &one.node),
        all => line(all[0], &format!("{} nodes", all.len())),
    }
}

fn line(view: &ConstraintView, node: &str) -> Vec<String> {
    let mut groups: Vec<String> = view
        .groups
        .iter()
        .take(VALUES)
        .map(|(value, count)| format!("{value}: {count}"))
        .collect();
    match view.groups.len().saturating_sub(VALUES) {
        0 if groups.is_empty() => groups.push("none".to_owned()),
        0 => {}
        more => groups.push(format!("{more} more values")),
    }
    vec![view.constraint.clone(), node.to_owned(), groups.join(", ")]
}
