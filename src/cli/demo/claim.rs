//! The claim of the walkthrough, as the scheduler would have allocated it.

use serde_json::json;

use crate::{
    api::{self, ConfigSource, OpaqueConfig},
    claim::{AllocatedClaim, AllocatedDevice},
    ledger::ClaimRef,
    slice::DeviceRef,
};

pub(super) const DRIVER: &str = "sriov-dra.io";
pub(super) const NODE: &str = "worker-1";

/// Configuration in the DeviceClass, written by the administrator.
pub(super) const CLASS: &str = "\
vlan: 100
vlanQoS: 3
mac: 02:00:00:00:00:07
";

/// Configuration in the claim, written by the user.
pub(super) const CLAIM: &str = "\
ifName: net1
mtu: 1400
addresses: [10.0.0.7/24]
";

/// The claim, with a device of a slice allocated to it.
pub(super) fn allocated(device: &str, pod_uid: &str) -> anyhow::Result<AllocatedClaim> {
    let claim = ClaimRef {
        uid: "5f0c7f0e-8e6f-4a44-9d3b-7f2f6a5f4f3e".parse()?,
        namespace: "core".to_owned(),
        name: "upf-n3".to_owned(),
    };
    let device = AllocatedDevice {
        request: "n3".to_owned(),
        class: Some("vf-n3".to_owned()),
        device: DeviceRef {
            driver: DRIVER.to_owned(),
            slice_pool: NODE.to_owned(),
            device: device.to_owned(),
        },
        admin_access: false,
        share_id: None,
    };
    let class = json!({"vlan": 100, "vlanQoS": 3, "mac": "02:00:00:00:00:07"});
    let user = json!({"ifName": "net1", "mtu": 1400, "addresses": ["10.0.0.7/24"]});
    Ok(AllocatedClaim {
        extended: false,
        pod_name: None,
        definitions: Default::default(),
        networks: Default::default(),
        claim,
        pod_claim_name: Some("n3".to_owned()),
        reserved_for: vec![pod_uid.to_owned()],
        devices: vec![device],
        configs: vec![
            config(ConfigSource::Class, class),
            config(ConfigSource::Claim, user),
        ],
    })
}

fn config(source: ConfigSource, mut parameters: serde_json::Value) -> OpaqueConfig {
    parameters["apiVersion"] = json!(format!("{DRIVER}/{}", api::VERSION));
    parameters["kind"] = json!(api::KIND);
    OpaqueConfig {
        source,
        requests: Vec::new(),
        parameters,
    }
}
