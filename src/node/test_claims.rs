//! Claims for tests.

use crate::{
    claim::{AllocatedClaim, AllocatedDevice},
    ledger::ClaimRef,
    slice::DeviceRef,
};

/// Claim `name` of namespace web, reserved for pod `pod`: one device of a node, for one request.
pub(super) fn allocated(name: &str, node: &str, device: &str, request: &str) -> AllocatedClaim {
    AllocatedClaim {
        extended: false,
        pod_name: None,
        definitions: Default::default(),
        networks: Default::default(),
        claim: ClaimRef {
            uid: name.parse().unwrap(),
            namespace: "web".into(),
            name: name.into(),
        },
        pod_claim_name: None,
        reserved_for: vec!["pod".into()],
        devices: vec![AllocatedDevice {
            request: request.into(),
            class: None,
            device: DeviceRef {
                driver: "sriov-dra.io".into(),
                slice_pool: node.into(),
                device: device.into(),
            },
            admin_access: false,
            share_id: None,
        }],
        configs: vec![],
    }
}
