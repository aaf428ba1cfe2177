//! The prefix of resources whose pool does not set one: a flag of the device plugin, which its
//! DaemonSet has, and a variable of the operator.

use serde_json::Value;

use super::{addons, annotation::RESOURCE};

/// The agent's and the device plugin's own.
pub(super) const PLUGIN: &str = "intel.com";
/// The SR-IOV operator's own.
const OPERATOR: &str = "openshift.io";
/// Which operator object a NetworkAttachmentDefinition is rendered from.
const OWNER: &str = "sriovnetwork.openshift.io/owner-ref";

/// Prefixes by who gave the pool its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Prefixes {
    /// Of config.json.
    pub(super) plugin: String,
    /// Of the operator's `device-plugin-config` and networks.
    pub(super) operator: String,
}

impl Prefixes {
    /// What the user gives goes first, then what the inputs have.
    pub(super) fn of<'a>(
        given: Option<&str>,
        documents: impl Iterator<Item = &'a Value> + Clone,
    ) -> Self {
        let plugin = documents.clone().find_map(addons::resource_prefix);
        let operator = documents.clone().find_map(addons::operator_prefix);
        let rendered = documents.clone().find_map(rendered);
        let owned = |text: &str| text.to_owned();
        let given = given.map(owned);
        let operator = operator.or(rendered);
        Self {
            plugin: given.clone().or(plugin.clone()).unwrap_or(owned(PLUGIN)),
            operator: given.or(operator).or(plugin).unwrap_or(owned(OPERATOR)),
        }
    }
}

/// The prefix that the operator gave a network that it rendered.
fn rendered(document: &Value) -> Option<String> {
    let annotations = &document["metadata"]["annotations"];
    annotations[OWNER].as_str()?;
    let (prefix, _) = annotations[RESOURCE].as_str()?.split_once('/')?;
    Some(prefix.to_owned())
}
