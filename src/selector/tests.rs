//! The corpus of selectors, which a lab scenario verifies with the real scheduler.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Corpus {
    driver: String,
    devices: BTreeMap<String, Device>,
    selectors: Vec<Row>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Device {
    attributes: BTreeMap<String, AttributeValue>,
    capacity: BTreeMap<String, Capacity>,
    allow_multiple_allocations: bool,
}

#[derive(Deserialize)]
struct Row {
    name: String,
    expression: String,
    verdicts: BTreeMap<String, String>,
    explain: Option<String>,
}

fn corpus() -> Corpus {
    serde_json::from_str(include_str!("../../e2e/fixtures/selectors.json"))
        .expect("the corpus is JSON")
}

fn device<'a>(corpus: &'a Corpus, name: &str) -> CelDevice<'a> {
    let device = &corpus.devices[name];
    CelDevice {
        driver: &corpus.driver,
        attributes: &device.attributes,
        capacity: &device.capacity,
        allow_multiple_allocations: device.allow_multiple_allocations,
    }
}

fn verdict(expression: &str, device: &CelDevice<'_>) -> &'static str {
    match Selector::compile(expression).map(|selector| selector.evaluate(device)) {
        Err(_) => "invalid",
        Ok(SelectorResult::True) => "true",
        Ok(SelectorResult::False(_)) => "false",
        Ok(SelectorResult::Error(..)) => "error",
        Ok(SelectorResult::Unsupported(_)) => "unjudged",
    }
}

#[test]
fn the_corpus_of_selectors_is_evaluated_like_the_scheduler() {
    let corpus = corpus();
    let mut wrong = Vec::new();
    for row in &corpus.selectors {
        for (name, verdict) in &row.verdicts {
            let expected = row.explain.as_ref().unwrap_or(verdict);
            let found = self::verdict(&row.expression, &device(&corpus, name));
            if found != expected {
                wrong.push(format!(
                    "{}, {name}: {found}, not {expected}: {}",
                    row.name, row.expression
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The terms are used for messages only, but must have the same result as the whole expression.
#[test]
fn the_terms_of_a_selector_have_the_result_of_the_whole() {
    let corpus = corpus();
    for row in &corpus.selectors {
        let Ok(selector) = Selector::compile(&row.expression) else {
            continue;
        };
        for name in corpus.devices.keys() {
            let device = device(&corpus, name);
            let all: Vec<Answer> = selector
                .terms
                .iter()
                .map(|(_, term)| evaluate(term, &device).answer)
                .collect();
            let expected = match selector.evaluate(&device) {
                SelectorResult::True => all.iter().all(|answer| *answer == Answer::Bool(true)),
                SelectorResult::False(_) => all.contains(&Answer::Bool(false)),
                SelectorResult::Error(..) => {
                    all.iter().any(|answer| matches!(answer, Answer::Error(_)))
                }
                SelectorResult::Unsupported(_) => true,
            };
            assert!(expected, "{}: {all:?}", row.expression);
        }
    }
}

#[test]
fn the_deciding_term_is_reported_with_the_values_it_accessed() {
    let corpus = corpus();
    let device = device(&corpus, "pf");
    let of = r#"device.driver == "selectors.example.com" && cel.bind(d, device.attributes["selectors.example.com"], d.vendor == "8086" && d.type == "vf")"#;
    let SelectorResult::False(term) = Selector::compile(of).unwrap().evaluate(&device) else {
        panic!("must be false")
    };
    let accessed = vec![AccessedValue {
        name: "type".to_owned(),
        value: Some("\"pf\"".to_owned()),
    }];
    assert_eq!(
        term,
        DecidingTerm {
            term: r#"d.type == "vf""#.to_owned(),
            passed: 2,
            accessed
        }
    );
    let of = r#"device.attributes["resource.kubernetes.io"].numaNode == 0"#;
    let SelectorResult::Error(term, text) = Selector::compile(of).unwrap().evaluate(&device) else {
        panic!("must fail")
    };
    let accessed = vec![AccessedValue {
        name: "resource.kubernetes.io/numaNode".to_owned(),
        value: None,
    }];
    assert_eq!(
        (term.accessed, text.as_str()),
        (accessed, "no such key: numaNode")
    );
}
