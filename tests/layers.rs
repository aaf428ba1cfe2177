//! Imports go up the list of `lib.rs` only: the order of its table, `src` read by `syn`.
//!
//! ```text
//!  lib.rs' table ──► Order ─────────────────┐
//!  src/**/*.rs ────► Tree ─► where paths ───┼─► file:line: what is wrong, and what is allowed
//!                            lead           │
//!  external::MAY ───────────────────────────┘
//! ```
//!
//! Tests are held to the same: what a test of a module needs of a later one is a test of the later
//! one.

#[path = "layers/circles.rs"]
mod circles;
#[path = "layers/external.rs"]
mod external;
#[path = "layers/order.rs"]
mod order;
#[path = "layers/report.rs"]
mod report;
#[path = "layers/resolve.rs"]
mod resolve;
#[path = "layers/snippets.rs"]
mod snippets;
#[path = "layers/source.rs"]
mod source;
#[path = "layers/tokens.rs"]
mod tokens;

use std::{fs, path::Path, sync::LazyLock};

use order::Order;
use source::Tree;

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect(path)
}

fn order() -> Order {
    Order::of_library(&text("src/lib.rs"))
}

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Tree::read(
        &source::files(manifest),
        external::MAY.map(|(name, _)| name),
    )
});

#[track_caller]
fn none(wrong: &[String]) {
    assert!(
        wrong.is_empty(),
        "{} against the layers:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn modules_import_only_modules_before_them() {
    none(&order().violations(&TREE));
}

#[test]
fn crates_are_named_only_where_they_belong() {
    none(&external::violations(&TREE, &order()));
}

#[test]
fn siblings_import_each_other_in_no_circle() {
    none(&circles::all(&TREE));
}

#[test]
fn the_table_has_every_module_and_no_other() {
    let order = order();
    let mut named = order.names();
    named.sort_unstable();
    assert_eq!(named, TREE.top_level());
}

#[test]
fn the_documentation_has_the_same_order() {
    assert_eq!(
        Order::of_documentation(&text("docs/architecture.md")),
        order()
    );
}

#[test]
fn every_dependency_has_its_place() {
    let mut placed: Vec<&str> = external::MAY.iter().map(|(name, _)| *name).collect();
    placed.sort_unstable();
    let dependencies = external::dependencies(&text("Cargo.toml"));
    assert!(placed.iter().eq(dependencies.keys()), "{placed:?}");
}

#[test]
fn without_the_feature_there_is_what_the_node_needs() {
    let (library, order) = (text("src/lib.rs"), order());
    let gated = external::gated(&library);
    for (band, modules) in &order.bands {
        let with_agent = ["edges, async", "processes"].contains(&&**band);
        for module in modules.iter().filter(|module| *module != "main") {
            // `selector` is pure, but CEL is too heavy for a binary that starts once for each pod.
            let expected = with_agent || module == "selector";
            assert_eq!(gated.contains(&&**module), expected, "{module}");
        }
    }
    for (name, optional) in external::dependencies(&text("Cargo.toml")) {
        let needed = external::is_always_needed(&name, &order, &gated);
        assert_eq!(optional, !needed, "{name}");
    }
}
