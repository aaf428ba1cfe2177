//! Where in an object are pods: at any path, since custom resources have pod templates where they
//! like.

use serde_json::{Value, json};

use super::annotation::{DEFAULT_NETWORK, NETWORKS};

/// A pod, a pod template, or what a pod is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    /// Its JSON pointer in the object.
    pub(super) pointer: String,
    /// With `metadata` and `spec`.
    pub(super) pod: Value,
    /// Whether it has both in the object, so that it can be edited there.
    pub(super) whole: bool,
}

/// All pods of an object.
pub(super) fn pods(document: &Value) -> Vec<Place> {
    let mut all = Vec::new();
    walk(document, &mut |pointer, value| {
        let place = place(document, pointer, value);
        let found = place.is_some();
        all.extend(place);
        found
    });
    all
}

fn place(document: &Value, pointer: &str, value: &Value) -> Option<Place> {
    let place = |pod, whole| {
        Some(Place {
            pointer: pointer.to_owned(),
            pod,
            whole,
        })
    };
    if has_containers(&value["spec"]) {
        return place(value.clone(), true);
    }
    let annotations = &value["metadata"]["annotations"];
    let asks = [NETWORKS, DEFAULT_NETWORK].map(|key| annotations[key].is_string());
    if pointer.ends_with("/template") && asks.contains(&true) {
        let spec = json!({"containers": with_resources(value)});
        return place(json!({"metadata": value["metadata"], "spec": spec}), false);
    }
    // The specification of a pod whose metadata are the object's.
    has_containers(value).then_some(())?;
    place(
        json!({"metadata": document["metadata"], "spec": value}),
        false,
    )
}

fn has_containers(spec: &Value) -> bool {
    let containers = spec["containers"].as_array();
    containers.is_some_and(|items| items.iter().all(Value::is_object) && !items.is_empty())
}

/// Everything below that has `resources`, as containers have.
fn with_resources(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    walk(value, &mut |_, value| {
        let has = value["resources"].is_object();
        if has {
            all.push(value.clone());
        }
        has
    });
    all
}

/// The networks of virtual machines: the pointer to each list, and the list.
pub(super) fn machines(document: &Value) -> Vec<(String, Vec<Value>)> {
    let mut all = Vec::new();
    walk(document, &mut |pointer, value| {
        let networks = value["networks"].as_array();
        let machine = networks.filter(|_| value["domain"].is_object());
        all.extend(machine.map(|list| (format!("{pointer}/networks"), list.clone())));
        machine.is_some()
    });
    all
}

/// Where an object asks for networks, or names a resource, in a form that is not a pod's: the paths
/// and what is there.
pub(super) fn mentions(
    document: &Value,
    is_pool: &dyn Fn(&str) -> bool,
) -> Option<(String, String)> {
    let mut found = None;
    walk(document, &mut |pointer, value| {
        let keys = value.as_object().into_iter().flatten();
        let mut named = keys.filter_map(|(key, value)| {
            let text = value.as_str().unwrap_or_default();
            let networks = key == NETWORKS || key == DEFAULT_NETWORK;
            match (networks, is_pool(key), is_pool(text)) {
                (true, ..) => Some(text.to_owned()),
                (_, true, _) => Some(key.clone()),
                (.., true) => Some(text.to_owned()),
                _ => None,
            }
        });
        if found.is_none() {
            found = named.next().map(|named| (dotted(pointer), named));
        }
        found.is_some()
    });
    found
}

/// `/spec/templates/0/container` as `spec.templates[0].container`.
pub(super) fn dotted(pointer: &str) -> String {
    let mut text = String::new();
    for part in pointer.split('/').skip(1) {
        match part.parse::<usize>() {
            Ok(index) => text += &format!("[{index}]"),
            Err(_) if text.is_empty() => text += part,
            Err(_) => text += &format!(".{part}"),
        }
    }
    text.replace("~1", "/").replace("~0", "~")
}

/// Calls for every object, outer ones first; where it returns true, not for what is inside.
fn walk(document: &Value, visit: &mut dyn FnMut(&str, &Value) -> bool) {
    let mut left = vec![(String::new(), document)];
    while let Some((pointer, value)) = left.pop() {
        if value.is_object() && visit(&pointer, value) {
            continue;
        }
        let inside: Vec<(String, &Value)> = match value {
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (escaped(key), value))
                .collect(),
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items.map(|(at, value)| (at.to_string(), value)).collect()
            }
            _ => Vec::new(),
        };
        let inside = inside.into_iter().rev();
        left.extend(inside.map(|(part, value)| (format!("{pointer}/{part}"), value)));
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(document: &Value) -> Vec<(String, bool)> {
        let places = pods(document).into_iter();
        places.map(|place| (place.pointer, place.whole)).collect()
    }

    #[test]
    fn pod_templates_are_found_at_any_path() {
        let pod = json!({"spec": {"containers": [{"name": "a"}]}});
        let job = json!({"spec": {"mpiReplicaSpecs": {"Launcher": {"template": pod}, "Worker": {"template": pod}}}});
        let (launcher, worker) = ("Launcher", "Worker");
        let at = |who: &str| (format!("/spec/mpiReplicaSpecs/{who}/template"), true);
        assert_eq!(pointers(&job), [at(launcher), at(worker)]);
        assert_eq!(pointers(&pod), [(String::new(), true)]);
        let ray = json!({"spec": {"workerGroupSpecs": [{"template": pod}]}});
        assert_eq!(pointers(&ray)[0].0, "/spec/workerGroupSpecs/0/template");
    }

    #[test]
    fn a_bare_specification_has_the_metadata_of_its_object() {
        let service = json!({"metadata": {"annotations": {"a": "b"}}, "spec": {"predictor": {"containers": [{"name": "a"}]}}});
        let place = &pods(&service)[0];
        assert_eq!((&*place.pointer, place.whole), ("/spec/predictor", false));
        assert_eq!(place.pod["metadata"]["annotations"]["a"], "b");
    }

    #[test]
    fn a_template_that_only_asks_for_networks_is_one() {
        let patch = json!({"spec": {"template": {"metadata": {"annotations": {NETWORKS: "a"}}}}});
        assert_eq!(pointers(&patch), [("/spec/template".to_owned(), false)]);
    }

    #[test]
    fn a_definition_of_a_custom_resource_has_no_pods() {
        let schema = json!({"spec": {"properties": {"containers": {"type": "array"}}}});
        assert_eq!(pods(&schema), []);
    }

    #[test]
    fn what_is_no_pod_and_names_a_pool_is_found() {
        let workflow = json!({"spec": {"templates": [{"container": {"resources": {"limits": {"intel.com/a": 1}}}}]}});
        let found = mentions(&workflow, &|name| name == "intel.com/a");
        let at = "spec.templates[0].container.resources.limits".to_owned();
        assert_eq!(found, Some((at, "intel.com/a".to_owned())));
        assert_eq!(mentions(&workflow, &|_| false), None);
    }

    #[test]
    fn machines_are_found_by_their_networks() {
        let vm =
            json!({"spec": {"template": {"spec": {"domain": {}, "networks": [{"name": "a"}]}}}});
        assert_eq!(machines(&vm)[0].0, "/spec/template/spec/networks");
    }
}
