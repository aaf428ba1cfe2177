//! [`fields::FIELDS`] declares a field once; what cannot be generated from it is compared with it
//! here: the reference's table, the admission policy's CEL, and the table of good and bad configs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::api::fields::{FIELDS, Who};

const REFERENCE: &str = include_str!("../../../docs/configuration.md");
const POLICY: &str = include_str!("../../../charts/sriov-dra/templates/policy-claims.yaml");
const CONFIGS: &str = include_str!("../../../e2e/fixtures/claim-configs.json");

/// Beside the fields: what identifies the object, and the rights that a class grants.
const FRAME: [&str; 3] = ["apiVersion", "kind", "allowInClaims"];

/// The column `who` of the reference; empty for a field that is refused by name.
fn documented(who: Who, supported: bool) -> &'static str {
    match who {
        _ if !supported => "",
        Who::Anyone => "anyone",
        Who::Permitted => "administrator",
        Who::Class => "class only",
    }
}

/// The rows of the first table of the reference: name → who.
fn reference() -> BTreeMap<String, String> {
    let rows = REFERENCE
        .lines()
        .skip_while(|line| !line.starts_with("| field |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut fields = BTreeMap::new();
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        for name in quoted(cells[0], '`') {
            fields.insert(name, cells[2].to_owned());
        }
    }
    fields
}

/// What stands between pairs of `quote`.
fn quoted(text: &str, quote: char) -> Vec<String> {
    let parts = text.split(quote).skip(1).step_by(2);
    parts.map(str::to_owned).collect()
}

/// The list that the policy's variable of that name is.
fn variable(name: &str) -> BTreeSet<String> {
    let from = POLICY
        .split_once(&format!("- name: {name}\n"))
        .expect("the policy has the variable")
        .1;
    let list = from.split_once(']').expect("a list").0;
    quoted(list, '"').into_iter().collect()
}

#[test]
fn the_reference_documents_each_field_and_who_may_set_it() {
    let declared: BTreeMap<String, String> = FIELDS
        .iter()
        .map(|field| (field.name, documented(field.who, field.read.is_some())))
        .chain([("allowInClaims", documented(Who::Class, true))])
        .map(|(name, who)| (name.to_owned(), who.to_owned()))
        .collect();
    assert_eq!(reference(), declared);
}

#[test]
fn the_admission_policy_knows_each_field() {
    let names = FIELDS.iter().map(|field| field.name);
    let known: BTreeSet<String> = names.chain(FRAME).map(str::to_owned).collect();
    assert_eq!(variable("known"), known);
    let unsupported = FIELDS.iter().filter(|field| field.read.is_none());
    let unsupported: BTreeSet<String> = unsupported.map(|field| field.name.to_owned()).collect();
    assert_eq!(variable("later"), unsupported);
}

#[test]
fn the_admission_policy_validates_each_supported_field() {
    for field in FIELDS.iter().filter(|field| field.read.is_some()) {
        let name = field.name;
        let read = POLICY.contains(&format!("(\"{name}\" in c)"));
        let explained = ["\"", "'"]
            .iter()
            .any(|quote| POLICY.contains(&format!("message: {quote}{name}: ")));
        assert!(read && explained, "{name} has no validation with a message");
    }
}

#[test]
fn the_table_of_configs_has_a_good_and_a_bad_value_of_each_field() {
    let rows: Vec<Value> = serde_json::from_str(CONFIGS).expect("the table is JSON");
    for field in FIELDS {
        let with_field = || {
            rows.iter()
                .filter(|row| row["config"].get(field.name).is_some())
        };
        let good = with_field().any(|row| row["error"].is_null());
        let bad = with_field().any(|row| row["error"] == field.name);
        assert!(bad, "{}: no row with a bad value", field.name);
        assert_eq!(good, field.read.is_some(), "{}: a good value", field.name);
    }
}
