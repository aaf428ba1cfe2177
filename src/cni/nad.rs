//! What a NetworkAttachmentDefinition calls: the name and the type that the plugin finds in its
//! stdin. Pure.

use serde_json::Value;

use super::{is_own_type, members::Members};

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
    })
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

/// `Value` has each key once, in the spelling of the text.
fn kind(plugin: &Value) -> Option<&str> {
    let typed =
        |(key, value): (&String, &'_ Value)| key.eq_ignore_ascii_case("type") && value.is_string();
    let (_, value) = plugin
        .as_object()?
        .iter()
        .find(|(key, value)| typed((key, value)))?;
    value.as_str().filter(|kind| !kind.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(config: &str, name: &str, kind: Option<&str>) {
        let expected = Plugin {
            name: name.to_owned(),
            kind: kind.map(str::to_owned),
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
