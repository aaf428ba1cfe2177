use serde_json::{Value, json};

use super::*;
use crate::{
    api::Attribute,
    resource_policy::{Kind, Node, Object, Objects, Seen},
};

const NET: &str = "k8s.cni.cncf.io/resourceName";

fn object(kind: Kind, name: &str, spec: Value) -> Object {
    let labels = [("pool".to_owned(), name.to_owned())].into();
    let (namespace, uid, status) = ("sriov".into(), format!("uid of {name}"), Value::Null);
    Object {
        kind,
        namespace,
        name: name.into(),
        uid,
        generation: 1,
        labels,
        spec,
        status,
    }
}

/// A policy for VFs of these PFs that assigns them to the pool of its own name.
fn policy(name: &str, pfs: &[&str]) -> Object {
    let selector = json!({"matchLabels": {"pool": name}});
    let config =
        json!({"deviceAttributesSelector": selector, "resourceFilters": [{"pfNames": pfs}]});
    object(Kind::Policy, name, json!({"configs": [config]}))
}

fn objects(policies: Vec<Object>) -> Objects {
    let set = |policy: &Object| {
        let attributes = json!({"attributes": {NET: {"string": policy.name}}});
        object(Kind::Attributes, &policy.name, attributes)
    };
    Objects {
        attributes: policies.iter().map(set).collect(),
        policies,
    }
}

/// A node with `vfs` VFs of ens1f0.
fn node(name: &str, vfs: i64) -> (Node, Vec<Seen>) {
    let vf = |index| {
        let attributes = [
            ("type", Attribute::from("vf")),
            ("pfName", Attribute::from("ens1f0")),
            ("index", Attribute::Int(index)),
            ("pciAddress", format!("0000:3b:02.{index}").into()),
        ];
        Seen::published(
            &attributes
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
        )
    };
    (
        Node {
            name: name.into(),
            labels: Default::default(),
        },
        (0..vfs).map(vf).collect(),
    )
}

fn status(memory: &Memory, name: &str) -> Value {
    let view = memory.all_policies("sriov").borrow().clone();
    view.policies
        .unwrap()
        .into_iter()
        .find(|policy| policy.name == name)
        .unwrap()
        .status
}

/// A controller without ConfigMaps.
fn policies_only(memory: &Arc<Memory>) -> Controller {
    let cluster: Arc<dyn PoolCluster> = Arc::clone(memory) as Arc<dyn PoolCluster>;
    let policies = Some(memory.all_policies("sriov"));
    Controller::new(
        cluster,
        ConfigMaps::Named(Vec::new()),
        policies,
        DRIVER,
        "intel.com",
    )
}

#[tokio::test]
async fn classes_are_created_for_config_maps_and_policies() {
    let memory = Arc::new(Memory::default());
    let mut controller = controller(&memory);
    memory.configure(&name(), &[("config.json", &pools(&["a", "b"]))]);
    memory.write_policies(objects(vec![
        policy("b", &["ens1f0"]),
        policy("c", &["ens1f0"]),
    ]));
    controller.reconcile().await.unwrap();
    assert_eq!(
        names(&memory),
        ["a.intel.com", "b.intel.com", "c.intel.com"]
    );
    memory.write_policies(Objects::default());
    controller.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com", "b.intel.com"]);
}

#[tokio::test]
async fn no_class_is_deleted_while_policies_are_unread_or_one_was_never_valid() {
    let memory = Arc::new(Memory::default());
    memory.write_policies(objects(vec![policy("a", &["ens1f0"])]));
    policies_only(&memory).reconcile().await.unwrap();

    let mut restarted = policies_only(&memory);
    memory.forget_policies();
    restarted.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com"]);
    let mut bad = objects(vec![policy("a", &["ens1f0"])]);
    bad.policies[0].spec["config"] = json!([]);
    memory.write_policies(bad);
    restarted.reconcile().await.unwrap();
    restarted.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com"]);
    let events = memory.events();
    assert_eq!(events.len(), 1, "reported once");
    assert!(matches!(&events[0].subject, Subject::Policy { name, .. } if name == "a"));
    let note = &events[0].note;
    assert!(
        note.starts_with("SriovResourcePolicy a: spec.config: is an unknown field"),
        "{note}"
    );
}

#[tokio::test]
async fn the_status_of_a_policy_has_its_devices_and_is_written_only_when_it_changes() {
    let memory = Arc::new(Memory::default());
    let mut controller = policies_only(&memory);
    memory.publish_devices(vec![
        node("node-1", 4),
        node("node-2", 0),
        node("node-3", 2),
    ]);
    memory.write_policies(objects(vec![
        policy("a", &["ens1f0#0-2"]),
        policy("b", &["ens9"]),
        policy("c", &["x#"]),
    ]));
    controller.reconcile().await.unwrap();
    assert_eq!(
        memory.class_writes()[2..],
        ["status a", "status b", "status c"]
    );
    let mut a = status(&memory, "a");
    assert!(a["conditions"][0]["lastTransitionTime"].take().is_string());
    assert_eq!(
        a,
        json!({
            "observedGeneration": 1,
            "conditions": [{"type": "Ready", "status": "True", "reason": "Applied", "message": "",
                "observedGeneration": 1, "lastTransitionTime": null}],
            "selectedNodes": 3, "matchedNodes": 2, "matchedDevices": 5,
            "nodes": [{"name": "node-1", "devices": 3}, {"name": "node-3", "devices": 2}],
        })
    );
    let b = &status(&memory, "b")["conditions"][0];
    assert_eq!(b["reason"], "NoDevice");
    let message = "no device of the selected nodes is taken\n\
        node-1: takes no device; nearest 0000:3b:02.0: pfNames is ens1f0#0, wanted ens9\n\
        node-3: takes no device; nearest 0000:3b:02.0: pfNames is ens1f0#0, wanted ens9";
    assert_eq!(b["message"], message);
    let c = &status(&memory, "c")["conditions"][0];
    assert_eq!(
        (&c["status"], &c["reason"]),
        (&json!("False"), &json!("Invalid"))
    );
    assert!(
        c["message"]
            .as_str()
            .unwrap()
            .starts_with("spec.configs[0].resourceFilters[0].pfNames[0]: \"x#\""),
        "{c}"
    );

    controller.reconcile().await.unwrap();
    assert_eq!(memory.class_writes(), [""; 0], "nothing has changed");
    memory.publish_devices(vec![node("node-1", 1)]);
    controller.reconcile().await.unwrap();
    assert_eq!(memory.class_writes(), ["status a", "status b"]);
}

#[tokio::test]
async fn the_status_lists_a_limited_number_of_nodes() {
    let memory = Arc::new(Memory::default());
    memory.publish_devices(
        (0..100)
            .map(|number| node(&format!("node-{number:03}"), 1))
            .collect(),
    );
    memory.write_policies(objects(vec![policy("a", &["ens1f0"])]));
    policies_only(&memory).reconcile().await.unwrap();
    let status = status(&memory, "a");
    assert_eq!(
        (&status["matchedNodes"], &status["matchedDevices"]),
        (&json!(100), &json!(100))
    );
    assert_eq!(status["nodes"].as_array().unwrap().len(), 20);
}

#[tokio::test]
async fn policies_without_a_status_subresource_are_not_an_error() {
    let memory = Arc::new(Memory::default());
    memory.drop_policy_status();
    memory.publish_devices(vec![node("node-1", 1)]);
    memory.write_policies(objects(vec![policy("a", &["ens1f0"])]));
    let mut controller = policies_only(&memory);
    controller.reconcile().await.unwrap();
    controller.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com"]);
    assert_eq!(status(&memory, "a"), Value::Null);
}

#[tokio::test]
async fn a_changed_policy_triggers_a_reconcile() {
    let memory = Arc::new(Memory::default());
    let changes = run::changes(
        &*memory,
        &ConfigMaps::Named(Vec::new()),
        Some(memory.all_policies("sriov")),
    );
    let task = tokio::spawn(run::reconcile_forever(policies_only(&memory), changes));
    for pool in ["a", "b"] {
        memory.write_policies(objects(vec![policy(pool, &["ens1f0"])]));
        while names(&memory) != [format!("{pool}.intel.com")] {
            tokio::task::yield_now().await;
        }
    }
    task.abort();
}
