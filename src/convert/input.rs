//! Reads input files.

use serde_json::Value;

use super::{
    ConvertError,
    config_text::{is_config, is_config_as_yaml, is_config_document},
    yaml,
};
use crate::resource_policy::Kind;

/// An input file.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name, for the report.
    pub file: String,
    /// Its content.
    pub text: String,
}

/// An object of a file.
#[derive(Debug, Clone)]
pub(super) struct Object {
    pub(super) file: String,
    /// `Pod default/upf`.
    pub(super) name: String,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// The text of a config.json.
    Config(String),
    /// A NetworkAttachmentDefinition.
    Network(Value),
    /// A policy of the Go DRA driver, or DeviceAttributes.
    Policy(Value, Kind),
    /// A pod or an object with a pod template, and the JSON pointer to the pod.
    Workload(Value, &'static str),
    /// Anything else, and why it is not converted.
    Other(String),
}

/// Kinds with a pod or pod template, and the JSON pointer to it.
const WORKLOADS: [(&str, &str); 9] = [
    ("Pod", ""),
    ("PodTemplate", "/template"),
    ("Deployment", "/spec/template"),
    ("DaemonSet", "/spec/template"),
    ("StatefulSet", "/spec/template"),
    ("ReplicaSet", "/spec/template"),
    ("ReplicationController", "/spec/template"),
    ("Job", "/spec/template"),
    ("CronJob", "/spec/jobTemplate/spec/template"),
];

/// The objects of a file, in order.
pub(super) fn objects(input: &Input) -> Result<Vec<Object>, ConvertError> {
    if is_config(&input.text) {
        return Ok(vec![config(input)]);
    }
    let error = |reason| ConvertError {
        place: input.file.clone(),
        reason,
    };
    let documents = yaml::parse(&input.text)
        .map_err(|reason| error(format!("neither YAML nor JSON: {reason}")))?;
    if documents.is_empty() {
        return Err(error("file is empty".to_owned()));
    }
    if documents.iter().any(is_config_document) {
        // Its parser reports what is not JSON, with line and column.
        return match documents.len() {
            1 => Ok(vec![config(input)]),
            _ => Err(error(TOGETHER.to_owned())),
        };
    }
    Ok(documents
        .into_iter()
        .flat_map(flat)
        .flat_map(|document| of(&input.file, document))
        .collect())
}

const TOGETHER: &str = "has a resourceList beside other documents; a config.json must be JSON, and in a file of its own or in a ConfigMap";

fn config(input: &Input) -> Object {
    Object {
        file: input.file.clone(),
        name: "config.json".to_owned(),
        content: Content::Config(input.text.clone()),
    }
}

/// Flattens lists, as `kubectl get -o yaml` prints them.
fn flat(document: Value) -> Vec<Value> {
    match document["items"].as_array() {
        Some(items)
            if document["kind"]
                .as_str()
                .is_some_and(|kind| kind.ends_with("List")) =>
        {
            items.clone()
        }
        _ => vec![document],
    }
}

fn of(file: &str, document: Value) -> Vec<Object> {
    let kind = document["kind"].as_str().unwrap_or_default().to_owned();
    let name = match (
        document["metadata"]["namespace"].as_str(),
        name_of(&document),
    ) {
        (Some(namespace), name) => format!("{kind} {namespace}/{name}"),
        (None, name) => format!("{kind} {name}"),
    };
    let object = |name: String, content| Object {
        file: file.to_owned(),
        name,
        content,
    };
    let workload = WORKLOADS.iter().find(|(known, _)| *known == kind);
    match (kind.as_str(), workload) {
        ("ConfigMap", _) => keys(&document)
            .map(|(key, content)| object(format!("{name} {key}"), content))
            .collect(),
        ("NetworkAttachmentDefinition", _) => vec![object(name, Content::Network(document))],
        ("SriovResourcePolicy", _) => vec![object(name, Content::Policy(document, Kind::Policy))],
        ("DeviceAttributes", _) => vec![object(name, Content::Policy(document, Kind::Attributes))],
        (_, Some((_, pod))) => vec![object(name, Content::Workload(document, pod))],
        ("", _) => vec![object(
            "document".to_owned(),
            Content::Other("has no kind and no resourceList".to_owned()),
        )],
        _ => vec![object(
            name,
            Content::Other(format!("{kind} objects are not converted")),
        )],
    }
}

/// The keys of a ConfigMap: one per node, or one for all nodes.
fn keys(config_map: &Value) -> impl Iterator<Item = (String, Content)> {
    let data = config_map["data"].as_object().into_iter().flatten();
    let binary = config_map["binaryData"].as_object().into_iter().flatten();
    let text = |(key, value): (&String, &Value)| {
        let text = value.as_str().unwrap_or_default();
        let other = || Content::Other("not a config.json: no resourceList".to_owned());
        (
            key.clone(),
            if is_config(text) || is_config_as_yaml(text) {
                Content::Config(text.to_owned())
            } else {
                other()
            },
        )
    };
    let binary = binary.map(|(key, _)| {
        (
            key.clone(),
            Content::Other("binary data is not converted".to_owned()),
        )
    });
    data.map(text).chain(binary)
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

/// `metadata.namespace`, or kubectl's default.
pub(super) fn namespace_of(document: &Value) -> String {
    document["metadata"]["namespace"]
        .as_str()
        .unwrap_or("default")
        .to_owned()
}
