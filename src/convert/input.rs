//! What the documents of the inputs are.

use serde::Serialize;
use serde_json::{Value, json};

use super::{
    addons::{self, Addon},
    annotation::RESOURCE,
    any_case,
    config_text::{is_config, is_config_as_yaml},
    places,
    prefix::Prefixes,
    read::{Document, Input, documents},
    rendered,
};
use crate::resource_policy::Kind;

/// An object of an input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Subject {
    /// Name of the input.
    pub file: String,
    /// Kind, namespace and name, and the key of a ConfigMap.
    pub object: String,
}

/// An object of a file.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) file: String,
    /// `Pod default/upf`.
    pub(super) name: String,
    pub(super) content: Content,
}

impl Object {
    pub(super) fn subject(&self) -> Subject {
        Subject {
            file: self.file.clone(),
            object: self.name.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// The text of a config.json, and the prefix of its pools without one.
    Config(String, String),
    /// NetworkAttachmentDefinitions: the object, or what an operator renders from it.
    Networks(Vec<Value>),
    /// A CNI configuration in a file: as a network without pool.
    CniFile(Value),
    /// A policy of the Go DRA driver, or DeviceAttributes.
    Policy(Value, Kind),
    /// An object of the SR-IOV operator.
    Operator(Value),
    /// Installs what this driver replaces.
    Addon(Addon),
    /// An object with pods or virtual machines.
    Workload(Value),
    /// Any other.
    Other(Value),
    /// What could not be read: field, why, what to do.
    Broken(String, &'static str),
}

/// The objects of all inputs, in order, and the prefixes of resources.
pub(super) fn objects(inputs: &[Input], prefix: Option<&str>) -> (Vec<Object>, Prefixes) {
    let files: Vec<(&Input, Vec<Document>)> = inputs
        .iter()
        .map(|input| (input, documents(input)))
        .collect();
    let values = files.iter().flat_map(|(_, documents)| documents);
    let values = values.filter_map(|document| match document {
        Document::Object(value) => Some(value),
        _ => None,
    });
    let prefixes = Prefixes::of(prefix, values);
    let mut objects = Vec::new();
    for (input, documents) in &files {
        for document in documents {
            objects.extend(of(&input.file, document, &prefixes));
        }
    }
    (objects, prefixes)
}

fn of(file: &str, document: &Document, prefixes: &Prefixes) -> Vec<Object> {
    let object = |name: String, content| Object {
        file: file.to_owned(),
        name,
        content,
    };
    let one = |name: &str, content| vec![object(name.to_owned(), content)];
    match document {
        Document::Config(text) => one(
            "config.json",
            Content::Config(text.clone(), prefixes.plugin.clone()),
        ),
        Document::Broken(why, remedy) => one("document", Content::Broken(why.clone(), remedy)),
        Document::Object(value) if value["kind"] == "ConfigMap" => {
            let keys = keys(value, prefixes).into_iter();
            let keys: Vec<Object> = keys
                .map(|(key, content)| object(format!("{} {key}", title(value)), content))
                .collect();
            match keys.is_empty() {
                true => one(&title(value), Content::Other(value.clone())),
                false => keys,
            }
        }
        Document::Object(value) => one(&title(value), content(value, prefixes)),
    }
}

/// `Pod default/upf`.
fn title(document: &Value) -> String {
    let kind = document["kind"].as_str().unwrap_or("document");
    let name = name_of(document);
    match document["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

fn content(document: &Value, prefixes: &Prefixes) -> Content {
    let kind = document["kind"].as_str().unwrap_or_default();
    let whole = || document.clone();
    if let Some(networks) = rendered::networks(document, prefixes) {
        return Content::Networks(networks);
    }
    match kind {
        "NetworkAttachmentDefinition" => return Content::Networks(vec![whole()]),
        "SriovResourcePolicy" => return Content::Policy(whole(), Kind::Policy),
        "DeviceAttributes" => return Content::Policy(whole(), Kind::Attributes),
        "SriovNetworkNodePolicy"
        | "SriovOperatorConfig"
        | "SriovNetworkPoolConfig"
        | "SriovNetworkNodeState"
        | "SpiderMultusConfig" => return Content::Operator(whole()),
        "NicClusterPolicy" => return nvidia(document),
        "DanmNet" | "TenantNetwork" | "ClusterNetwork"
            if document["spec"]["NetworkType"].is_string() =>
        {
            return danm(document);
        }
        "ControllerRevision" | "CustomResourceDefinition" => return Content::Other(whole()),
        "" if is_cni(document) => return Content::CniFile(whole()),
        _ => {}
    }
    if let Some(addon) = addons::of(document) {
        return Content::Addon(addon);
    }
    let pods = !places::pods(document).is_empty() || !places::machines(document).is_empty();
    match pods && !kind.is_empty() {
        true => Content::Workload(whole()),
        false => Content::Other(whole()),
    }
}

/// NVIDIA's network operator has a config.json in its own object.
fn nvidia(document: &Value) -> Content {
    match document["spec"]["sriovDevicePlugin"]["config"].as_str() {
        Some(text) if is_config(text) => {
            Content::Config(text.to_owned(), rendered::NVIDIA.to_owned())
        }
        _ => Content::Other(document.clone()),
    }
}

/// A network of DANM as the one that it stands for: the plugin and its pool.
fn danm(document: &Value) -> Content {
    let options = &document["spec"]["Options"];
    let kind = &document["spec"]["NetworkType"];
    let config = json!({"cniVersion": "0.3.1", "type": kind}).to_string();
    let mut annotations = json!({});
    if options["device_pool"].is_string() {
        annotations[RESOURCE] = options["device_pool"].clone();
    }
    let metadata = &document["metadata"];
    let metadata = json!({"name": metadata["name"], "namespace": metadata["namespace"], "annotations": annotations});
    Content::Networks(vec![
        json!({"metadata": metadata, "spec": {"config": config}}),
    ])
}

fn is_cni(document: &Value) -> bool {
    let named = any_case::get(document, "name").is_string()
        || any_case::get(document, "cniVersion").is_string();
    named
        && (any_case::get(document, "type").is_string()
            || any_case::get(document, "plugins").is_array())
}

/// The configurations among the keys of a ConfigMap: one per node, or one for all nodes.
fn keys(config_map: &Value, prefixes: &Prefixes) -> Vec<(String, Content)> {
    let prefix = match config_map["metadata"]["name"].as_str() {
        Some("device-plugin-config") => &prefixes.operator,
        _ => &prefixes.plugin,
    };
    let data = config_map["data"].as_object().into_iter().flatten();
    let texts = data.filter_map(|(key, value)| Some((key, value.as_str()?)));
    let configs = texts.filter(|(_, text)| is_config(text) || is_config_as_yaml(text));
    configs
        .map(|(key, text)| {
            (
                key.clone(),
                Content::Config(text.to_owned(), prefix.clone()),
            )
        })
        .collect()
}

/// `metadata.name`, or `generateName`.
pub(super) fn name_of(document: &Value) -> String {
    let metadata = &document["metadata"];
    let name = metadata["name"]
        .as_str()
        .or_else(|| metadata["generateName"].as_str())
        .unwrap_or("unnamed");
    name.trim_end_matches('-').to_owned()
}

/// `metadata.namespace`; empty if it is not set: then it is the one that kubectl is used with.
pub(super) fn namespace_of(document: &Value) -> String {
    document["metadata"]["namespace"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}
