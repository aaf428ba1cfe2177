//! Which nodes a policy is for.

use super::*;

fn node() -> Node {
    let labels = [("zone", "a"), ("cores", "16"), ("gpu", "")];
    Node {
        name: "node-1".into(),
        labels: labels
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    }
}

fn term(expressions: Value) -> Value {
    json!({"matchExpressions": expressions})
}

/// Whether a policy for these terms takes a device of the node.
fn selects(terms: Value) -> bool {
    let library = library(
        vec![policy(
            "a",
            json!({"nodeSelector": {"nodeSelectorTerms": terms}, "configs": [{}]}),
        )],
        vec![],
    );
    assert_eq!(problems(&library), [""; 0], "{terms}");
    !library
        .assign(&node(), &[vf(0)], &Assignment::default())
        .devices
        .is_empty()
}

#[test]
fn every_operator() {
    let one = |key: &str, operator: &str, values: &[&str]| {
        selects(json!([term(
            json!([{"key": key, "operator": operator, "values": values}])
        )]))
    };
    for (key, operator, values, expected) in [
        ("zone", "In", &["b", "a"][..], true),
        ("zone", "In", &["b"], false),
        ("rack", "In", &["b"], false),
        ("zone", "NotIn", &["b"], true),
        ("zone", "NotIn", &["a"], false),
        ("rack", "NotIn", &["a"], true),
        ("gpu", "Exists", &[], true),
        ("rack", "Exists", &[], false),
        ("rack", "DoesNotExist", &[], true),
        ("gpu", "DoesNotExist", &[], false),
        ("cores", "Gt", &["15"], true),
        ("cores", "Gt", &["16"], false),
        ("cores", "Lt", &["17"], true),
        ("cores", "Lt", &["16"], false),
        ("zone", "Gt", &["0"], false),
        ("rack", "Lt", &["9"], false),
    ] {
        assert_eq!(
            one(key, operator, values),
            expected,
            "{key} {operator} {values:?}"
        );
    }
}

#[test]
fn terms_are_alternatives_and_expressions_of_one_are_not() {
    let zone = |zone: &str| json!({"key": "zone", "operator": "In", "values": [zone]});
    let gpu = json!({"key": "gpu", "operator": "Exists"});
    assert!(selects(json!([
        term(json!([zone("b")])),
        term(json!([gpu, zone("a")]))
    ])));
    assert!(!selects(json!([term(json!([zone("b"), gpu]))])));
}

#[test]
fn a_node_is_selected_by_its_name() {
    let named = |operator: &str, name: &str| json!({"matchFields": [{"key": "metadata.name", "operator": operator, "values": [name]}]});
    assert!(selects(json!([named("In", "node-1")])) && !selects(json!([named("In", "node-2")])));
    assert!(
        selects(json!([named("NotIn", "node-2")])) && !selects(json!([named("NotIn", "node-1")]))
    );
    let mut both = named("In", "node-1");
    both["matchExpressions"] = json!([{"key": "zone", "operator": "In", "values": ["b"]}]);
    assert!(!selects(json!([both])), "both must hold");
}

#[test]
fn an_empty_term_is_no_node_and_no_term_is_every_node() {
    assert!(
        !selects(json!([{}])) && !selects(json!([{"matchExpressions": [], "matchFields": null}]))
    );
    assert!(selects(json!([])) && selects(Value::Null));
    let library = library(vec![policy("a", json!({"configs": [{}]}))], vec![]);
    assert!(!library.needs_labels());
    assert_eq!(decide(&library, &[vf(0)]).devices.len(), 1);
}

#[test]
fn what_kubernetes_would_refuse_is_an_error() {
    let error = |term: Value| {
        let spec = json!({"nodeSelector": {"nodeSelectorTerms": [term]}, "configs": [{}]});
        let library = library(vec![policy("a", spec)], vec![]);
        assert!(decide(&library, &[vf(0)]).devices.is_empty());
        problems(&library).concat()
    };
    let expression = |key: &str, operator: &str, values: Value| {
        error(term(
            json!([{"key": key, "operator": operator, "values": values}]),
        ))
    };
    let field = |key: &str, operator: &str, values: Value| {
        error(json!({"matchFields": [{"key": key, "operator": operator, "values": values}]}))
    };
    insta::assert_snapshot!([
        expression("zone", "in", json!(["a"])),
        expression("zone", "In", json!([])),
        expression("zone", "Exists", json!(["a"])),
        expression("cores", "Gt", json!(["many"])),
        expression("cores", "Lt", json!(["1", "2"])),
        expression("", "Exists", json!([])),
        field("metadata.uid", "In", json!(["a"])),
        field("metadata.name", "In", json!(["a", "b"])),
        field("metadata.name", "Exists", json!([])),
        error(json!({"zone": "a"})),
    ].join("\n"), @r#"
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].matchExpressions[0].operator: "in" is wrong, must be one of In, NotIn, Exists, DoesNotExist, Gt, Lt; it does nothing
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].matchExpressions[0].values: is empty, must have 1 or more values with In; it does nothing
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].matchExpressions[0].values: must be empty with Exists; it does nothing
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].matchExpressions[0].values[0]: "many" is wrong, must be a whole number with Gt; it does nothing
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].matchExpressions[0].values: must be exactly one whole number with Lt; it does nothing
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].matchExpressions[0].key: "" is wrong, must be a label's name like "kubernetes.io/hostname"; it does nothing
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].matchFields[0]: key is wrong, must be "metadata.name", the only field that nodes can be selected by; it does nothing
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].matchFields[0]: values must be exactly one name; it does nothing
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].matchFields[0].operator: "Exists" is wrong, must be one of In, NotIn; it does nothing
    SriovResourcePolicy a: spec.nodeSelector.nodeSelectorTerms[0].zone: is an unknown field, known are matchExpressions, matchFields; it does nothing
    "#);
}
