//! Broken configurations, and the one line that each of them gives.

use super::*;

/// A pool in a document.
fn pool(fields: &str) -> String {
    format!(r#"{{"resourceList": [{{"resourceName": "ok", "selectors": {{}}}}, {{{fields}}}]}}"#)
}

fn refusals(texts: &[String]) -> String {
    let lines: Vec<String> = texts.iter().map(|text| read(text).map(|read| read.1).expect_err(text)).collect();
    assert!(lines.iter().all(|line| line.chars().all(|c| !c.is_control()) && line.len() < 300), "{lines:?}");
    lines.join("\n")
}

#[test]
fn what_is_not_json() {
    let texts = [
        "",
        "resourceList: []",
        "{",
        "{\"resourceList\": [\n  {\"resourceName\": \"p\", \"selectors\": [{}],}\n]}",
        "{\"resourceList\": [{}]]}",
        "// pools\n{}",
        "{'resourceList': []}",
        "{\"resourceList\": [{\"resourceName\": \"p}]\n}",
        "{\"resourceList\": [] \"x\": 1}",
        "{\"resourceList\": []}}",
        "{\"resourceList\": [08]}",
        "\u{feff}{}",
    ];
    insta::assert_snapshot!(refusals(&texts.map(str::to_owned)), @"");
}

#[test]
fn what_is_no_document() {
    let texts = [
        "[]",
        "null",
        "{}",
        r#"{"resources": []}"#,
        r#"{"resourceList": {}}"#,
        r#"{"resourceList": "p"}"#,
        r#"{"resourceList": [null]}"#,
        r#"{"resourceList": ["p"]}"#,
        r#"{"resourceList": [{"resourceName": "p", "selectors": []}]}"#,
    ];
    insta::assert_snapshot!(refusals(&texts.map(str::to_owned)), @"");
}

#[test]
fn what_is_no_pool() {
    let fields = [
        r#""selectors": {}"#,
        r#""resourceName": "", "selectors": {}"#,
        r#""resourceName": "a b\n", "selectors": {}"#,
        r#""resourceName": "intel.com/p", "selectors": {}"#,
        r#""resourceName": "größe", "selectors": {}"#,
        r#""resourceName": 5, "selectors": {}"#,
        r#""resourceName": "ok", "selectors": {}"#,
        r#""resourceName": "ok", "resourcePrefix": "intel.com", "selectors": {}"#,
        r#""resourceName": "p", "resourcePrefix": ["a"], "selectors": {}"#,
        r#""resourceName": "p", "deviceType": "netdevice", "selectors": {}"#,
        r#""resourceName": "p", "deviceType": "vf", "selectors": {}"#,
        r#""resourceName": "p", "deviceType": 1, "selectors": {}"#,
        r#""resourceName": "p", "excludeTopology": "true", "selectors": {}"#,
        r#""resourceName": "p", "excludeTopology": 1, "selectors": {}"#,
        r#""resourceName": "p", "additionalInfo": "token", "selectors": {}"#,
        r#""resourceName": "p", "additionalInfo": {"*": "token"}, "selectors": {}"#,
        r#""resourceName": "p", "additionalInfo": {"0000:3b:02.1": {"a": 1}}, "selectors": {}"#,
        r#""resourceName": "p", "additionalInfo": {"*": {"b c": [1]}}, "selectors": {}"#,
    ];
    insta::assert_snapshot!(refusals(&fields.map(pool)), @"");
}

#[test]
fn what_is_no_selector() {
    let fields = [
        r#""resourceName": "p""#,
        r#""resourceName": "p", "selectors": null"#,
        r#""resourceName": "p", "selectors": [null]"#,
        r#""resourceName": "p", "selectors": [{}, null]"#,
        r#""resourceName": "p", "selectors": [{}, {"isRdma": true, "vdpaType": "vhost"}]"#,
        r#""resourceName": "p", "deviceType": "auxNetDevice", "selectors": {}"#,
        r#""resourceName": "p", "deviceType": "auxNetDevice", "selectors": [{"auxTypes": ["sf"]}, {"auxTypes": []}]"#,
        r#""resourceName": "p", "deviceType": "auxNetDevice", "selectors": [{"auxTypes": ["sf", "eth"]}]"#,
    ];
    insta::assert_snapshot!(refusals(&fields.map(pool)), @"");
}

#[test]
fn a_long_value_does_not_make_a_long_line() {
    let text = pool(&format!(r#""resourceName": "{} ", "selectors": {{}}"#, "é".repeat(5000)));
    assert!(refusals(&[text]).contains('…'));
}
