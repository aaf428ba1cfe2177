//! Objects that install what this driver replaces or works with: known by their images.

use serde_json::Value;

use super::places;

/// What a DaemonSet or Deployment installs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Addon {
    DevicePlugin,
    CniPlugin,
    Injector,
    Operator,
}

impl Addon {
    /// What becomes of it, and what to do; nothing to do: no difference.
    pub(super) fn advice(self) -> (&'static str, &'static str) {
        match self {
            Self::DevicePlugin => (
                "the device plugin: a node serves a resource by it or by DRA, never by both",
                "take it off each node that is migrated, by its node selector; delete it in the end",
            ),
            Self::CniPlugin => (
                "installs the Go plugin sriov, over the one of the same name of this driver",
                "take it off each node that is migrated, by its node selector; delete it in the end",
            ),
            Self::Injector => ("the network resources injector adds limits as before", ""),
            Self::Operator => (
                "the operator runs the device plugin and installs the Go plugin sriov; VFs stay as it made them",
                "set its replicas to 0, then label each node that is migrated sriovnetwork.openshift.io/device-plugin=Disabled",
            ),
        }
    }
}

/// Parts of images' names, each before those that are parts of it.
const IMAGES: [(&str, Addon); 7] = [
    ("sriov-network-device-plugin", Addon::DevicePlugin),
    ("sriov-device-plugin", Addon::DevicePlugin),
    ("sriovdp", Addon::DevicePlugin),
    ("sriov-network-operator", Addon::Operator),
    ("sriov-network-config-daemon", Addon::Operator),
    ("network-resources-injector", Addon::Injector),
    ("sriov-cni", Addon::CniPlugin),
];

/// What the object installs, if it is one of these.
pub(super) fn of(document: &Value) -> Option<Addon> {
    let kind = document["kind"].as_str()?;
    ["DaemonSet", "Deployment"].contains(&kind).then_some(())?;
    let containers = containers(document);
    let runs = |image: &str| {
        let mut images = containers.iter().filter_map(|it| it["image"].as_str());
        images.any(|name| name.contains(image))
    };
    let by_image = IMAGES.iter().find(|(image, _)| runs(image));
    let by_flag = || {
        let mut words = containers.iter().flat_map(words);
        words.any(|word| word.ends_with("sriovdp") || word.contains("/etc/pcidp/"))
    };
    match by_image {
        Some((_, addon)) => Some(*addon),
        None => by_flag().then_some(Addon::DevicePlugin),
    }
}

/// `--resource-prefix` of the device plugin.
pub(super) fn resource_prefix(document: &Value) -> Option<String> {
    (of(document)? == Addon::DevicePlugin).then_some(())?;
    containers(document).iter().find_map(|container| {
        let words = words(container);
        let at = words
            .iter()
            .position(|word| word.trim_start_matches('-').starts_with("resource-prefix"))?;
        let value = match words[at].split_once('=') {
            Some((_, value)) => value.to_owned(),
            None => words.get(at + 1)?.clone(),
        };
        let value = expanded(container, value.trim_matches(['"', '\'']));
        (!value.is_empty() && !value.contains("$(")).then_some(value)
    })
}

/// The operator's `RESOURCE_PREFIX`.
pub(super) fn operator_prefix(document: &Value) -> Option<String> {
    (of(document)? == Addon::Operator).then_some(())?;
    let containers = containers(document);
    let value = containers
        .iter()
        .find_map(|it| variable(it, "RESOURCE_PREFIX"))?;
    (!value.is_empty()).then_some(value)
}

fn containers(document: &Value) -> Vec<Value> {
    let lists = ["containers", "initContainers"];
    let of = |pod: Value| lists.map(|list| pod["spec"][list].as_array().cloned());
    let pods = places::pods(document).into_iter();
    pods.flat_map(|place| of(place.pod))
        .flatten()
        .flatten()
        .collect()
}

/// The words of a container's command line, also of a shell's.
fn words(container: &Value) -> Vec<String> {
    let texts = ["command", "args"]
        .into_iter()
        .flat_map(|key| container[key].as_array().into_iter().flatten())
        .filter_map(Value::as_str);
    texts
        .flat_map(str::split_whitespace)
        .map(str::to_owned)
        .collect()
}

/// The value of a flag with `$(NAME)` as the kubelet replaces it.
fn expanded(container: &Value, text: &str) -> String {
    let name = text
        .strip_prefix("$(")
        .and_then(|text| text.strip_suffix(')'));
    name.and_then(|name| variable(container, name))
        .unwrap_or_else(|| text.to_owned())
}

fn variable(container: &Value, name: &str) -> Option<String> {
    let mut variables = container["env"].as_array()?.iter();
    let variable = variables.find(|variable| variable["name"] == name)?;
    variable["value"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn daemon_set(image: &str, args: &[&str]) -> Value {
        let container =
            json!({"image": image, "args": args, "env": [{"name": "PREFIX", "value": "a.io"}]});
        json!({"kind": "DaemonSet", "spec": {"template": {"spec": {"containers": [container]}}}})
    }

    #[test]
    fn installers_are_known_by_image_or_command() {
        let of = |image: &str, args: &[&str]| super::of(&daemon_set(image, args));
        let plugin = Some(Addon::DevicePlugin);
        assert_eq!(of("ghcr.io/k/sriov-network-device-plugin:v3", &[]), plugin);
        assert_eq!(
            of("mine", &["sh", "-c", "exec /usr/bin/sriovdp -v 10"]),
            plugin
        );
        assert_eq!(of("ghcr.io/k/ib-sriov-cni", &[]), Some(Addon::CniPlugin));
        assert_eq!(of("nginx", &["--config-file=/etc/nginx"]), None);
    }

    #[test]
    fn the_prefix_is_read_as_the_kubelet_and_go_read_it() {
        let prefix = |args: &[&str]| resource_prefix(&daemon_set("sriovdp", args));
        let a = Some("a.io".to_owned());
        assert_eq!(prefix(&["--resource-prefix=a.io"]), a);
        assert_eq!(prefix(&["-resource-prefix", "a.io"]), a);
        assert_eq!(prefix(&["--resource-prefix=$(PREFIX)"]), a);
        assert_eq!(prefix(&["exec sriovdp --resource-prefix='a.io'"]), a);
        assert_eq!(prefix(&["--resource-prefix=$(NONE)"]), None);
        assert_eq!(prefix(&["-v", "10"]), None);
    }
}
