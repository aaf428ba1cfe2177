use super::*;
use crate::{classes::Class, pool::PoolName};

fn class() -> Class {
    let pool = PoolName {
        prefix: "intel.com".to_owned(),
        name: "a".to_owned(),
    };
    Class::of_pool(&pool, "sriov-dra.io").owned(&pool, "sriov-dra.io")
}

fn answer() -> Value {
    let mut answer = class().manifest();
    answer["metadata"]["uid"] = "class-uid".into();
    answer["metadata"]["resourceVersion"] = "7".into();
    answer["spec"]["config"] = json!([{"opaque": {"driver": "other", "parameters": {"a": 1}}}]);
    answer
}

#[tokio::test]
async fn classes_are_read_written_and_deleted_as_they_were_read() {
    let list = json!({"kind": "DeviceClassList", "apiVersion": "resource.k8s.io/v1", "metadata": {}, "items": [answer()]});
    let (kube, task) = server(vec![
        ("GET /apis/resource.k8s.io/v1/deviceclasses?", 200, list),
        (
            "POST /apis/resource.k8s.io/v1/deviceclasses?",
            201,
            answer(),
        ),
        (
            "PUT /apis/resource.k8s.io/v1/deviceclasses/a.intel.com?",
            200,
            answer(),
        ),
        (
            "DELETE /apis/resource.k8s.io/v1/deviceclasses/a.intel.com?",
            404,
            failure(404, "NotFound", "not found"),
        ),
    ]);
    let there = kube.classes().await.unwrap().remove(0);
    assert_eq!(
        (
            &*there.uid,
            &*there.version,
            there.class.is_owned("sriov-dra.io")
        ),
        ("class-uid", "7", true)
    );
    assert_eq!(there.class.config.len(), 1, "others' configuration is seen");
    kube.create_class(&class()).await.unwrap();
    kube.update_class(&there, &class()).await.unwrap();
    kube.delete_class(&there).await.unwrap();
    let bodies = sent(kube, task).await;
    assert_eq!(bodies[1]["spec"]["extendedResourceName"], "intel.com/a");
    assert_eq!(
        bodies[1]["metadata"]["labels"],
        json!({"sriov-dra.io/managed-by": "controller"})
    );
    assert_eq!(bodies[2]["metadata"]["resourceVersion"], "7");
    assert_eq!(bodies[2]["spec"].get("config"), None);
    assert_eq!(
        bodies[3]["preconditions"],
        json!({"resourceVersion": "7", "uid": "class-uid"})
    );
}

#[tokio::test]
async fn of_named_config_maps_those_that_exist_are_given() {
    let map = json!({"kind": "ConfigMap", "apiVersion": "v1", "data": {"config.json": "{}"},
        "metadata": {"namespace": "kube-system", "name": "a", "uid": "u"}});
    let (kube, task) = server(vec![
        ("GET /api/v1/namespaces/kube-system/configmaps/a", 200, map),
        (
            "GET /api/v1/namespaces/kube-system/configmaps/b",
            404,
            failure(404, "NotFound", "not found"),
        ),
    ]);
    let names = ["kube-system/a", "kube-system/b"]
        .map(|name| name.parse().unwrap())
        .to_vec();
    let maps = kube.config_maps(&ConfigMaps::Named(names)).await.unwrap();
    sent(kube, task).await;
    assert_eq!(maps.len(), 1);
    assert_eq!(maps[0].data["config.json"], "{}");
}

#[tokio::test]
async fn labelled_config_maps_are_those_of_the_given_namespaces() {
    let list = |name: &str| {
        json!({"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {}, "items": [
            {"metadata": {"namespace": name, "name": name, "uid": "u"}}]})
    };
    let labelled = |namespaces: &[&str]| ConfigMaps::Labelled {
        selector: "a=b".into(),
        namespaces: namespaces.iter().map(ToString::to_string).collect(),
    };
    let (kube, task) = server(vec![
        (
            "GET /api/v1/namespaces/x/configmaps?&labelSelector=a%3Db",
            200,
            list("x"),
        ),
        (
            "GET /api/v1/namespaces/y/configmaps?&labelSelector=a%3Db",
            200,
            list("y"),
        ),
        (
            "GET /api/v1/configmaps?&labelSelector=a%3Db",
            200,
            list("z"),
        ),
    ]);
    let maps = kube.config_maps(&labelled(&["x", "y"])).await.unwrap();
    assert_eq!(maps.len(), 2);
    assert_eq!(kube.config_maps(&labelled(&[])).await.unwrap().len(), 1);
    sent(kube, task).await;
}
