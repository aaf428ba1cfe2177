use serde_json::json;

use super::*;
use crate::{
    api::{ConfigSource, OpaqueConfig},
    ledger::ClaimRef,
    slice::DeviceRef,
};

const HERE: NodePool<'static> = NodePool {
    driver: "sriov-dra.io",
    node: "node",
};

fn claim(devices: &[(&str, &str)], configs: Vec<OpaqueConfig>) -> AllocatedClaim {
    let device = |(request, device): &(&str, &str)| AllocatedDevice {
        request: (*request).into(),
        class: Some("vf".into()),
        device: DeviceRef {
            driver: "sriov-dra.io".into(),
            slice_pool: "node".into(),
            device: (*device).into(),
        },
        admin_access: false,
        share_id: None,
    };
    AllocatedClaim {
        extended: false,
        pod_name: None,
        definitions: Default::default(),
        networks: Default::default(),
        claim: ClaimRef {
            uid: "c".parse().unwrap(),
            namespace: "web".into(),
            name: "nic".into(),
        },
        pod_claim_name: None,
        reserved_for: vec![],
        devices: devices.iter().map(device).collect(),
        configs,
    }
}

fn class(requests: &[&str], mut fields: serde_json::Value) -> OpaqueConfig {
    fields["apiVersion"] = json!("sriov-dra.io/v1alpha1");
    fields["kind"] = json!("DeviceConfig");
    let requests = requests.iter().map(|name| (*name).to_owned()).collect();
    OpaqueConfig {
        source: ConfigSource::Class,
        requests,
        parameters: fields,
    }
}

fn read(claim: &AllocatedClaim) -> Result<Vec<Wanted>, String> {
    wanted(claim, HERE, &["iavf".into()]).map_err(|error| error.to_string())
}

#[test]
fn each_device_has_the_settings_of_its_request() {
    let claim = claim(
        &[("data/fast", "0000-02-10-0"), ("mgmt", "0000-02-10-1")],
        vec![
            class(&["data"], json!({"vlan": 7})),
            class(&["mgmt"], json!({"driver": "iavf"})),
        ],
    );
    let all = read(&claim).unwrap();
    assert_eq!(
        (all[0].settings.vlan, all[1].settings.vlan),
        (Some(7), None)
    );
    assert_eq!(
        all[1].settings.driver,
        Some(DriverChoice::Named("iavf".into()))
    );
}

#[test]
fn two_devices_of_a_pod_cannot_share_name_mac_or_address() {
    for field in [
        json!({"ifName": "net1"}),
        json!({"mac": "02:00:00:00:00:01"}),
        json!({"addresses": ["10.0.0.7/24"]}),
    ] {
        let name = field.as_object().unwrap().keys().next().unwrap().clone();
        let both = claim(
            &[("nic", "0000-02-10-0"), ("nic", "0000-02-10-1")],
            vec![class(&[], field.clone())],
        );
        let error = read(&both).unwrap_err();
        assert!(
            error.starts_with(&format!("0000:02:10.1: {name}: ")),
            "{error}"
        );
        let one = claim(
            &[("a", "0000-02-10-0"), ("b", "0000-02-10-1")],
            vec![class(&["a"], field)],
        );
        read(&one).unwrap();
    }
}
