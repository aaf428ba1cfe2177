mod policies;

use std::sync::Arc;

use super::*;
use crate::cluster::{ConfigMapName, ErrorKind, Memory, Subject};

const DRIVER: &str = "sriov-dra.io";

fn name() -> ConfigMapName {
    "kube-system/sriovdp-config".parse().unwrap()
}

fn pools(names: &[&str]) -> String {
    let pool = |name: &&str| format!(r#"{{"resourceName": "{name}", "selectors": {{}}}}"#);
    format!(
        r#"{{"resourceList": [{}]}}"#,
        names.iter().map(pool).collect::<Vec<_>>().join(",")
    )
}

fn controller(memory: &Arc<Memory>) -> Controller {
    let cluster: Arc<dyn PoolCluster> = Arc::clone(memory) as Arc<dyn PoolCluster>;
    let policies = Some(memory.all_policies("sriov"));
    Controller::new(
        cluster,
        ConfigMaps::Named(vec![name()]),
        policies,
        DRIVER,
        "intel.com",
    )
}

fn names(memory: &Memory) -> Vec<String> {
    memory
        .stored_classes()
        .into_iter()
        .map(|stored| stored.class.name)
        .collect()
}

#[tokio::test]
async fn classes_follow_the_config_maps() {
    let memory = Arc::new(Memory::default());
    let mut controller = controller(&memory);
    memory.configure(
        &name(),
        &[
            ("node-1", &pools(&["a", "b"])),
            ("node-2", &pools(&["b", "c"])),
        ],
    );
    controller.reconcile().await.unwrap();
    assert_eq!(
        names(&memory),
        ["a.intel.com", "b.intel.com", "c.intel.com"]
    );
    memory.class_writes();
    controller.reconcile().await.unwrap();
    assert!(
        memory.class_writes().is_empty(),
        "no writes without changes"
    );

    memory.configure(&name(), &[("node-1", &pools(&["a"]))]);
    controller.reconcile().await.unwrap();
    assert_eq!(
        memory.class_writes(),
        ["delete b.intel.com", "delete c.intel.com"]
    );
}

#[tokio::test]
async fn an_invalid_configuration_keeps_its_last_valid_pools_and_is_reported_once() {
    let memory = Arc::new(Memory::default());
    let mut controller = controller(&memory);
    memory.configure(&name(), &[("config.json", &pools(&["a"]))]);
    controller.reconcile().await.unwrap();
    memory.configure(&name(), &[("config.json", &pools(&["a b"]))]);
    controller.reconcile().await.unwrap();
    controller.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com"]);
    let events = memory.events();
    assert_eq!(events.len(), 1);
    assert!(
        matches!(&events[0].subject, Subject::ConfigMap { name, .. } if name == "sriovdp-config")
    );
    let note = &events[0].note;
    assert!(note.starts_with(
        "ConfigMap kube-system/sriovdp-config key config.json: resourceList[0].resourceName"
    ));
    assert!(note.ends_with("; keeping its last valid pools"), "{note}");
}

#[tokio::test]
async fn no_class_is_deleted_while_a_configuration_is_unknown() {
    let memory = Arc::new(Memory::default());
    memory.configure(&name(), &[("config.json", &pools(&["a", "b"]))]);
    controller(&memory).reconcile().await.unwrap();

    // A restarted controller, which has not seen a valid configuration.
    let mut controller = controller(&memory);
    memory.configure(&name(), &[("config.json", "{"), ("node-1", &pools(&["c"]))]);
    controller.reconcile().await.unwrap();
    assert_eq!(
        names(&memory),
        ["a.intel.com", "b.intel.com", "c.intel.com"]
    );
    memory.configure(&name(), &[]);
    controller.reconcile().await.unwrap();
    assert_eq!(
        names(&memory).len(),
        3,
        "a missing ConfigMap does not mean that its pools are removed"
    );
    memory.configure(&name(), &[("node-1", &pools(&["c"]))]);
    controller.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["c.intel.com"]);
}

fn labelled(memory: &Arc<Memory>, namespaces: &[&str]) -> Controller {
    let cluster: Arc<dyn PoolCluster> = Arc::clone(memory) as Arc<dyn PoolCluster>;
    let which = ConfigMaps::Labelled {
        selector: "pools=yes".into(),
        namespaces: namespaces.iter().map(ToString::to_string).collect(),
    };
    Controller::new(cluster, which, None, DRIVER, "intel.com")
}

#[tokio::test]
async fn a_label_that_matches_nothing_deletes_no_class() {
    let memory = Arc::new(Memory::default());
    memory.configure(&name(), &[("config.json", &pools(&["a", "b"]))]);
    labelled(&memory, &[]).reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com", "b.intel.com"]);

    // The label has a typing error now, and the controller is another process.
    memory.configure(&name(), &[]);
    let mut controller = labelled(&memory, &[]);
    controller.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com", "b.intel.com"]);
    // It matches something else.
    memory.configure(&name(), &[("config.json", &pools(&["c"]))]);
    controller.reconcile().await.unwrap();
    let all = ["a.intel.com", "b.intel.com", "c.intel.com"];
    assert_eq!(names(&memory), all);
    // What this process has seen go is deleted.
    memory.configure(&name(), &[]);
    controller.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com", "b.intel.com"]);
}

#[tokio::test]
async fn a_namespace_without_policies_deletes_no_class() {
    let memory = Arc::new(Memory::default());
    memory.configure(&name(), &[("config.json", &pools(&["a"]))]);
    labelled(&memory, &[]).reconcile().await.unwrap();
    memory.write_policies(Default::default());
    let cluster: Arc<dyn PoolCluster> = Arc::clone(&memory) as Arc<dyn PoolCluster>;
    let (which, policies) = (ConfigMaps::Named(vec![]), memory.all_policies("typo"));
    let mut controller = Controller::new(cluster, which, Some(policies), DRIVER, "intel.com");
    controller.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com"]);
}

#[tokio::test]
async fn config_maps_of_other_namespaces_make_no_class() {
    let memory = Arc::new(Memory::default());
    let tenants = "tenant/pools".parse().unwrap();
    memory.configure(&name(), &[("config.json", &pools(&["a"]))]);
    memory.configure(&tenants, &[("config.json", &pools(&["b"]))]);
    let mut controller = labelled(&memory, &["kube-system"]);
    controller.reconcile().await.unwrap();
    assert_eq!(names(&memory), ["a.intel.com"]);
}

#[tokio::test]
async fn a_class_without_its_extended_resource_is_not_written_in_a_loop() {
    let memory = Arc::new(Memory::default());
    memory.drop_extended_resources();
    let mut controller = controller(&memory);
    memory.configure(&name(), &[("config.json", &pools(&["a"]))]);
    for _ in 0..3 {
        controller.reconcile().await.unwrap();
    }
    assert_eq!(memory.class_writes(), ["create a.intel.com"]);
}

#[tokio::test(start_paused = true)]
async fn a_class_gets_its_extended_resource_once_the_server_keeps_it() {
    let memory = Arc::new(Memory::default());
    memory.drop_extended_resources();
    let mut controller = controller(&memory);
    memory.configure(&name(), &[("config.json", &pools(&["a"]))]);
    controller.reconcile().await.unwrap();
    memory.keep_extended_resources();
    controller.reconcile().await.unwrap();
    assert_eq!(memory.class_writes(), ["create a.intel.com"]);
    tokio::time::advance(AGAIN).await;
    for _ in 0..2 {
        controller.reconcile().await.unwrap();
    }
    assert_eq!(memory.class_writes(), ["update a.intel.com"]);
}

#[tokio::test]
async fn a_foreign_class_is_kept_and_an_edited_own_class_is_reverted() {
    let memory = Arc::new(Memory::default());
    memory.write_class(Class {
        name: "a.intel.com".to_owned(),
        ..Class::default()
    });
    let mut controller = controller(&memory);
    memory.configure(&name(), &[("config.json", &pools(&["a", "b"]))]);
    controller.reconcile().await.unwrap();
    assert_eq!(memory.class_writes(), ["create b.intel.com"]);
    let mut edited = memory.stored_classes().pop().unwrap().class;
    edited.selectors.clear();
    memory.write_class(edited);
    controller.reconcile().await.unwrap();
    assert_eq!(memory.class_writes(), ["update b.intel.com"]);
}

#[tokio::test]
async fn an_error_of_the_api_server_is_retried() {
    let memory = Arc::new(Memory::default());
    let mut controller = controller(&memory);
    memory.configure(&name(), &[("config.json", &pools(&["a", "b"]))]);
    memory.fail(&[ErrorKind::Unreachable]);
    assert!(controller.reconcile().await.is_err());
    assert!(names(&memory).is_empty());
    controller.reconcile().await.unwrap();
    assert_eq!(names(&memory).len(), 2);
}

#[tokio::test]
async fn a_change_triggers_a_reconcile() {
    let memory = Arc::new(Memory::default());
    let which = ConfigMaps::Named(vec![name()]);
    let changes = run::changes(&*memory, &which, Some(memory.all_policies("sriov")));
    let task = tokio::spawn(run::reconcile_forever(controller(&memory), changes));
    for pool in ["a", "b"] {
        memory.configure(&name(), &[("config.json", &pools(&[pool]))]);
        let wanted = vec![format!("{pool}.intel.com")];
        while names(&memory) != wanted {
            tokio::task::yield_now().await;
        }
    }
    task.abort();
}
