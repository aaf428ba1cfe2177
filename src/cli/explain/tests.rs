use clap::Parser;

use super::*;
use crate::args::{Command, SriovDra};

const CLUSTER: &str = include_str!("../../../e2e/fixtures/explain.yaml");

fn explained(line: &str) -> String {
    result(line).0
}

/// Output and exit code.
fn result(line: &str) -> (String, u8) {
    let Command::Explain(args) = SriovDra::try_parse_from(line.split_whitespace())
        .unwrap()
        .command
    else {
        panic!("{line} is not explain")
    };
    let objects = serde_saphyr::from_multiple(CLUSTER).unwrap();
    output(&args, &query(&args, "default"), objects).unwrap()
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
fn the_exit_code_says_whether_it_can_be_allocated() {
    let code = |subject: &str| result(&format!("sriov-dra explain {subject} -f -")).1;
    assert_eq!((code("shop/upf"), code("class/vf")), (1, 0));
}

#[test]
fn the_cluster_is_chosen_as_with_kubectl() {
    let parsed = |line: &str| {
        let line = SriovDra::try_parse_from(line.split_whitespace()).unwrap();
        match line.command {
            Command::Explain(args) => args.cluster.access(),
            Command::List(args) => args.kubeconfig.access(),
            _ => panic!("another subcommand"),
        }
    };
    let access = crate::cluster::Access {
        kubeconfig: Some("lab.yaml".into()),
        context: Some("lab".to_owned()),
    };
    for command in ["explain net", "list --cluster"] {
        let line = format!("sriov-dra {command} --kubeconfig lab.yaml --context lab");
        assert_eq!(parsed(&line), access, "{command}");
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
