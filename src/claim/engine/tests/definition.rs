//! Settings of networks that a claim's configurations name.

use super::*;
use crate::{
    api::{Ipam, Settings},
    device::VfSetting,
    ledger::Step,
};

/// A claim whose class (or itself) names network `blue`, of which this was read.
fn named(source: ConfigSource, more: Value, read: Result<Settings, String>) -> AllocatedClaim {
    let mut fields = more;
    fields["networkAttachmentDefinition"] = json!({"name": "blue", "namespace": "networks"});
    let mut claim = claim("c1", &["0000-02-10-0"], json!({}));
    let allowed = config(ConfigSource::Class, json!({"allowInClaims": ["*"]}));
    claim.configs = vec![allowed, config(source, fields)];
    claim.definitions.insert("networks/blue".into(), read);
    claim
}

fn by_class(more: Value, read: Result<Settings, String>) -> AllocatedClaim {
    named(ConfigSource::Class, more, read)
}

fn vlan(id: u16) -> Settings {
    Settings {
        vlan: Some(id),
        ..Settings::default()
    }
}

fn values(world: &World, claim: &AllocatedClaim) -> Vec<String> {
    let device = world.record(claim).unwrap().devices[0].clone();
    let value = |step: Step| match step {
        Step::Vf { to, .. } => Some(VfSetting::to_string(&to)),
        _ => None,
    };
    device.steps.into_iter().filter_map(value).collect()
}

fn with_plugin() -> Settings {
    let config = json!({"type": "host-local", "subnet": "10.7.0.0/24"});
    let network =
        json!({"cniVersion": "0.4.0", "name": "blue", "type": "sriov", "vlan": 7, "ipam": config});
    let object = |value: Value| value.as_object().unwrap().clone();
    Settings {
        ipam: Some(Box::new(Ipam {
            plugin: "host-local".into(),
            config: object(config),
            network: Some(object(network)),
        })),
        ..Settings::default()
    }
}

#[test]
fn the_networks_settings_are_set_beside_the_configs() {
    let world = World::new();
    let claim = by_class(json!({"trust": "on", "vlan": 100}), Ok(vlan(100)));
    world.prepare(&claim).unwrap();
    assert_eq!(
        values(&world, &claim),
        ["trust on", "vlan 100 qos 0 proto 802.1q"]
    );
}

#[test]
fn later_changes_of_the_network_leave_a_prepared_claim_alone() {
    let world = World::new();
    let mut claim = by_class(json!({}), Ok(vlan(100)));
    let answer = world.prepare(&claim).unwrap();
    let before = world.record(&claim);
    for now in [Ok(vlan(200)), Err("there is no such".to_owned())] {
        claim.definitions.insert("networks/blue".into(), now);
        assert_eq!(world.prepare(&claim).unwrap(), answer);
        assert_eq!(world.record(&claim), before);
    }
    // Another allocation reads it anew.
    let other = by_class(json!({"trust": "on"}), Ok(vlan(200)));
    world.prepare(&other).unwrap();
    assert_eq!(
        values(&world, &other),
        ["trust on", "vlan 200 qos 0 proto 802.1q"]
    );
}

#[test]
fn what_a_network_cannot_be_for_a_claim_is_refused_by_name() {
    let world = World::new();
    let before = world.fake.dump();
    let own = |claim: AllocatedClaim| {
        let mut claim = claim;
        claim.claim.namespace = "networks".into();
        claim
    };
    let texts = [
        by_class(json!({}), Err("plugins[1]: vrf: needs a namespace".into())),
        by_class(json!({"vlan": 7}), Ok(vlan(100))),
        by_class(json!({"ipam": {"type": "static"}}), Ok(with_plugin())),
        by_class(json!({"attach": "none"}), Ok(with_plugin())),
        named(ConfigSource::Claim, json!({}), Ok(vlan(100))),
        own(named(ConfigSource::Claim, json!({}), Ok(with_plugin()))),
    ]
    .map(|claim| world.prepare(&claim).unwrap_err().to_string());
    assert_eq!((world.files(), world.fake.dump()), (vec![], before));
    insta::assert_snapshot!(texts.join("\n"), @r#"
    0000:02:10.0: networkAttachmentDefinition: networks/blue: plugins[1]: vrf: needs a namespace
    0000:02:10.0: networkAttachmentDefinition: networks/blue: conflicts with the config: vlan: 7 in the config, and 100 in NetworkAttachmentDefinition networks/blue; leave one out
    0000:02:10.0: networkAttachmentDefinition: networks/blue: conflicts with the config: ipam: static in the config, and host-local in NetworkAttachmentDefinition networks/blue; leave one out
    0000:02:10.0: networkAttachmentDefinition: networks/blue: conflicts with the config: ipam: needs attach: pod, and attach is none (with what NetworkAttachmentDefinition networks/blue sets)
    0000:02:10.0: networkAttachmentDefinition: namespace: "networks" is not the claim's own, which is all that a claim may name
    0000:02:10.0: networkAttachmentDefinition: networks/blue: has an IPAM plugin, which only a DeviceClass may ask for, never a claim
    "#);
}

#[test]
fn a_claim_may_name_a_network_of_its_own_namespace() {
    let world = World::new();
    let mut claim = named(ConfigSource::Claim, json!({}), Ok(vlan(100)));
    claim.claim.namespace = "networks".into();
    world.prepare(&claim).unwrap();
    assert_eq!(values(&world, &claim), ["vlan 100 qos 0 proto 802.1q"]);
}

#[test]
fn the_plugin_of_a_network_gets_the_network() {
    let world = World::new();
    let claim = by_class(json!({}), Ok(with_plugin()));
    world.prepare(&claim).unwrap();
    let device = world.record(&claim).unwrap().devices[0].clone();
    let stdin: Value = serde_json::from_str(&device.ipam.as_ref().unwrap().call.stdin).unwrap();
    let expected = json!({"cniVersion": "0.4.0", "name": "blue", "type": "sriov", "vlan": 7, "deviceID": "0000:02:10.0",
        "ipam": {"type": "host-local", "subnet": "10.7.0.0/24"}});
    assert_eq!(stdin, expected);
    assert_eq!(device.plan_in_pod().unwrap().addresses.len(), 1);
    world.unprepare(&claim).unwrap();
    assert_eq!(world.files(), [""; 0]);
}
