//! What a NetworkAttachmentDefinition calls: the name and the type that the plugin finds in its
//! stdin. Pure.

use serde_json::Value;

use super::{is_own_type, members::Members};
use crate::go_json::same_key;

/// The annotation that names the pool whose devices a network takes.
pub const RESOURCE_NAME: &str = "k8s.v1.cni.cncf.io/resourceName";

/// A NetworkAttachmentDefinition's plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plugin {
    /// `name` of the configuration or list: the plugin's own in its stdin.
    pub name: String,
    /// `type`. Of a list: its first plugin of this driver's types, else its first plugin. None: the
    /// configuration is a file of the node that only Multus reads.
    pub kind: Option<String>,
    /// Whether the list has the reference plugin `bandwidth`, with a rate of its own or one that the
    /// pod's annotation may give.
    pub bandwidth: Bandwidth,
}

/// How a list limits rates by the plugin `bandwidth`, which needs a veth peer that no VF has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Bandwidth {
    /// It does not.
    #[default]
    None,
    /// By what the pod's annotation asks for, if it does (`capabilities`).
    OnRequest,
    /// Always.
    Always,
}

/// Reads `spec.config` of the NetworkAttachmentDefinition of that name.
///
/// # Errors
/// What Multus refuses too, with the field that is wrong.
pub fn plugin(nad: &str, config: &str) -> Result<Plugin, String> {
    if config.is_empty() {
        return Ok(Plugin {
            name: nad.to_owned(),
            kind: None,
            bandwidth: Bandwidth::None,
        });
    }
    let members: Members = serde_json::from_str(config)
        .map_err(|error| format!("spec.config: must be a JSON object: {error}"))?;
    read(nad, &members).map_err(|reason| format!("spec.config: {reason}"))
}

fn read(nad: &str, config: &Members) -> Result<Plugin, String> {
    // Multus sets it to the object's name unless there is this very key.
    let is_unnamed = config.exactly("name").is_none_or(|name| name == "");
    let name = if is_unnamed {
        nad
    } else {
        config.text("name")?
    };
    let kind = match config.text("type")? {
        "" => of_list(config)?,
        kind => kind,
    };
    Ok(Plugin {
        name: name.to_owned(),
        kind: Some(kind.to_owned()),
        bandwidth: bandwidth(config),
    })
}

fn bandwidth(config: &Members) -> Bandwidth {
    let Some(Value::Array(plugins)) = config.value("plugins") else {
        return Bandwidth::None;
    };
    let limiting = plugins
        .iter()
        .filter(|plugin| kind(plugin) == Some("bandwidth"));
    let of = |plugin: &Value| {
        let rate = |key: &&str| {
            member(plugin, key)
                .and_then(Value::as_f64)
                .is_some_and(|rate| rate > 0.0)
        };
        let requested = member(plugin, "capabilities").and_then(|all| member(all, "bandwidth"));
        if ["ingressRate", "egressRate"].iter().any(rate) {
            Bandwidth::Always
        } else if requested == Some(&Value::Bool(true)) {
            Bandwidth::OnRequest
        } else {
            Bandwidth::None
        }
    };
    limiting.map(of).max().unwrap_or_default()
}

fn of_list(config: &Members) -> Result<&str, String> {
    let plugins = match config.value("plugins") {
        Some(Value::Array(plugins)) if !plugins.is_empty() => plugins,
        Some(_) => return Err("plugins: must be a list of plugins".to_owned()),
        None => return Err("has neither type nor plugins".to_owned()),
    };
    let kinds = plugins.iter().map(kind);
    let own = kinds.clone().find(|kind| kind.is_some_and(is_own_type));
    own.or(kinds.take(1).next())
        .flatten()
        .ok_or_else(|| "plugins[0]: has no type".to_owned())
}

fn kind(plugin: &Value) -> Option<&str> {
    let kind = member(plugin, "type")?.as_str();
    kind.filter(|kind| !kind.is_empty())
}

/// `Value` has each key once, in the spelling of the text.
fn member<'a>(object: &'a Value, name: &str) -> Option<&'a Value> {
    let all = object.as_object()?;
    let named = |(key, value): &(&String, &Value)| same_key(key, name) && !value.is_null();
    all.iter().find(named).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(config: &str, name: &str, kind: Option<&str>) {
        let expected = Plugin {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
            bandwidth: Bandwidth::None,
        };
        assert_eq!(plugin("the-nad", config), Ok(expected), "{config}");
    }

    #[test]
    fn name_and_type_are_those_of_the_plugins_stdin() {
        reads(
            r#"{"name":"n","type":"sriov","vlan":7}"#,
            "n",
            Some("sriov"),
        );
        reads(
            r#"{"NAME":"n","Type":"sriov","name":"m"}"#,
            "m",
            Some("sriov"),
        );
        reads(r#"{"type":"sriov"}"#, "the-nad", Some("sriov"));
        reads(r#"{"name":"","type":"sriov"}"#, "the-nad", Some("sriov"));
        // Multus adds a second key, which counts.
        reads(r#"{"Name":"n","type":"sriov"}"#, "the-nad", Some("sriov"));
        reads("", "the-nad", None);
    }

    #[test]
    fn of_a_list_it_is_this_drivers_plugin() {
        reads(
            r#"{"name":"n","plugins":[{"type":"sriov"},{"type":"tuning"}]}"#,
            "n",
            Some("sriov"),
        );
        reads(
            r#"{"plugins":[{"type":"x"},{"TYPE":"ib-sriov"}]}"#,
            "the-nad",
            Some("ib-sriov"),
        );
        reads(
            r#"{"name":"n","plugins":[{"type":"host-device"},{"type":"sbr"}]}"#,
            "n",
            Some("host-device"),
        );
    }

    #[test]
    fn a_chained_bandwidth_limits_when_it_has_a_rate_or_can_be_given_one() {
        let of = |chained: &str| {
            let config = format!(r#"{{"plugins":[{{"type":"sriov"}},{chained}]}}"#);
            plugin("the-nad", &config).unwrap().bandwidth
        };
        assert_eq!(of(r#"{"type":"tuning","ingressRate":1}"#), Bandwidth::None);
        assert_eq!(of(r#"{"type":"bandwidth"}"#), Bandwidth::None);
        let zero = r#"{"type":"bandwidth","ingressRate":0,"egressBurst":0}"#;
        assert_eq!(of(zero), Bandwidth::None);
        let asked = r#"{"type":"bandwidth","capabilities":{"bandwidth":true}}"#;
        assert_eq!(of(asked), Bandwidth::OnRequest);
        let rate = r#"{"Type":"bandwidth","EgressRate":1000}"#;
        assert_eq!(of(rate), Bandwidth::Always);
        let both = format!("{asked},{rate}");
        assert_eq!(of(&both), Bandwidth::Always);
    }

    #[test]
    fn faults_name_the_field() {
        let fault = |config| plugin("the-nad", config).unwrap_err();
        assert!(fault("nothing").starts_with("spec.config: must be a JSON object: "));
        assert_eq!(fault("{}"), "spec.config: has neither type nor plugins");
        assert_eq!(
            fault(r#"{"plugins":[]}"#),
            "spec.config: plugins: must be a list of plugins"
        );
        assert_eq!(
            fault(r#"{"plugins":[{}]}"#),
            "spec.config: plugins[0]: has no type"
        );
        assert_eq!(
            fault(r#"{"type":1}"#),
            "spec.config: type: 1 is wrong, must be a string"
        );
    }
}
