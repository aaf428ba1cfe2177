//! The pod annotations that add networks. Multus' own has a short form and one in JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::any_case;
use crate::cni::selection;

/// Name of the annotation.
pub(super) const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";

/// Annotation of a network with its pool.
pub(super) const RESOURCE: &str = "k8s.v1.cni.cncf.io/resourceName";
/// The annotation with another network for eth0. Without a namespace it is in Multus' own.
pub(super) const DEFAULT_NETWORK: &str = "v1.multus-cni.io/default-network";
/// Where Multus looks for default networks.
pub(super) const MULTUS_NAMESPACE: &str = "kube-system";

/// Last parts of annotations by which others than Multus add networks to a pod: DANM, GKE, Spiderpool,
/// CNI-Genie.
const OTHERS: [&str; 6] = [
    "interfaces",
    "networks",
    "default-network",
    "network-resource-inject",
    "rdma-resource-inject",
    "cni",
];

/// Whether it is an annotation that adds networks, and not one of Multus.
pub(super) fn is_of_others(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    key != NETWORKS && key != DEFAULT_NETWORK && OTHERS.contains(&name)
}

/// One network that a pod requests.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selection {
    pub(super) namespace: String,
    pub(super) name: String,
    /// As requested, or as Multus names it: `net` and its position in the list.
    pub(super) interface: String,
    /// All other fields.
    pub(super) extra: Map<String, Value>,
}

/// Parses an annotation of a pod, whose networks without a namespace are in this one.
pub(super) fn parse(key: &str, text: &str, namespace: &str) -> Result<Vec<Selection>, String> {
    let selections = read(text, namespace)?;
    if text.trim().is_empty() {
        return Ok(selections);
    }
    // What Multus refuses besides, like a MAC address that is a number.
    let refused = match key {
        DEFAULT_NETWORK => selection::default_network(text, namespace).map(drop),
        _ => selection::networks(text, namespace).map(drop),
    };
    refused.map(|()| selections).map_err(|error| error.reason)
}

/// Why the interfaces cannot all be in one pod.
pub(super) fn twice(selections: &[Selection]) -> Option<String> {
    let mut names = BTreeSet::from(["eth0"]);
    let mut selections = selections.iter().map(|it| it.interface.as_str());
    let name = selections.find(|name| !names.insert(name))?;
    Some(match name {
        "eth0" => "eth0 is the interface of the pod's default network".to_owned(),
        name => format!("{name} is the interface of two networks"),
    })
}

fn read(text: &str, namespace: &str) -> Result<Vec<Selection>, String> {
    let items = match text.trim() {
        "" => Vec::new(),
        json if json.contains(['[', '{', '"']) => serde_json::from_str::<Vec<Value>>(json)
            .map_err(|error| format!("not a JSON list: {error}"))?,
        short => short
            .split(',')
            .map(|item| parse_short(item.trim()))
            .collect(),
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| one(item, index, namespace))
        .collect()
}

/// Parses `namespace/name@interface`.
fn parse_short(item: &str) -> Value {
    let (path, interface) = item
        .split_once('@')
        .map_or((item, None), |(path, name)| (path, Some(name)));
    let (namespace, name) = path
        .split_once('/')
        .map_or((None, path), |(namespace, name)| (Some(namespace), name));
    let mut value = json!({"name": name});
    if let Some(namespace) = namespace {
        value["namespace"] = namespace.into();
    }
    if let Some(interface) = interface {
        value["interface"] = interface.into();
    }
    value
}

fn one(item: &Value, index: usize, namespace: &str) -> Result<Selection, String> {
    let mut extra = fields(item).ok_or_else(|| format!("{item} is not an object"))?;
    let mut take = |key: &str| match extra.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let name = take("name").ok_or_else(|| format!("{item} has no name"))?;
    if !is_name(&name) {
        return Err(format!("{name:?} is not the name of a network"));
    }
    let namespace = take("namespace").unwrap_or_else(|| namespace.to_owned());
    // Multus accepts both: `interfaceRequest` is the older name.
    let interface = take("interface")
        .or(take("interfaceRequest"))
        .unwrap_or_else(|| format!("net{}", index + 1));
    Ok(Selection {
        namespace,
        name,
        interface,
        extra,
    })
}

const FIELDS: [&str; 12] = [
    "name",
    "namespace",
    "interface",
    "interfaceRequest",
    "ips",
    "mac",
    "infiniband-guid",
    "portMappings",
    "bandwidth",
    "cni-args",
    "default-route",
    "deviceID",
];

/// The fields under their own names, which Go's decoder takes in any case.
fn fields(item: &Value) -> Option<Map<String, Value>> {
    let mut fields = item.as_object()?.clone();
    for name in FIELDS {
        let value = any_case::get(item, name).clone();
        fields.retain(|key, _| !key.eq_ignore_ascii_case(name));
        if !value.is_null() {
            fields.insert(name.to_owned(), value);
        }
    }
    Some(fields)
}

/// As Multus tests names.
fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    let ends = |c: char| c != '-' && c != '.';
    name.chars().all(plain) && name.starts_with(ends) && name.ends_with(ends)
}

/// The annotation of the networks that are left to Multus. Interface names are set explicitly,
/// since their positions in the list have changed.
pub(super) fn render(left: &[Selection]) -> String {
    let item = |selection: &Selection| {
        let mut item = selection.extra.clone();
        item.insert("name".to_owned(), selection.name.clone().into());
        item.insert("namespace".to_owned(), selection.namespace.clone().into());
        item.insert("interface".to_owned(), selection.interface.clone().into());
        Value::from(item)
    };
    Value::from(left.iter().map(item).collect::<Vec<_>>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<String>, String> {
        let one = |item: &Selection| format!("{}/{} {}", item.namespace, item.name, item.interface);
        Ok(parse(NETWORKS, text, "shop")?.iter().map(one).collect())
    }

    #[test]
    fn both_forms_are_parsed() {
        let both = ["shop/a net1", "other/b blue", "shop/c net3"]
            .map(str::to_owned)
            .to_vec();
        assert_eq!(parsed("a, other/b@blue ,c"), Ok(both.clone()));
        let json = r#"[{"name":"a"},{"name":"b","namespace":"other","interface":"blue"},{"name":"c","interface":""}]"#;
        assert_eq!(parsed(json), Ok(both));
        assert_eq!(parsed(""), Ok(Vec::new()));
    }

    #[test]
    fn an_invalid_network_is_an_error() {
        for wrong in [
            r#"[{"namespace":"b"}]"#,
            "[1]",
            "{",
            "a,,b",
            "a b",
            r#"{"name":"a"}"#,
            r#"[{"name":"a","namespace":5}]"#,
            r#"[{"name":"a","mac":7}]"#,
            r#"[{"name":"a","ips":"10.0.0.1"}]"#,
            r#"[{"name":"a","default-route":["gateway"]}]"#,
            "a@abcdefghijklmnop",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn two_networks_have_interfaces_of_their_own() {
        let why = |text: &str| twice(&parse(NETWORKS, text, "shop").unwrap());
        assert_eq!(why("a,b,c@blue"), None);
        let twice = ["a@blue,b@blue", "a@net2,b"].map(|text| why(text).unwrap());
        assert_eq!(
            twice,
            ["blue", "net2"].map(|name| format!("{name} is the interface of two networks"))
        );
        assert_eq!(
            why("a@eth0").unwrap(),
            "eth0 is the interface of the pod's default network"
        );
        let two = "[{\"name\":\"a\"},{\"name\":\"b\"}]";
        assert!(parse(DEFAULT_NETWORK, two, "kube-system").is_err());
    }

    #[test]
    fn fields_are_taken_in_any_case() {
        let all = r#"[{"Name":"a","NAMESPACE":"b","Interface":"blue","Mac":"02:00:00:00:00:01"}]"#;
        assert_eq!(parsed(all), Ok(vec!["b/a blue".to_owned()]));
        assert!(
            parse(NETWORKS, all, "shop").unwrap()[0]
                .extra
                .contains_key("mac")
        );
    }

    #[test]
    fn annotations_of_others_are_known_by_their_names() {
        for key in [
            "danm.k8s.io/interfaces",
            "networking.gke.io/interfaces",
            "cni",
        ] {
            assert!(is_of_others(key), "{key}");
        }
        for key in [
            NETWORKS,
            DEFAULT_NETWORK,
            "k8s.v1.cni.cncf.io/network-status",
            "a/b",
        ] {
            assert!(!is_of_others(key), "{key}");
        }
    }

    #[test]
    fn networks_left_to_multus_keep_their_interface_names() {
        let mut all = parse(
            NETWORKS,
            r#"[{"name":"a"},{"name":"b","mac":"02:00:00:00:00:01"}]"#,
            "shop",
        )
        .unwrap();
        assert_eq!(
            render(&all.split_off(1)),
            r#"[{"interface":"net2","mac":"02:00:00:00:00:01","name":"b","namespace":"shop"}]"#
        );
    }
}
