//! What devices get.

use proptest::prelude::*;

use super::*;

const GO: &str = "sriovnetwork.k8snetworkplumbingwg.io/resourceName";
const CNI: &str = "k8s.cni.cncf.io/resourceName";

fn text(value: &str) -> Value {
    json!({"string": value})
}

/// What VF 0 gets of these sets, by a policy that takes everything.
fn given(sets: Vec<Object>) -> PolicyAssignment {
    let library = library(vec![simple("a", json!({}))], sets);
    assert_eq!(problems(&library), [""; 0]);
    decide(&library, &[vf(0)])
        .devices
        .remove(&vf(0).id)
        .unwrap()
}

#[test]
fn the_first_match_wins_by_name_of_policy_then_by_config() {
    let by_range =
        |range: &str| json!({"resourceFilters": [{"pfNames": [format!("ens1f0#{range}")]}]});
    let policies = vec![
        policy("b", json!({"configs": [by_range("0-7")]})),
        policy("a", json!({"configs": [by_range("1"), by_range("0-2")]})),
    ];
    let decision = decide(&library(policies, vec![]), &[vf(0), vf(1), vf(2), vf(3)]);
    let places: Vec<&str> = decision
        .devices
        .values()
        .map(|given| &*given.place)
        .collect();
    assert_eq!(
        places,
        [
            "SriovResourcePolicy a configs[1]",
            "SriovResourcePolicy a configs[0]",
            "SriovResourcePolicy a configs[1]",
            "SriovResourcePolicy b configs[0]",
        ]
    );
}

#[test]
fn selected_sets_are_merged_by_name_and_the_last_wins() {
    let given = given(vec![
        set(
            "2",
            "a",
            json!({"example.com/colour": text("red"), "example.com/two": {"int": 2}}),
        ),
        set(
            "1",
            "a",
            json!({"example.com/colour": text("blue"), "example.com/one": {"bool": true}}),
        ),
        set("3", "b", json!({"example.com/colour": text("green")})),
    ]);
    let expected = [
        ("example.com/colour", "red"),
        ("example.com/one", "true"),
        ("example.com/two", "2"),
    ];
    assert_eq!(
        texts(&given),
        expected
            .map(|(name, value)| (name, value.to_owned()))
            .into()
    );
}

#[test]
fn no_selector_selects_nothing_and_an_empty_one_everything() {
    let sets = || vec![set("1", "x", json!({"example.com/colour": text("red")}))];
    let selected = |selector: Value| {
        let spec = json!({"configs": [{"deviceAttributesSelector": selector}]});
        decide(&library(vec![policy("a", spec)], sets()), &[vf(0)]).devices[&vf(0).id]
            .attributes
            .len()
    };
    assert_eq!((selected(Value::Null), selected(json!({}))), (0, 1));
    let by = |operator: &str, values: &[&str]| {
        selected(
            json!({"matchExpressions": [{"key": "pool", "operator": operator, "values": values}]}),
        )
    };
    assert_eq!(
        (
            by("In", &["x"]),
            by("NotIn", &["x"]),
            by("Exists", &[]),
            by("DoesNotExist", &[])
        ),
        (1, 0, 1, 0)
    );
}

#[test]
fn a_resource_name_is_the_pool_under_each_of_its_spellings() {
    let pool = |attributes: Value| {
        given(vec![set("1", "a", attributes)])
            .pool
            .map(|pool| pool.to_string())
    };
    assert_eq!(
        pool(json!({GO: text("eth0_resource")})).as_deref(),
        Some("intel.com/eth0_resource")
    );
    assert_eq!(
        pool(json!({CNI: text("openshift.io/mlx")})).as_deref(),
        Some("openshift.io/mlx")
    );
    assert_eq!(
        pool(json!({"resourceName": text("x")})).as_deref(),
        Some("intel.com/x")
    );
    assert_eq!(
        pool(json!({"sriov-dra.io/resourceName": text("x")})).as_deref(),
        Some("intel.com/x")
    );
    assert_eq!(
        pool(json!({CNI: text("b"), GO: text("a"), "resourceName": text("c")})).as_deref(),
        Some("intel.com/a")
    );
    assert_eq!(pool(json!({"example.com/colour": text("red")})), None);
}

#[test]
fn the_name_for_multus_is_as_it_was_written() {
    let given = given(vec![set("1", "a", json!({CNI: text("eth0_resource")}))]);
    assert_eq!(texts(&given), [(CNI, "eth0_resource".to_owned())].into());
}

#[test]
fn a_bad_attribute_is_reported_and_costs_itself() {
    let mut attributes = json!({
        "vendor": text("1234"),
        "sriov-dra.io/pool": text("x"),
        "resource.kubernetes.io/numaNode": {"int": 7},
        "example.com/long": text(&"x".repeat(65)),
        "example.com/two": {"string": "a", "int": 1},
        "example.com/none": {},
        "example.com/number": {"int": "1"},
        "example.com/half": {"int": 1.5},
        "example.com/version": {"version": "1.2"},
        "example.com/list": {"strings": ["a"]},
        "1st": text("x"),
        "example.com/good": text("x"),
    });
    attributes[CNI] = json!({"int": 1});
    let library = library(
        vec![simple("a", json!({}))],
        vec![set("s", "a", attributes)],
    );
    assert_eq!(
        texts(&decide(&library, &[vf(0)]).devices[&vf(0).id]),
        [("example.com/good", "x".to_owned())].into()
    );
    insta::assert_snapshot!(problems(&library).join("\n"), @r#"
    DeviceAttributes s: spec.attributes.1st: "x" is not a qualified name; left out
    DeviceAttributes s: spec.attributes.vendor: is the driver's own attribute, which cannot be set; left out
    DeviceAttributes s: spec.attributes["example.com/half"].int: 1.5 is wrong, must be a whole number, without quotes; left out
    DeviceAttributes s: spec.attributes["example.com/list"].strings: is a list, which is not supported yet, must be a single value; left out
    DeviceAttributes s: spec.attributes["example.com/long"]: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"… has more than 64 bytes; left out
    DeviceAttributes s: spec.attributes["example.com/none"]: has 0 values, must be an attribute like {"string": "blue"}, of string, int, bool or version; left out
    DeviceAttributes s: spec.attributes["example.com/number"].int: "1" is wrong, must be a whole number, without quotes; left out
    DeviceAttributes s: spec.attributes["example.com/two"]: has 2 values, must be an attribute like {"string": "blue"}, of string, int, bool or version; left out
    DeviceAttributes s: spec.attributes["example.com/version"]: "1.2" is not a semantic version; left out
    DeviceAttributes s: spec.attributes["k8s.cni.cncf.io/resourceName"]: {…} is wrong, must be a string; left out
    DeviceAttributes s: spec.attributes["resource.kubernetes.io/numaNode"]: is the driver's own attribute, which cannot be set; left out
    DeviceAttributes s: spec.attributes["sriov-dra.io/pool"]: is the driver's own attribute, which cannot be set; left out
    "#);
}

#[test]
fn a_name_that_no_pool_can_have_is_reported() {
    let library = library(
        vec![simple("a", json!({}))],
        vec![set("s", "a", json!({GO: text("a b"), CNI: text("c")}))],
    );
    let given = &decide(&library, &[vf(0)]).devices[&vf(0).id];
    assert_eq!(
        (
            given.pool.clone(),
            texts(given).keys().copied().collect::<Vec<_>>()
        ),
        (None, vec![GO])
    );
    insta::assert_snapshot!(problems(&library).join("\n"), @r#"SriovResourcePolicy a: spec.configs[0].deviceAttributesSelector: sriovnetwork.k8snetworkplumbingwg.io/resourceName: "a b" is wrong, must be PREFIX/NAME or NAME, the name 1 or more of letters, digits, '_' and '-'; no pool"#);
}

#[test]
fn what_does_not_fit_is_left_out_by_sorted_name() {
    let mut attributes: serde_json::Map<String, Value> = (0..6)
        .map(|number| (format!("example.com/a{number}"), json!({"int": number})))
        .collect();
    attributes.insert(CNI.into(), text("pool"));
    attributes.insert(GO.into(), text("pool"));
    let library = library(
        vec![simple("a", json!({}))],
        vec![set("s", "a", attributes.into())],
    );
    let decision = decide(&library, &[vf(0), vf(1)]);
    let given = &decision.devices[&vf(0).id];
    let names: Vec<&str> = texts(given).into_keys().collect();
    assert_eq!(
        names,
        ["example.com/a0", "example.com/a1", "example.com/a2", CNI]
    );
    assert_eq!(
        given.pool.as_ref().map(ToString::to_string).as_deref(),
        Some("intel.com/pool"),
        "its name counts still"
    );
    assert_eq!(decision.dropped, 2 * 4);
    insta::assert_snapshot!(problems(&library).join("\n"), @"SriovResourcePolicy a: spec.configs[0].deviceAttributesSelector: a device has no room for example.com/a3, example.com/a4, example.com/a5, sriovnetwork.k8snetworkplumbingwg.io/resourceName, so they are left out");
}

#[test]
fn a_device_of_config_json_stays_in_its_pool_and_gets_the_attributes() {
    let (pools, _) = PoolConfig::read(
        r#"{"resourceList": [{"resourceName": "first", "selectors": {"pfNames": ["ens1f0#0-1"]}}]}"#,
        "intel.com",
    )
    .unwrap();
    let devices = [vf(0), vf(1), vf(2)];
    let set = set(
        "s",
        "a",
        json!({CNI: text("second"), "example.com/colour": text("red")}),
    );
    let before = pools.assign(&devices);
    let decision = library(vec![simple("a", json!({}))], vec![set]).assign(
        &Node::default(),
        &devices,
        &before,
    );
    insta::assert_snapshot!(decision.warnings.join("\n"), @"SriovResourcePolicy a configs[0]: pool intel.com/second: 0000:3b:02.0, 0000:3b:02.1 are already in pool intel.com/first by config.json");
    let (after, attributes) = decision.join(before);
    let pool = |device: &Candidate| after.devices[&device.id].pool.to_string();
    assert_eq!(
        [pool(&vf(0)), pool(&vf(2))],
        ["intel.com/first", "intel.com/second"]
    );
    assert_eq!(
        attributes[&vf(0).id].keys().collect::<Vec<_>>(),
        ["example.com/colour"]
    );
    assert_eq!(attributes[&vf(2).id].len(), 2);
}

#[test]
fn a_policy_that_goes_bad_stays_as_it_was_and_one_that_never_was_good_does_nothing() {
    let good = || simple("a", json!({"vendors": ["8086"]}));
    let bad = |name: &str| simple(name, json!({"vendor": ["8086"]}));
    let mut library = library(vec![good()], vec![]);
    library.read(&Objects {
        policies: vec![bad("a"), bad("b")],
        attributes: vec![],
    });
    assert_eq!(
        decide(&library, &[vf(0)]).devices[&vf(0).id].place,
        "SriovResourcePolicy a configs[0]"
    );
    assert!(!library.all_known());
    let problems = problems(&library);
    assert!(
        problems[0].ends_with("; its last good state stays")
            && problems[1].ends_with("; it does nothing"),
        "{problems:?}"
    );
    library.read(&Objects {
        policies: vec![good()],
        attributes: vec![],
    });
    assert!(library.all_known() && library.problems().is_empty());
    library.read(&Objects::default());
    assert!(
        decide(&library, &[vf(0)]).devices.is_empty(),
        "a deleted one is not kept"
    );
}

#[test]
fn how_many_devices_each_policy_takes() {
    let policies = vec![
        simple("a", json!({"pfNames": ["ens1f0#0-2"]})),
        simple("b", json!({"pfNames": ["ens1f0#2-3"]})),
        simple("c", json!({"drivers": ["vfio-pci"]})),
    ];
    let devices: Vec<Seen> = (0..6).map(|index| Seen::from(&vf(index))).collect();
    let matched = library(policies, vec![]).matched(&Node::default(), &devices);
    assert_eq!(
        matched,
        [("a", 3), ("b", 1), ("c", 0)]
            .map(|(name, count)| (name.to_owned(), count))
            .into()
    );
}

fn filters() -> impl Strategy<Value = Value> {
    let range = (0..8u32, 0..8u32)
        .prop_map(|(a, b)| json!({"pfNames": [format!("ens1f0#{}-{}", a.min(b), a.max(b))]}));
    prop_oneof![
        range,
        Just(json!({})),
        Just(json!({"drivers": ["vfio-pci"]})),
        Just(json!({"vendors": ["8086"]}))
    ]
}

proptest! {
    /// Whatever the policies, config.json's pools stay, every other device is in the pool of the
    /// first that takes it, and the order in which the server lists things does not matter.
    #[test]
    fn no_device_is_in_two_pools(filters in prop::collection::vec(filters(), 0..6), end in 0..8u32) {
        let name = |index: usize| format!("p{index}");
        let mut policies: Vec<Object> =
            filters.iter().enumerate().map(|(index, filter)| simple(&name(index), filter.clone())).collect();
        let sets: Vec<Object> = (0..filters.len())
            .map(|index| set(&name(index), &name(index), json!({GO: text(&name(index))})))
            .collect();
        let json = format!(r#"{{"resourceList": [{{"resourceName": "own", "selectors": {{"pfNames": ["ens1f0#0-{end}"]}}}}]}}"#);
        let (config, _) = PoolConfig::read(&json, "intel.com").unwrap();
        let mut devices: Vec<Candidate> = (0..8).map(vf).chain([pf()]).collect();
        let before = config.assign(&devices);
        let one = library(policies.clone(), sets.clone()).assign(&Node::default(), &devices, &before);
        policies.reverse();
        devices.reverse();
        let two = library(policies, sets).assign(&Node::default(), &devices, &before);
        prop_assert_eq!(&one, &two);
        let (after, _) = one.join(before.clone());
        for device in &devices {
            let takes = |filter: &Value| {
                let alone = library(vec![simple("a", filter.clone())], vec![]);
                !decide(&alone, std::slice::from_ref(device)).devices.is_empty()
            };
            let wanted = match before.devices.get(&device.id) {
                Some(assigned) => Some(assigned.pool.to_string()),
                None => filters.iter().position(takes).map(|index| format!("intel.com/{}", name(index))),
            };
            prop_assert_eq!(after.devices.get(&device.id).map(|assigned| assigned.pool.to_string()), wanted);
        }
    }
}

#[test]
fn a_config_that_takes_no_device_names_the_nearest() {
    let filters = [
        json!({"vendors": ["15b3"]}),
        json!({"drivers": ["igbvf"], "pfNames": ["ens1f0#9"]}),
    ];
    let configs = json!({"configs": [{"resourceFilters": filters}, {}, {}, {"resourceFilters": [{"deviceType": "pf", "vendors": ["1"]}]}]});
    let library = library(vec![policy("a", configs)], vec![]);
    let decision = decide(&library, &[pf(), vf(0)]);
    insta::assert_snapshot!(decision.empty.join("\n"), @r#"
    SriovResourcePolicy a configs[0] takes no device; nearest 0000:3b:02.0: vendors is 8086, wanted 15b3
    SriovResourcePolicy a configs[2] takes no device; nearest 0000:3b:02.0: matches, but SriovResourcePolicy a configs[1] takes it
    SriovResourcePolicy a configs[3] takes no device; nearest 0000:3b:00.0: vendors is 8086, wanted 1
    "#);
    let none = decide(&library, &[]).empty;
    assert_eq!(none.len(), 4);
    assert_eq!(
        none[0],
        "SriovResourcePolicy a configs[0] takes no device; the node has no device that it may take"
    );
}

#[test]
fn a_filter_refuses_what_it_does_not_match() {
    let values = [json!(["8086"]), json!(["15b3"])];
    let lists = [
        "vendors",
        "devices",
        "pciAddresses",
        "drivers",
        "pfNames",
        "pfPciAddresses",
    ];
    for (list, value) in lists
        .iter()
        .flat_map(|list| values.iter().map(move |value| (list, value)))
    {
        let library = library(vec![simple("a", json!({*list: value}))], vec![]);
        for device in [vf(0), pf()] {
            let decision = decide(&library, std::slice::from_ref(&device));
            let refused = decision.empty.first();
            assert_eq!(
                decision.devices.is_empty(),
                refused.is_some(),
                "{list} {value}"
            );
            let names = |line: &String| {
                line.contains(&format!(": {list} is ")) || line.contains(": deviceType is ")
            };
            assert!(refused.is_none_or(names), "{list} {value}: {refused:?}");
        }
    }
}
