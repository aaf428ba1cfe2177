//! The pod annotation `k8s.v1.cni.cncf.io/networks`, in its short form and in JSON.

use serde_json::{Map, Value, json};

/// Name of the annotation.
pub(super) const NETWORKS: &str = "k8s.v1.cni.cncf.io/networks";

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

/// Parses the annotation of a pod in this namespace.
pub(super) fn parse(text: &str, namespace: &str) -> Result<Vec<Selection>, String> {
    let items = match text.trim() {
        "" => Vec::new(),
        json if json.starts_with(['[', '{']) => serde_json::from_str::<Vec<Value>>(json)
            .map_err(|error| format!("not a JSON list: {error}"))?,
        short => short
            .split(',')
            .map(|item| parse_short(item.trim()))
            .collect(),
    };
    items
        .iter()
        .enumerate()
        .map(|(index, item)| selection(item, index, namespace))
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

fn selection(item: &Value, index: usize, namespace: &str) -> Result<Selection, String> {
    let mut extra = item
        .as_object()
        .cloned()
        .ok_or_else(|| format!("{item} is not an object"))?;
    let mut take = |key: &str| match extra.remove(key) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    let name = take("name").ok_or_else(|| format!("{item} has no name"))?;
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
        Ok(parse(text, "shop")?.iter().map(one).collect())
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
        for wrong in [r#"[{"namespace":"b"}]"#, "[1]", "{", "a,,b"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn networks_left_to_multus_keep_their_interface_names() {
        let mut all = parse(
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
