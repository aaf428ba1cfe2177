//! Broken configurations, and the one line that each of them gives.

use super::*;

/// A pool in a document.
fn pool(fields: &str) -> String {
    format!(r#"{{"resourceList": [{{"resourceName": "ok", "selectors": {{}}}}, {{{fields}}}]}}"#)
}

fn refusals(texts: &[String]) -> String {
    let lines: Vec<String> = texts
        .iter()
        .map(|text| read(text).map(|read| read.1).expect_err(text))
        .collect();
    assert!(
        lines
            .iter()
            .all(|line| line.chars().all(|c| !c.is_control()) && line.len() < 300),
        "{lines:?}"
    );
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
    insta::assert_snapshot!(refusals(&texts.map(str::to_owned)), @r#"
    config: is empty, must be an object like {"resourceList": [...]}
    line 1 column 1: expected value near "resourceList: []", must be JSON, without comments and without a comma after the last item
    line 1 column 1: EOF while parsing an object near "{", must be JSON, without comments and without a comma after the last item
    line 2 column 43: trailing comma near ""resourceName": "p", "selectors": [{}],}", must be JSON, without comments and without a comma after the last item
    line 1 column 22: expected `,` or `}` near "{"resourceList": [{}]]}", must be JSON, without comments and without a comma after the last item
    line 1 column 1: expected value near "// pools", must be JSON, without comments and without a comma after the last item
    line 1 column 2: key must be a string near "{'resourceList': []}", must be JSON, without comments and without a comma after the last item
    line 2 column 0: control character (\u0000-\u001F) found while parsing a string near "}", must be JSON, without comments and without a comma after the last item
    line 1 column 21: expected `,` or `}` near "{"resourceList": [] "x": 1}", must be JSON, without comments and without a comma after the last item
    line 1 column 21: trailing characters near "{"resourceList": []}}", must be JSON, without comments and without a comma after the last item
    line 1 column 20: invalid number near "{"resourceList": [08]}", must be JSON, without comments and without a comma after the last item
    line 1 column 1: expected value near "\u{feff}{}", must be JSON, without comments and without a comma after the last item
    "#);
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
    insta::assert_snapshot!(refusals(&texts.map(str::to_owned)), @r#"
    config: [] is wrong, must be an object like {"resourceList": [...]}
    config: null is wrong, must be an object like {"resourceList": [...]}
    resourceList: is missing, must be a list of pools
    resourceList: is missing (there is "resources"), must be a list of pools
    resourceList: {} is wrong, must be a list of pools
    resourceList: "p" is wrong, must be a list of pools
    resourceList[0]: null is wrong, must be a pool like {"resourceName": "sriov", "selectors": [{}]}
    resourceList[0]: "p" is wrong, must be a pool like {"resourceName": "sriov", "selectors": [{}]}
    resourceList[0].selectors: [] is wrong, must be an object like {"vendors": ["8086"]} or a list of them; {} selects every device
    "#);
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
    insta::assert_snapshot!(refusals(&fields.map(pool)), @r#"
    resourceList[1].resourceName: is missing, must be 1 or more of letters, digits, '_' and '-'
    resourceList[1].resourceName: "" is wrong, must be 1 or more of letters, digits, '_' and '-'
    resourceList[1].resourceName: "a b\n" is wrong, must be 1 or more of letters, digits, '_' and '-'
    resourceList[1].resourceName: "intel.com/p" is wrong, must be 1 or more of letters, digits, '_' and '-'
    resourceList[1].resourceName: "größe" is wrong, must be 1 or more of letters, digits, '_' and '-'
    resourceList[1].resourceName: 5 is wrong, must be a string like "sriov_netdevice"
    resourceList[1].resourceName: "intel.com/ok" is the name of resourceList[0] too, must be unique
    resourceList[1].resourceName: "intel.com/ok" is the name of resourceList[0] too, must be unique
    resourceList[1].resourcePrefix: […] is wrong, must be a string like "intel.com"
    resourceList[1].deviceType: "netdevice" is wrong, must be "netDevice", "accelerator" or "auxNetDevice", in this spelling
    resourceList[1].deviceType: "vf" is wrong, must be "netDevice", "accelerator" or "auxNetDevice", in this spelling
    resourceList[1].deviceType: 1 is wrong, must be "netDevice", "accelerator" or "auxNetDevice", in this spelling
    resourceList[1].excludeTopology: "true" is wrong, must be true or false, without quotes
    resourceList[1].excludeTopology: 1 is wrong, must be true or false, without quotes
    resourceList[1].additionalInfo: "token" is wrong, must be an object like {"*": {"token": "abc"}}
    resourceList[1].additionalInfo["*"]: "token" is wrong, must be an object of strings like {"token": "abc"}
    resourceList[1].additionalInfo["0000:3b:02.1"].a: 1 is wrong, must be a string, in quotes
    resourceList[1].additionalInfo["*"]["b c"]: […] is wrong, must be a string, in quotes
    "#);
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
    insta::assert_snapshot!(refusals(&fields.map(pool)), @r#"
    resourceList[1].selectors: is missing or null, which the device plugin crashes on, must be an object like {"vendors": ["8086"]} or a list of them; {} selects every device
    resourceList[1].selectors: is missing or null, which the device plugin crashes on, must be an object like {"vendors": ["8086"]} or a list of them; {} selects every device
    resourceList[1].selectors[0]: null is wrong, the device plugin crashes on it, must be an object like {"vendors": ["8086"]} or a list of them; {} selects every device
    resourceList[1].selectors[1]: null is wrong, the device plugin crashes on it, must be an object like {"vendors": ["8086"]} or a list of them; {} selects every device
    resourceList[1].selectors[1].isRdma: true does not go with vdpaType in one selector object, must be one of the two
    resourceList[1].selectors.auxTypes: is missing, must be ["sf"] in every selector object of auxNetDevice
    resourceList[1].selectors[1].auxTypes: is missing, must be ["sf"] in every selector object of auxNetDevice
    resourceList[1].selectors[0].auxTypes[1]: "eth" is not supported, must be "sf"
    "#);
}

#[test]
fn a_long_value_does_not_make_a_long_line() {
    let text = pool(&format!(
        r#""resourceName": "{} ", "selectors": {{}}"#,
        "é".repeat(5000)
    ));
    assert!(refusals(&[text]).contains('…'));
}
