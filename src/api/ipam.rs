//! The field `ipam`: which IPAM plugin assigns the addresses.

use serde_json::{Map, Value};

/// Who assigns the addresses of a netdev.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipam {
    /// `type`: the plugin's file name.
    pub plugin: String,
    /// The whole object, which the plugin gets.
    pub config: Map<String, Value>,
    /// The network that it is of, as the plugin reads it; none: one of the class.
    pub network: Option<Map<String, Value>>,
}

impl Ipam {
    /// Reads the object.
    ///
    /// # Errors
    /// `type` is no file name, or a plugin that cannot serve claims.
    pub fn of(config: &Map<String, Value>) -> Result<Self, String> {
        let given = config.get("type").unwrap_or(&Value::Null);
        let is_name = |name: &&str| !name.contains(['/', '\0']) && !["", ".", ".."].contains(name);
        let plugin = given.as_str().filter(is_name).ok_or_else(|| {
            format!("type: {given} is wrong, must be the file name of an IPAM plugin")
        })?;
        match refused(plugin) {
            Some(why) => Err(format!("type: {plugin}: {why}")),
            None => Ok(Self {
                plugin: plugin.to_owned(),
                config: config.clone(),
                network: None,
            }),
        }
    }
}

/// Plugins whose leases would not be what they say.
fn refused(plugin: &str) -> Option<&'static str> {
    match plugin {
        "dhcp" => Some(
            "needs the pod's network namespace, and addresses are assigned before there is one; \
             use host-local or static, or a network of Multus",
        ),
        // `pkg/reconciler` of whereabouts v0.9.2 looks for each lease's address in the network
        // status of its pod, which only a meta-plugin writes.
        "whereabouts" => Some(
            "its reconciler frees addresses that are not in the pod's network-status, which only Multus writes; \
             use a network of Multus",
        ),
        _ => None,
    }
}
