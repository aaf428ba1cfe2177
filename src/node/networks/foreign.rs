//! Networks of plugins that are not this driver's: they get the device from Multus.

use crate::{
    claim::{AllocatedClaim, PoolDefaults},
    cluster::{Event, Subject},
    cni::{
        is_own_type,
        networks::{Network, PodNetworks},
    },
    device::DeviceId,
};

/// Events for pods with a network whose plugin may not get to know the claim's device. Multus up to
/// 4.3 knows devices of a claim whose name is the network's resource, later ones those of pools.
pub(in crate::node) fn unserved(
    claim: &AllocatedClaim,
    pools: &PoolDefaults,
    pods: &[PodNetworks],
) -> Vec<Event> {
    let ids = claim
        .devices
        .iter()
        .filter_map(|device| DeviceId::from_name(&device.device.device).ok());
    let names: Vec<String> = ids
        .filter_map(|id| pools.pool(&id).map(ToString::to_string))
        .collect();
    let is_foreign = |network: &&Network| {
        let kind = network.conf_type.as_deref();
        let of_pool = network
            .resource_name
            .as_ref()
            .is_some_and(|name| names.contains(name));
        of_pool && kind.is_some_and(|kind| !is_own_type(kind))
    };
    let events = pods.iter().flat_map(|pod| {
        let foreign = pod.networks.iter().filter(is_foreign);
        foreign
            .map(|network| event(pod, network, claim))
            .collect::<Vec<_>>()
    });
    events.collect()
}

fn event(pod: &PodNetworks, network: &Network, claim: &AllocatedClaim) -> Event {
    let (nad, kind) = (
        &network.nad,
        network.conf_type.as_deref().unwrap_or_default(),
    );
    let resource = network.resource_name.as_deref().unwrap_or_default();
    Event {
        subject: Subject::Pod {
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            uid: pod.uid.to_string(),
        },
        warning: true,
        reason: "DeviceUnknownToMultus",
        action: "Prepare",
        note: format!(
            "network {nad}: its plugin {kind} gets the device from Multus, which up to 4.3 does not know devices of {resource} \
             that are in claims such as {}; use a claim with a name of its own, and that name as the network's \
             k8s.v1.cni.cncf.io/resourceName, or a later Multus with rights to read claims and slices",
            claim.claim
        ),
    }
}
