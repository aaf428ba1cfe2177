//! A pod's annotations and the NetworkAttachmentDefinitions that they name → its networks.

use futures::future::try_join_all;

use crate::{
    cluster::{Cluster, Pod},
    cni::{
        nad::{self, Bandwidth},
        networks::{Network, PodNetworks, PodUid, VERSION},
        selection::{self, AnnotationError, Selection},
    },
};

/// Multus' own namespace by default, where a default network without a namespace is.
const MULTUS_NAMESPACE: &str = "kube-system";

/// What a pod selects. Of a pod on the host's network it is nothing: no CNI plugin is called.
///
/// # Errors
/// The API server cannot be asked.
pub(super) async fn networks(
    cluster: &dyn Cluster,
    pod: &Pod,
    uid: &PodUid,
) -> Result<PodNetworks, String> {
    let mut all = PodNetworks {
        version: VERSION,
        uid: uid.clone(),
        namespace: pod.namespace.clone(),
        name: pod.name.clone(),
        claims: pod.claims.clone(),
        networks: Vec::new(),
        error: None,
    };
    match selections(pod) {
        Err(error) => all.error = Some(error.to_string()),
        Ok(selections) => {
            let read = selections
                .into_iter()
                .map(|(selection, is_default)| network(cluster, selection, is_default));
            all.networks = try_join_all(read).await?;
        }
    }
    Ok(all)
}

fn selections(pod: &Pod) -> Result<Vec<(Selection, bool)>, AnnotationError> {
    if pod.host_network {
        return Ok(Vec::new());
    }
    let default = pod.default_network.as_deref();
    let default = default.map(|text| selection::default_network(text, MULTUS_NAMESPACE));
    let networks = pod.networks.as_deref().unwrap_or_default();
    let networks = selection::networks(networks, &pod.namespace)?;
    let default = default.transpose()?.map(|network| (network, true));
    let networks = networks.into_iter().map(|network| (network, false));
    Ok(default.into_iter().chain(networks).collect())
}

async fn network(
    cluster: &dyn Cluster,
    selection: Selection,
    is_default: bool,
) -> Result<Network, String> {
    let mut network = Network {
        nad: selection.nad,
        interface: selection.interface,
        is_default,
        resource_name: None,
        conf_name: None,
        conf_type: None,
        limits_bandwidth: false,
        gateways: selection.gateways,
        error: None,
    };
    let found = cluster.network(&network.nad).await;
    let Some(found) = found.map_err(|error| error.to_string())? else {
        network.error = Some("there is no such NetworkAttachmentDefinition".to_owned());
        return Ok(network);
    };
    network.resource_name = found.resource_name.filter(|name| !name.is_empty());
    match nad::plugin(&network.nad.name, &found.config) {
        Err(error) => network.error = Some(error),
        Ok(plugin) => {
            network.limits_bandwidth = match plugin.bandwidth {
                Bandwidth::None => false,
                Bandwidth::OnRequest => selection.asks_bandwidth,
                Bandwidth::Always => true,
            };
            (network.conf_name, network.conf_type) = (Some(plugin.name), plugin.kind);
        }
    }
    Ok(network)
}
