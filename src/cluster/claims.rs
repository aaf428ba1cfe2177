//! A claim of the API, reduced to what concerns this driver.

use k8s_openapi::api::resource::v1::{
    DeviceAllocationConfiguration, DeviceRequest, DeviceRequestAllocationResult, ResourceClaim,
    ResourceClaimConsumerReference,
};

use crate::{
    api::{ConfigSource, OpaqueConfig},
    claim::{AllocatedClaim, AllocatedDevice, ClaimNetworks, Definitions},
    device::ParseError,
    ledger::ClaimRef,
    slice::DeviceRef,
};

const POD_CLAIM_NAME: &str = "resource.kubernetes.io/pod-claim-name";
const EXTENDED: &str = "resource.kubernetes.io/extended-resource-claim";

/// The allocation's part of this driver; none when there is no allocation. An allocation of other
/// drivers' devices only has no devices.
pub(super) fn allocated(
    claim: ResourceClaim,
    driver: &str,
) -> Result<Option<AllocatedClaim>, ParseError> {
    let ResourceClaim {
        metadata,
        spec,
        status,
    } = claim;
    let status = status.unwrap_or_default();
    let Some(allocation) = status.allocation.and_then(|allocation| allocation.devices) else {
        return Ok(None);
    };
    let requests = spec
        .and_then(|spec| spec.devices)
        .and_then(|devices| devices.requests)
        .unwrap_or_default();
    let results = allocation
        .results
        .into_iter()
        .flatten()
        .filter(|result| result.driver == driver);
    let annotations = metadata.annotations.unwrap_or_default();
    Ok(Some(AllocatedClaim {
        claim: ClaimRef {
            uid: metadata.uid.unwrap_or_default().parse()?,
            namespace: metadata.namespace.unwrap_or_default(),
            name: metadata.name.unwrap_or_default(),
        },
        extended: annotations.contains_key(EXTENDED),
        pod_name: pod_name(status.reserved_for.as_deref().unwrap_or_default()),
        definitions: Definitions::default(),
        networks: ClaimNetworks::default(),
        pod_claim_name: annotations.get(POD_CLAIM_NAME).cloned(),
        reserved_for: status
            .reserved_for
            .into_iter()
            .flatten()
            .map(|consumer| consumer.uid)
            .collect(),
        devices: results.map(|result| device(result, &requests)).collect(),
        configs: allocation
            .config
            .into_iter()
            .flatten()
            .filter_map(|entry| config(entry, driver))
            .collect(),
    }))
}

fn pod_name(reserved_for: &[ResourceClaimConsumerReference]) -> Option<String> {
    let pod = |consumer: &&ResourceClaimConsumerReference| consumer.resource == "pods";
    Some(reserved_for.iter().find(pod)?.name.clone())
}

fn device(result: DeviceRequestAllocationResult, requests: &[DeviceRequest]) -> AllocatedDevice {
    AllocatedDevice {
        class: class(&result.request, requests),
        device: device_ref(&result),
        request: result.request,
        admin_access: result.admin_access.unwrap_or(false),
        share_id: result.share_id,
    }
}

/// Which device a result has allocated.
pub(super) fn device_ref(result: &DeviceRequestAllocationResult) -> DeviceRef {
    DeviceRef {
        driver: result.driver.clone(),
        slice_pool: result.pool.clone(),
        device: result.device.clone(),
    }
}

/// The class of `req` or `req/sub`.
fn class(request: &str, requests: &[DeviceRequest]) -> Option<String> {
    let (base, sub) = request
        .split_once('/')
        .map_or((request, None), |(base, sub)| (base, Some(sub)));
    let found = requests.iter().find(|request| request.name == base)?;
    match sub {
        None => found
            .exactly
            .as_ref()
            .map(|exactly| exactly.device_class_name.clone()),
        Some(sub) => {
            let all = found.first_available.iter().flatten();
            all.into_iter()
                .find(|request| request.name == sub)
                .map(|request| request.device_class_name.clone())
        }
    }
}

fn config(entry: DeviceAllocationConfiguration, driver: &str) -> Option<OpaqueConfig> {
    let opaque = entry.opaque.filter(|opaque| opaque.driver == driver)?;
    // Whoever is not the administrator is a user: an unknown source must not raise anybody's
    // rights.
    let source = if entry.source == "FromClass" {
        ConfigSource::Class
    } else {
        ConfigSource::Claim
    };
    Some(OpaqueConfig {
        source,
        requests: entry.requests.unwrap_or_default(),
        parameters: opaque.parameters.0,
    })
}
