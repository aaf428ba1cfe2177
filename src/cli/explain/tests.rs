use clap::Parser;

use super::*;
use crate::args::{Command, SriovDra};

const CLUSTER: &str = include_str!("../../../e2e/fixtures/explain.yaml");

fn asked(line: &str) -> String {
    let Command::Explain(args) = SriovDra::try_parse_from(line.split_whitespace())
        .unwrap()
        .command
    else {
        panic!("{line} is no explain")
    };
    answer(&args, serde_saphyr::from_multiple(CLUSTER).unwrap()).unwrap()
}

#[test]
fn the_reason_comes_first_and_then_the_devices() {
    let told = asked("sriov-dra explain shop/upf -f e2e/fixtures/explain.yaml");
    let page = include_str!("../../../docs/debugging.md");
    assert!(
        page.contains(&told),
        "docs/debugging.md does not show what is really told:\n{told}"
    );
    assert!(
        told.lines()
            .next()
            .is_some_and(|line| line.contains("numaNode")),
        "{told}"
    );
}

#[test]
fn every_device_can_have_its_own_line() {
    let lines = asked("sriov-dra explain upf -n shop -f - --all");
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
fn programs_get_json() {
    let report: Value =
        serde_json::from_str(&asked("sriov-dra explain class/vf -o json -f -")).unwrap();
    assert_eq!(
        (&report["state"], &report["cause"]),
        (&"allocatable".into(), &Value::Null)
    );
}
