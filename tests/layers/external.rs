//! Where other crates may be named. The feature `agent` of Cargo holds the lower bands to it once
//! more.

use std::collections::BTreeMap;

use crate::{
    order::Order,
    report::{self, Wrong},
    resolve::{Link, Target},
    source::Tree,
};

/// Every dependency, and the modules or bands that may name it. Standard library: all.
pub(crate) const MAY: [(&str, &[&str]); 33] = [
    // What every band may build on.
    ("ipnet", ALL),
    ("jiff", ALL),
    ("semver", ALL),
    ("serde", ALL),
    ("serde_json", ALL),
    ("tempfile", ALL),
    ("thiserror", ALL),
    ("tracing", ALL),
    // The kernel, behind one seam; locks and descriptors are files.
    ("netlink_packet_core", &["host"]),
    ("netlink_packet_route", &["host"]),
    ("netlink_sys", &["host"]),
    ("rustix", &["files", "host"]),
    // Selectors.
    ("cel", &["selector"]),
    ("regex", &["selector"]),
    // Whatever is async.
    ("async_trait", ASYNC),
    ("futures", ASYNC),
    ("tokio", ASYNC),
    ("tokio_stream", ASYNC),
    // One peer each.
    ("k8s_openapi", &["cluster"]),
    ("kube", &["cluster"]),
    ("prost", &["kubelet", "nri"]),
    ("rustls", &["cluster"]),
    ("tonic", &["kubelet"]),
    ("tonic_prost", &["kubelet"]),
    ("tower", &["cluster"]),
    // Processes.
    ("anyhow", &[PROCESSES]),
    // Readiness and metrics; the scripted API server of cluster's tests.
    ("axum", &["cluster", "telemetry"]),
    // `args` has the flags; main and tests parse them.
    ("clap", &[PROCESSES]),
    ("comfy_table", &["cli"]),
    ("prometheus_client", &["telemetry"]),
    ("serde_saphyr", &[PROCESSES]),
    // The configuration of container runtimes.
    ("toml", &["doctor"]),
    ("tracing_subscriber", &["telemetry"]),
];

const PROCESSES: &str = "processes";
const ALL: &[&str] = &[
    "base",
    "model, pure",
    "node, blocking",
    "edges, async",
    PROCESSES,
];
const ASYNC: &[&str] = &["edges, async", PROCESSES];

/// Names of crates where they do not belong.
pub(crate) fn violations(tree: &Tree, order: &Order) -> Vec<String> {
    report::lines(tree.links().filter_map(|link| violation(link, order)))
}

fn violation<'a>(link: Link<'a>, order: &Order) -> Option<Wrong<'a>> {
    let Some(Target::Crate(name)) = link.outside() else {
        return None;
    };
    let (_, places) = MAY.iter().find(|(known, _)| known == name)?;
    let (module, band) = (link.top(), order.band(link.top()));
    if places.contains(&module) || places.contains(&band) {
        return None;
    }
    let allowed = places.join("; ");
    let text = format!("{module} ({band}) names {name}, which is for: {allowed}");
    Some((link.file, text, link.line))
}

/// `[dependencies]` of a manifest, as code has their names, sorted; and which of them are optional.
pub(crate) fn dependencies(manifest: &str) -> BTreeMap<String, bool> {
    let lines = manifest
        .lines()
        .skip_while(|line| *line != "[dependencies]")
        .skip(1);
    let lines = lines.take_while(|line| !line.starts_with('['));
    let pairs = lines.filter_map(|line| line.split_once(" = "));
    let optional = |text: &str| text.contains("optional = true");
    pairs
        .map(|(name, text)| (name.replace('-', "_"), optional(text)))
        .collect()
}

/// The modules that `lib.rs` has with the feature only.
pub(crate) fn gated(library: &str) -> Vec<&str> {
    let items = library.split("#[cfg(feature = \"agent\")]\n").skip(1);
    let modules = items.filter_map(|rest| rest.trim_start_matches("pub ").strip_prefix("mod "));
    modules.filter_map(|rest| rest.split(';').next()).collect()
}

/// Whether a module that is always there may name the crate.
pub(crate) fn is_always_needed(name: &str, order: &Order, gated: &[&str]) -> bool {
    let (_, places) = MAY
        .into_iter()
        .find(|(known, _)| *known == name)
        .expect(name);
    let mut always = order.names().into_iter();
    always.any(|module| {
        let may = places.contains(&module) || places.contains(&order.band(module));
        may && module != "main" && !gated.contains(&module)
    })
}
