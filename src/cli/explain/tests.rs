use clap::Parser;

use super::*;
use crate::args::{Command, SriovDra};

const CLUSTER: &str = include_str!("../../../e2e/fixtures/explain.yaml");

fn explained(line: &str) -> String {
    let Command::Explain(args) = SriovDra::try_parse_from(line.split_whitespace())
        .unwrap()
        .command
    else {
        panic!("{line} is not explain")
    };
    output(&args, serde_saphyr::from_multiple(CLUSTER).unwrap()).unwrap()
}

#[test]
fn prints_the_cause_first_and_then_the_devices() {
    let text = explained("sriov-dra explain shop/upf -f e2e/fixtures/explain.yaml");
    let page = include_str!("../../../docs/debugging.md");
    assert!(
        page.contains(&text),
        "docs/debugging.md does not show the actual output:\n{text}"
    );
    assert!(
        text.lines()
            .next()
            .is_some_and(|line| line.contains("numaNode")),
        "{text}"
    );
}

#[test]
fn the_option_all_prints_a_line_per_device() {
    let lines = explained("sriov-dra explain upf -n shop -f - --all");
    for device in [
        "0000-3b-02-0",
        "0000-3b-02-2",
        "0000-3b-02-3",
        "0000-3b-00-0",
        "0000-af-00-0",
    ] {
        assert_eq!(
            lines.lines().filter(|line| line.contains(device)).count(),
            1,
            "{device}: {lines}"
        );
    }
}

#[test]
fn prints_json() {
    let report: Value =
        serde_json::from_str(&explained("sriov-dra explain class/vf -o json -f -")).unwrap();
    assert_eq!(
        (&report["state"], &report["cause"]),
        (&"allocatable".into(), &Value::Null)
    );
}
