use clap::Parser;

use super::*;
use crate::{
    args::{Command, SriovDra},
    cli::document::schema,
};

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
fn what_has_no_answer_is_neither_allocatable_nor_rejected() {
    let code = |line: &str| {
        let line = SriovDra::try_parse_from(line.split_whitespace()).unwrap();
        crate::cli::run(line).unwrap()
    };
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/fixtures/explain.yaml");
    assert_eq!(
        code(&format!("sriov-dra explain shop/nothing -f {file}")),
        2
    );
    assert_eq!(code("sriov-dra explain shop/upf -f /nonexistent.yaml"), 2);
    assert_eq!(code(&format!("sriov-dra explain shop/upf -f {file}")), 1);
    assert_eq!(code(&format!("sriov-dra explain class/vf -f {file}")), 0);
    let wrong = SriovDra::try_parse_from(["sriov-dra", "explain"]).unwrap_err();
    assert_eq!(wrong.exit_code(), 2);
}

/// 300 nodes with 8 VFs of one pool each, of which a claim holds one; the values of the constraint
/// differ by node.
fn large() -> Vec<Value> {
    let device = |node: usize, vf: usize| {
        let numa = (node * vf) % 5;
        serde_json::json!({"name": format!("0000-3b-02-{vf}"), "attributes": {
            "type": {"string": "vf"}, "pool": {"string": format!("example.com/p{}", node % 40)},
            "resource.kubernetes.io/numaNode": {"int": numa}}})
    };
    let slice = |node: usize| {
        let devices: Vec<Value> = (0..8).map(|vf| device(node, vf)).collect();
        let name = format!("node-{node:03}");
        serde_json::json!({"kind": "ResourceSlice", "metadata": {"name": name}, "spec": {
            "driver": "sriov-dra.io", "nodeName": name, "devices": devices,
            "pool": {"name": name, "generation": 1, "resourceSliceCount": 1}}})
    };
    let holder = |node: usize| {
        let (name, pool) = (format!("held-{node}"), format!("node-{node:03}"));
        serde_json::json!({"kind": "ResourceClaim", "metadata": {"namespace": "shop", "name": name}, "status": {
            "allocation": {"devices": {"results": [
                {"request": "nic", "driver": "sriov-dra.io", "pool": pool, "device": "0000-3b-02-0"}]}}}})
    };
    let objects = serde_saphyr::from_multiple(CLUSTER).unwrap();
    let is_slice = |object: &Value| object["kind"] == "ResourceSlice";
    let rest = objects.into_iter().filter(|object| !is_slice(object));
    let nodes = (0..300).flat_map(|node| [slice(node), holder(node)]);
    nodes.chain(rest).collect()
}

#[test]
fn the_explanation_of_a_large_cluster_fits_on_a_screen() {
    let lines = |line: &str| {
        let Command::Explain(args) = SriovDra::try_parse_from(line.split_whitespace())
            .unwrap()
            .command
        else {
            panic!("{line} is not explain")
        };
        let (text, code) = output(&args, &query(&args, "default"), large()).unwrap();
        (text.lines().count(), code, text)
    };
    let (count, code, text) = lines("sriov-dra explain shop/upf -f -");
    assert!(count <= 24, "{count} lines:\n{text}");
    assert_eq!(code, 1);
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest < Some(600), "{text}");
    let (count, ..) = lines("sriov-dra explain shop/upf -f - --all");
    assert!(count > 2_400, "{count} lines");
    let Command::Explain(args) =
        SriovDra::try_parse_from("sriov-dra explain class/vf -f -".split_whitespace())
            .unwrap()
            .command
    else {
        panic!()
    };
    let (text, code) = output(&args, &query(&args, "default"), large()).unwrap();
    assert_eq!((code, text.lines().count()), (0, 8), "{text}");
}

#[test]
fn prints_json_as_the_schema_describes_it() {
    let json = explained("sriov-dra explain class/vf -o json -f -");
    schema::check("explanation", &json);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&report["state"], &report["cause"]),
        (&"allocatable".into(), &Value::Null)
    );
    schema::check(
        "explanation",
        &explained("sriov-dra explain shop/upf -o json -f -"),
    );
    let pod = serde_json::json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": "p"},
        "spec": {"resourceClaims": [{"name": "a", "resourceClaimName": "upf"}, {"name": "b", "resourceClaimName": "none"}]}});
    let line = "sriov-dra explain pod/p -n shop -o json -f -";
    let Command::Explain(args) = SriovDra::try_parse_from(line.split_whitespace())
        .unwrap()
        .command
    else {
        panic!("{line} is not explain")
    };
    let mut objects: Vec<Value> = serde_saphyr::from_multiple(CLUSTER).unwrap();
    objects.push(pod);
    let (json, code) = output(&args, &query(&args, "default"), objects).unwrap();
    schema::check("explanation", &json);
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&report["kind"], code), (&"PodExplanation".into(), 1));
    assert_eq!(report["claims"][1]["cause"]["code"], "claimMissing");
}
