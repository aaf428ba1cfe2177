use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::pool::PoolName;

const DRIVER: &str = "sriov-dra.io";

fn pool(text: &str) -> PoolName {
    let (prefix, name) = text.split_once('/').unwrap();
    PoolName {
        prefix: prefix.to_owned(),
        name: name.to_owned(),
    }
}

fn pools(texts: &[&str]) -> BTreeSet<PoolName> {
    texts.iter().map(|text| pool(text)).collect()
}

fn stored(class: Class) -> Stored {
    Stored {
        uid: format!("uid of {}", class.name),
        version: "1".to_owned(),
        class,
    }
}

/// What a server has after the plan.
fn done(before: &[Stored], plan: &Plan) -> Vec<Stored> {
    let mut after: BTreeMap<String, Stored> = before
        .iter()
        .map(|stored| (stored.class.name.clone(), stored.clone()))
        .collect();
    for gone in &plan.delete {
        after.remove(&gone.class.name).unwrap();
    }
    for (there, class) in &plan.update {
        after
            .insert(
                class.name.clone(),
                Stored {
                    class: class.clone(),
                    ..there.clone()
                },
            )
            .unwrap();
    }
    for class in &plan.create {
        assert!(
            after
                .insert(class.name.clone(), stored(class.clone()))
                .is_none(),
            "created twice"
        );
    }
    after.into_values().collect()
}

#[test]
fn names_are_the_pools_as_far_as_they_can_be() {
    let names: Vec<String> = [
        "intel.com/intel_sriov_dpdk",
        "intel.com/sriov",
        "openshift.io/SriovNic",
        "intel.com/sriov-nic",
        "intel.com/sriov_nic",
        "intel.com/_a_",
        "intel.com/a_0123456789",
        "Intel Corp/sriov",
        "/sriov",
    ]
    .iter()
    .map(|text| class_name(&pool(text)))
    .collect();
    insta::assert_snapshot!(names.join("\n"), @r#"
    intel-sriov-dpdk.intel.com
    sriov.intel.com
    sriovnic-bef28f7b26.openshift.io
    sriov-nic-ec2963a6fd.intel.com
    sriov-nic.intel.com
    a-ad17f4e3f9.intel.com
    a-0123456789-2432bac44b.intel.com
    sriov-c1350503d9.intel-corp
    sriov-ac3b0965b1
    "#);
}

#[test]
fn a_class_says_what_it_gives() {
    let class = Class::of_pool(&pool("intel.com/sriov_dpdk"), DRIVER);
    insta::assert_snapshot!(serde_json::to_string_pretty(&class.manifest()).unwrap(), @r#"
    {
      "apiVersion": "resource.k8s.io/v1",
      "kind": "DeviceClass",
      "metadata": {
        "name": "sriov-dpdk.intel.com"
      },
      "spec": {
        "extendedResourceName": "intel.com/sriov_dpdk",
        "selectors": [
          {
            "cel": {
              "expression": "device.driver == \"sriov-dra.io\" && \"pool\" in device.attributes[\"sriov-dra.io\"] && device.attributes[\"sriov-dra.io\"].pool == \"intel.com/sriov_dpdk\""
            }
          }
        ]
      }
    }
    "#);
}

#[test]
fn a_quote_in_a_prefix_does_not_leave_the_expression() {
    let cel = Class::in_pool(&pool("a\" || true || \"/x"), DRIVER);
    assert!(cel.ends_with(r#".pool == "a\" || true || \"/x""#), "{cel}");
}

#[test]
fn no_pod_can_request_what_kubernetes_does_not_take() {
    let name = |text: &str| Class::of_pool(&pool(text), DRIVER).extended_resource_name;
    assert_eq!(
        name("intel.com/Sriov-nic_1").as_deref(),
        Some("intel.com/Sriov-nic_1")
    );
    for refused in [
        "kubernetes.io/x",
        "Intel.com/x",
        "/x",
        "intel.com/_x",
        "requests.intel.com/x",
    ] {
        assert_eq!(name(refused), None, "{refused}");
    }
}

#[test]
fn somebody_elses_class_is_never_touched() {
    let mut theirs = Class::of_pool(&pool("intel.com/a"), DRIVER);
    theirs.config = vec![json!({"opaque": {"driver": DRIVER, "parameters": {"vlan": 100}}})];
    let before = [
        stored(theirs),
        stored(Class {
            name: "other".to_owned(),
            ..Class::default()
        }),
    ];
    let plan = plan(&pools(&["intel.com/a", "intel.com/b"]), &before, DRIVER);
    let created: Vec<&str> = plan.create.iter().map(|class| &*class.name).collect();
    assert_eq!(
        (created, plan.update.len(), plan.delete.len()),
        (vec!["b.intel.com"], 0, 0)
    );
    let conflict = plan.conflicts[0].to_string();
    assert_eq!(
        conflict,
        "DeviceClass a.intel.com is not this controller's and gives something else: pool intel.com/a has no class"
    );
}

#[test]
fn somebody_elses_class_that_gives_the_same_is_as_good() {
    let before = [stored(Class::of_pool(&pool("intel.com/a"), DRIVER))];
    assert_eq!(
        plan(&pools(&["intel.com/a"]), &before, DRIVER),
        Plan::default()
    );
    assert_eq!(plan(&pools(&[]), &before, DRIVER), Plan::default());
}

#[test]
fn somebody_elses_extended_resource_stays_theirs() {
    let blue = Class {
        name: "blue".to_owned(),
        extended_resource_name: Some("intel.com/a".into()),
        ..Class::default()
    };
    let before = [stored(blue)];
    let plan = plan(&pools(&["intel.com/a"]), &before, DRIVER);
    assert_eq!(plan.create[0].extended_resource_name, None);
    assert_eq!(
        plan.conflicts[0].to_string(),
        "DeviceClass blue is not this controller's and has extendedResourceName intel.com/a: it keeps it"
    );
    assert!(super::plan(&pools(&["intel.com/a"]), &done(&before, &plan), DRIVER).is_empty());
}

#[test]
fn an_edited_class_is_put_right_and_keeps_others_labels() {
    let a = pool("intel.com/a");
    let mut edited = Class::of_pool(&a, DRIVER).owned(&a, DRIVER);
    edited.selectors.push("true".to_owned());
    edited.labels.insert("team".to_owned(), "net".to_owned());
    let plan = plan(&pools(&["intel.com/a"]), &[stored(edited)], DRIVER);
    let [(_, right)] = &plan.update[..] else {
        panic!("{plan:?}")
    };
    assert_eq!(
        (
            right.selectors.len(),
            right.labels.get("team").map(String::as_str)
        ),
        (1, Some("net"))
    );
    assert!(right.is_owned(DRIVER));
}

fn any_pool() -> impl Strategy<Value = PoolName> {
    let name = prop_oneof![
        "[a-c_-]{1,4}",
        "[a-zA-Z0-9_-]{1,80}",
        "[ab](_|-)[0-9a-f]{10}"
    ];
    let prefix = prop_oneof![
        Just("intel.com".to_owned()),
        Just("b.c".to_owned()),
        "[a-c.A-]{0,4}",
        ".{0,300}"
    ];
    (prefix, name).prop_map(|(prefix, name)| PoolName { prefix, name })
}

fn is_subdomain(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let label = |label: &str| {
        !label.is_empty()
            && label.chars().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}

proptest! {
    #[test]
    fn every_name_is_a_dns_subdomain_and_its_pools_alone(pools in prop::collection::btree_set(any_pool(), 1..30)) {
        let names: BTreeSet<String> = pools.iter().map(class_name).collect();
        prop_assert_eq!(names.len(), pools.len());
        for name in names {
            prop_assert!(is_subdomain(&name), "{}", name);
        }
    }

    #[test]
    fn a_plan_that_was_done_leaves_nothing_to_do(
        before in prop::collection::btree_set(any_pool(), 0..8),
        after in prop::collection::btree_set(any_pool(), 0..8),
        theirs in prop::collection::btree_set(any_pool(), 0..4),
    ) {
        let foreign: Vec<Stored> = theirs.iter().map(|pool| stored(Class::of_pool(pool, "other.example"))).collect();
        let first = done(&foreign, &plan(&before, &foreign, DRIVER));
        let second = done(&first, &plan(&after, &first, DRIVER));
        let again = plan(&after, &second, DRIVER);
        prop_assert!(again.is_empty(), "{:?}", again);
        for class in &foreign {
            prop_assert!(second.contains(class), "touched {}", class.class.name);
        }
        let own: BTreeSet<String> =
            second.iter().filter(|stored| stored.class.is_owned(DRIVER)).map(|stored| stored.class.name.clone()).collect();
        let wanted: BTreeSet<String> = after.iter().map(class_name).collect();
        prop_assert!(own.is_subset(&wanted));
    }
}
