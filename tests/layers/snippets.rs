//! The reader itself, on small sources.

use crate::{
    circles,
    order::Order,
    source::{Files, Tree},
};

const CRATES: [&str; 2] = ["tokio", "clap"];

/// `low` may be imported by `high`, not the other way.
fn order() -> Order {
    Order::of_library(
        "//! | band | module | what |\n//! |---|---|---|\n//! | base | [`low`] | x |\n//! | top | [`high`], [`main.rs`] | y |\n",
    )
}

fn tree(files: &[(&str, &str)]) -> Tree {
    let files: Files = files
        .iter()
        .map(|(path, text)| (format!("src/{path}"), (*text).to_owned()))
        .collect();
    Tree::read(&files, CRATES)
}

/// `low` has this text; the lines that name `high`.
fn lines(low: &str) -> Vec<String> {
    let root = "pub mod low;\npub mod high;";
    let tree = tree(&[
        ("lib.rs", root),
        ("low.rs", low),
        ("high.rs", "pub mod deep {}"),
    ]);
    let line = |text: String| {
        text.split(' ')
            .next()
            .map(|place| place.replace("src/low.rs:", "").replace(':', ""))
    };
    order()
        .violations(&tree)
        .into_iter()
        .filter_map(line)
        .collect()
}

#[track_caller]
fn found(low: &str, expected: &[&str]) {
    assert_eq!(lines(low), expected, "{low}");
}

#[test]
fn a_table_has_bands_and_modules_in_order() {
    assert_eq!(order().names(), ["low", "high", "main"]);
    assert_eq!(order().band("main"), "top");
    assert_eq!(order().before("high"), ["low"]);
    let text = "# A\n\n## Layers\n\nText.\n\n```\nbase  low\ntop   high  main.rs\n```\n\n## B\n";
    assert_eq!(Order::of_documentation(text), order());
}

#[test]
fn imports_are_found_in_groups_renames_and_globs() {
    found("use crate::high;", &["1"]);
    found(
        "use crate::{\n    low,\n    high::{A, deep::*},\n};",
        &["3"],
    );
    found("use crate::high as other;", &["1"]);
    found("pub(crate) use crate::high::*;", &["1"]);
    found("use crate::low;\nuse std::fs;", &[]);
}

#[test]
fn super_is_the_module_that_it_lands_in() {
    found("use super::high::A;", &["1"]);
    found("mod inner {\n    use super::super::high;\n}", &["2"]);
    found("mod inner {\n    use super::high;\n}\nmod high {}", &[]);
}

#[test]
fn paths_are_found_in_expressions_types_and_attributes() {
    found("fn f() {\n    crate::high::g();\n}", &["2"]);
    found("fn f(x: Vec<crate::high::A>) {}", &["1"]);
    found("fn f() {\n    match 1 { crate::high::A => {} }\n}", &["2"]);
    found("#[derive(crate::high::Derive)]\nstruct A;", &["1"]);
    found("#[serde(with = \"crate::high::text\")]\nstruct A;", &["1"]);
    found("/// [`crate::high::A`]\nfn f() {}", &[]);
}

#[test]
fn paths_are_found_in_macros() {
    found("fn f() {\n    crate::high::m!();\n}", &["2"]);
    found(
        "fn f() {\n    println!(\"{}\", [\n        crate::high::A,\n    ]);\n}",
        &["3"],
    );
    found("macro_rules! m { () => { $crate::high::A }; }", &["1"]);
    found("fn f() {\n    println!(\"{}\", \"crate::high\");\n}", &[]);
}

#[test]
fn what_a_use_brings_in_is_followed() {
    found(
        "use crate as root;\nfn f() {\n    root::high::g();\n}",
        &["3"],
    );
    found("use super::*;\nfn f() {\n    high::g();\n}", &["3"]);
}

#[test]
fn tests_and_the_binary_are_held_to_the_order() {
    found("#[cfg(test)]\nmod tests {\n    use crate::high;\n}", &["3"]);
    let tree = tree(&[
        ("lib.rs", "pub mod high {}"),
        ("main.rs", "use sriov_dra::high;\n"),
    ]);
    assert!(order().violations(&tree).is_empty());
    assert_eq!(tree.top_level(), ["high", "main"]);
}

#[test]
fn a_crate_is_told_from_a_module_of_its_name() {
    let low = "mod tokio { pub fn f() {} }\nuse tokio::f;\nuse ::tokio::spawn;\nuse clap::clap;";
    let tree = tree(&[("lib.rs", "mod low;"), ("low.rs", low)]);
    let targets: Vec<String> = tree
        .links()
        .map(|link| format!("{:?}", link.stations))
        .collect();
    assert_eq!(
        targets,
        [
            r#"[Inside(["low", "tokio", "f"])]"#,
            r#"[Crate("tokio")]"#,
            r#"[Crate("clap")]"#
        ]
    );
}

#[test]
fn a_circle_is_seen_through_the_parents_names() {
    let files = [
        ("lib.rs", "mod low;"),
        ("low/mod.rs", "mod a;\nmod b;\nmod c;\npub use b::B;"),
        ("low/a.rs", "use super::B;\nuse super::c;"),
        ("low/b.rs", "mod deep;"),
        ("low/b/deep.rs", "fn f() {\n    crate::low::a::g();\n}"),
        ("low/c.rs", "use super::b;"),
    ];
    let text = "low: a ↔ b ↔ c\n    src/low/a.rs:1: a imports b\n    src/low/a.rs:2: a imports c\n    \
                src/low/b/deep.rs:2: b imports a\n    src/low/c.rs:1: c imports b";
    assert_eq!(circles::all(&tree(&files)), [text]);
}

#[test]
fn parent_and_child_are_no_circle() {
    let files = [
        ("lib.rs", "mod low;"),
        ("low/mod.rs", "mod a;\npub struct B;\nuse a::A;"),
        ("low/a.rs", "use super::B;"),
    ];
    assert!(circles::all(&tree(&files)).is_empty());
}
