//! Networks whose addresses an IPAM plugin assigns. The class names the network, so that claims and
//! pods with Multus share its leases, and what it sets is described once.

use serde_json::json;

use super::{
    fields::Fields,
    ipam,
    settings::{Delegated, Settings},
};
use crate::convert::{network::Network, report::Section};

const NEEDS: &str = "the agents run it, if the chart's value cni.ipam is set";

/// The fields of a class that names the network. None: the class has the settings themselves.
pub(super) fn reference(
    section: &mut Section<'_>,
    settings: &mut Settings,
    network: &Network,
) -> Option<Fields> {
    let Delegated { at, plugin, config } = settings.ipam.take()?;
    let of_type = format!("{at}.type");
    if network.namespace.is_empty() {
        ipam::set(section, &mut settings.class, &at, "ipam", config.into());
        let what = format!("{NEEDS}; its leases are apart from those of pods with the network");
        let remedy = "give the network's namespace (--namespace), so that the class can name it";
        section.warning(&of_type, plugin, &what, remedy);
        return None;
    }
    section.warning(&of_type, plugin, NEEDS, "set it");
    let named = json!({"name": network.name, "namespace": network.namespace});
    let mut fields = settings.class.none();
    ipam::set(
        section,
        &mut fields,
        &at,
        "networkAttachmentDefinition",
        named,
    );
    Some(fields)
}
