//! Circles between siblings: modules of one directory that import each other, directly or through
//! others.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    resolve::{Link, Target},
    source::{Name, Tree},
};

/// Sibling → siblings that it imports, each with the first place.
type Edges<'a> = BTreeMap<&'a str, BTreeMap<&'a str, String>>;

/// Each circle of a tree, with the imports that make it. That the modules below the root have none
/// follows from their order. Tests do not count: nobody imports them, so what they import can be
/// understood before them.
pub(crate) fn all(tree: &Tree) -> Vec<String> {
    let links: Vec<(&Name, Name, String)> =
        tree.links().filter_map(|link| inner(tree, &link)).collect();
    let mut parents: BTreeMap<&[String], Edges<'_>> = BTreeMap::new();
    for (from, to, place) in &links {
        let depth = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        if depth > 0 && from.len() > depth && to.len() > depth {
            let edges = parents.entry(&from[..depth]).or_default();
            let to_whom = edges.entry(&from[depth]).or_default();
            to_whom.entry(&to[depth]).or_insert_with(|| place.clone());
        }
    }
    let circles = parents.iter();
    circles
        .flat_map(|(parent, edges)| described(parent, edges))
        .collect()
}

/// From a module to the one that has what it names.
fn inner<'a>(tree: &Tree, link: &Link<'a>) -> Option<(&'a Name, Name, String)> {
    match link.stations.last() {
        Some(Target::Inside(name)) if !tree.modules[link.at].is_test => {
            Some((link.at, tree.module_of(name).to_vec(), link.place()))
        }
        _ => None,
    }
}

fn described(parent: &[String], edges: &Edges<'_>) -> Vec<String> {
    let mut circles = BTreeSet::new();
    for sibling in edges.keys() {
        let circle: BTreeSet<&str> = reachable(edges, sibling)
            .into_iter()
            .filter(|other| reachable(edges, other).contains(sibling))
            .collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles
        .iter()
        .map(|circle| description(parent, edges, circle))
        .collect()
}

fn description(parent: &[String], edges: &Edges<'_>, circle: &BTreeSet<&str>) -> String {
    let names: Vec<&str> = circle.iter().copied().collect();
    let mut text = format!("{}: {}", parent.join("::"), names.join(" ↔ "));
    for (from, to_whom) in edges.iter().filter(|(from, _)| circle.contains(*from)) {
        for (to, place) in to_whom.iter().filter(|(to, _)| circle.contains(*to)) {
            text += &format!("\n    {place}: {from} imports {to}");
        }
    }
    text
}

fn reachable<'a>(edges: &Edges<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut known = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(next) = open.pop() {
        for to in edges.get(&*next).into_iter().flat_map(BTreeMap::keys) {
            if known.insert(*to) {
                open.push((*to).to_owned());
            }
        }
    }
    known
}
