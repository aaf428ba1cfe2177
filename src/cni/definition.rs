//! A NetworkAttachmentDefinition of type `sriov`, without a meta-plugin: what its plugins would set
//! on a device, as settings. Pure.
//!
//! ```text
//!  spec.config ─► plugins ─► sriov  ─► Network, Conf ─► Settings, with the IPAM plugin
//!                         └► tuning ─► mac, mtu         others: refused, they work in the pod
//! ```

use serde_json::{Map, Value};

use super::{
    is_own_type,
    json::{self, Json, Object},
    nad,
    netconf::{Conf, Network, Purpose},
    protocol::{Args, CniError},
    result::no_address,
};
use crate::{
    api::{Ipam, Settings},
    device::Mac,
};

/// The settings of the network with that `metadata.name` and `spec.config`.
///
/// # Errors
/// What is wrong, or cannot be done without a meta-plugin, with its place in `spec.config`.
pub fn settings(name: &str, config: &str) -> Result<Settings, String> {
    if config.is_empty() {
        return Err("spec.config: is empty: the configuration is a file of the node, which only Multus reads".to_owned());
    }
    read(name, config).map_err(|reason| match reason.starts_with("spec.config") {
        true => reason,
        false => format!("spec.config: {reason}"),
    })
}

fn read(nad: &str, config: &str) -> Result<Settings, String> {
    let name = nad::plugin(nad, config)?.name;
    let json = json::parse("spec.config", config.as_bytes()).map_err(text)?;
    let root = Object::root(&json).map_err(text)?;
    if root.text("type").map_err(text)?.is_some() {
        let mut network = root.to_map();
        network.insert("name".to_owned(), name.into());
        return sriov("", network);
    }
    let Some(Json::List(plugins)) = root.last("plugins") else {
        return Err("has neither type nor plugins".to_owned());
    };
    let mut settings = Settings::default();
    for (number, plugin) in plugins.iter().enumerate() {
        let place = format!("plugins[{number}]: ");
        let plugin = Object::root(plugin).map_err(|error| format!("{place}{}", error.msg))?;
        match number {
            0 => settings = sriov(&place, member(&root, &name, &plugin))?,
            _ => chained(&place, &plugin.to_map(), &mut settings)?,
        }
    }
    Ok(settings)
}

/// Whether this driver's plugins take the network at ADD, as a runtime passes it to them.
///
/// # Errors
/// What they refuse, with its place in `spec.config`.
pub fn check(name: &str, config: &str) -> Result<(), String> {
    let name = nad::plugin(name, config)?.name;
    let json = json::parse("", config.as_bytes()).map_err(text)?;
    let root = Object::root(&json).map_err(text)?;
    let Some(Json::List(plugins)) = root.last("plugins") else {
        let mut network = root.to_map();
        network.insert("name".to_owned(), name.into());
        return check_plugin(network, true).map_err(text);
    };
    for (number, plugin) in plugins.iter().enumerate() {
        let said = |error: CniError| format!("plugins[{number}]: {}", text(error));
        let plugin = Object::root(plugin).map_err(said)?;
        let kind = plugin.text("type").map_err(said)?.unwrap_or_default();
        if is_own_type(kind) {
            check_plugin(member(&root, &name, &plugin), number == 0).map_err(said)?;
        }
    }
    Ok(())
}

fn check_plugin(network: Map<String, Value>, is_first: bool) -> Result<(), CniError> {
    let stdin = Value::Object(network).to_string();
    let json = json::parse("", stdin.as_bytes())?;
    let object = Object::root(&json)?;
    let read = Network::read(&object, Purpose::Attach)?;
    if is_first && read.version.needs_address() && read.ipam.is_none() {
        return Err(no_address(read.version));
    }
    Conf::read(&object, &read, &Args::default()).map(drop)
}

/// A plugin's own configuration, as a runtime makes it of a list.
fn member(list: &Object<'_>, name: &str, plugin: &Object<'_>) -> Map<String, Value> {
    let mut network = plugin.to_map();
    network.insert("name".to_owned(), name.into());
    if let Some(Json::Text(version)) = list.last("cniVersion") {
        network.insert("cniVersion".to_owned(), version.as_str().into());
    }
    network
}

fn sriov(place: &str, network: Map<String, Value>) -> Result<Settings, String> {
    let said = |error: CniError| format!("{place}{}", text(error));
    let stdin = Value::Object(network.clone()).to_string();
    let json = json::parse("", stdin.as_bytes()).map_err(said)?;
    let object = Object::root(&json).map_err(said)?;
    let read = Network::read(&object, Purpose::Attach).map_err(said)?;
    if read.kind != "sriov" {
        let kind = &read.kind;
        return Err(format!(
            "{place}type: {kind} is not supported without a meta-plugin, must be sriov"
        ));
    }
    let mut settings = match Conf::read(&object, &read, &Args::default()).map_err(said)? {
        Conf::Sriov(conf) => conf.settings,
        Conf::Ib(_) => Settings::default(),
    };
    if let Some(ipam) = read.ipam {
        let mut config = ipam.raw;
        config.insert("type".to_owned(), ipam.kind.into());
        let ipam = Ipam::of(&config).map_err(|reason| format!("{place}ipam: {reason}"))?;
        settings.ipam = Some(Box::new(Ipam {
            network: Some(network),
            ..ipam
        }));
    }
    Ok(settings)
}

/// A plugin after `sriov`: what is not a setting of the device is the pod's namespace's.
fn chained(
    place: &str,
    plugin: &Map<String, Value>,
    settings: &mut Settings,
) -> Result<(), String> {
    let kind = plugin
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if kind != "tuning" {
        let instead = match kind {
            "bandwidth" => "set max_tx_rate of sriov, which the PF enforces",
            _ => "leave it out, or use the network by Multus",
        };
        return Err(format!("{place}{kind}: {WITHOUT}; {instead}"));
    }
    for (key, value) in plugin {
        tuned(key, value, settings).map_err(|reason| format!("{place}tuning: {key}: {reason}"))?;
    }
    Ok(())
}

const WITHOUT: &str =
    "works in the pod's network namespace, which is not done without a meta-plugin";

fn tuned(key: &str, value: &Value, settings: &mut Settings) -> Result<(), String> {
    match key {
        "type" | "name" | "cniVersion" | "capabilities" => Ok(()),
        "mac" => {
            let mac = value.as_str().and_then(|text| text.parse::<Mac>().ok());
            let mac = mac.and_then(|mac| mac.assignable().ok());
            let mac = mac.ok_or_else(|| format!("{value} is not a MAC address of a device"))?;
            match settings.mac.replace(mac) {
                Some(other) if other != mac => Err(format!("{mac}, and {other} by sriov")),
                _ => Ok(()),
            }
        }
        "mtu" => {
            let mtu = value.as_u64().and_then(|mtu| u32::try_from(mtu).ok());
            settings.mtu = Some(mtu.ok_or_else(|| format!("{value} is not an MTU in bytes"))?);
            Ok(())
        }
        _ if is_nothing(value) => Ok(()),
        _ => Err(WITHOUT.to_owned()),
    }
}

/// `false`, 0 and empty ones ask for nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Object(members) => members.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn text(error: CniError) -> String {
    match error.details.is_empty() {
        true => error.msg,
        false => format!("{}: {}", error.msg, error.details),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::device::{LinkState, VlanProto};

    #[track_caller]
    fn of(config: &Value) -> Settings {
        settings("blue", &config.to_string()).unwrap()
    }

    fn refused(config: &Value) -> String {
        settings("blue", &config.to_string()).unwrap_err()
    }

    #[test]
    fn settings_are_those_that_the_plugin_reads() {
        let settings = of(
            &json!({"cniVersion": "0.3.1", "type": "sriov", "vlan": 100, "vlanQoS": 3, "vlanProto": "802.1ad",
            "spoofchk": "off", "TRUST": "on", "link_state": "enable", "min_tx_rate": 10, "max_tx_rate": 200,
            "mac": "02:00:00:00:00:07", "ipam": {}}),
        );
        let expected = Settings {
            vlan: Some(100),
            vlan_qos: Some(3),
            vlan_proto: Some(VlanProto::Ieee8021Ad),
            spoof_chk: Some(false),
            trust: Some(true),
            link_state: Some(LinkState::Enable),
            min_tx_rate: Some(10),
            max_tx_rate: Some(200),
            mac: Some(Mac([2, 0, 0, 0, 0, 7])),
            ..Settings::default()
        };
        assert_eq!(settings, expected);
    }

    #[test]
    fn an_ipam_plugin_gets_the_network_as_a_runtime_passes_it() {
        let ipam = json!({"type": "host-local", "subnet": "10.0.0.0/24"});
        let plain = json!({"cniVersion": "0.4.0", "type": "sriov", "ipam": ipam, "vlan": 7});
        let list =
            json!({"cniVersion": "0.4.0", "plugins": [{"type": "sriov", "ipam": ipam, "vlan": 7}]});
        for config in [plain, list] {
            let read = of(&config).ipam.unwrap();
            assert_eq!(
                (&*read.plugin, Value::Object(read.config)),
                ("host-local", ipam.clone())
            );
            let stdin = json!({"cniVersion": "0.4.0", "name": "blue", "type": "sriov", "ipam": ipam, "vlan": 7});
            assert_eq!(read.network.map(Value::Object), Some(stdin));
        }
    }

    #[test]
    fn tuning_of_mac_and_mtu_is_taken() {
        let settings = of(
            &json!({"cniVersion": "1.0.0", "plugins": [{"type": "sriov"},
            {"type": "tuning", "mac": "02:00:00:00:00:07", "mtu": 1400, "promisc": false, "sysctl": {}}]}),
        );
        assert_eq!(
            (settings.mac, settings.mtu),
            (Some(Mac([2, 0, 0, 0, 0, 7])), Some(1400))
        );
    }

    #[test]
    fn what_the_plugin_refuses_at_add_is_found_without_calling_it() {
        let of = |config: Value| check("blue", &config.to_string());
        let sriov = |version: &str| json!({"cniVersion": version, "type": "sriov", "vlan": 7});
        assert_eq!(of(sriov("1.0.0")), Ok(()));
        let list = json!({"cniVersion": "0.3.1", "plugins": [{"type": "sriov", "vlan": 7}, {"type": "tuning"}]});
        assert_eq!(of(list), Ok(()));
        let addressed =
            json!({"type": "sriov", "ipam": {"type": "host-local", "subnet": "10.0.0.0/24"}});
        assert_eq!(of(addressed), Ok(()));
        let refused = [
            sriov("0.2.0"),
            json!({"type": "sriov"}),
            sriov("2.0.0"),
            json!({"cniVersion": "1.0.0", "plugins": [{"type": "tuning"}, {"type": "ib-sriov", "link_state": "up"}]}),
            json!({"cniVersion": "1.0.0", "type": "sriov", "logLevel": 7}),
        ];
        let refused = refused.map(|config| of(config).unwrap_err());
        let reasons = [
            "0.2.0",
            "0.1.0",
            "2.0.0",
            "plugins[1]: link_state",
            "logLevel",
        ];
        for (text, reason) in refused.iter().zip(reasons) {
            assert!(text.contains(reason), "{text}");
        }
    }

    #[test]
    fn what_needs_a_meta_plugin_is_refused_by_name() {
        let chain =
            |plugin: Value| json!({"cniVersion": "1.0.0", "plugins": [{"type": "sriov"}, plugin]});
        let texts = [
            settings("blue", "").unwrap_err(),
            settings("blue", "{").unwrap_err(),
            refused(&json!({"cniVersion": "1.0.0"})),
            refused(&json!({"cniVersion": "1.0.0", "type": "ib-sriov"})),
            refused(&json!({"cniVersion": "1.0.0", "type": "host-device"})),
            refused(&json!({"cniVersion": "1.0.0", "type": "sriov", "vlan": 5000})),
            refused(&json!({"cniVersion": "1.0.0", "type": "sriov", "ipam": {"type": "dhcp"}})),
            refused(
                &json!({"cniVersion": "1.0.0", "type": "sriov", "ipam": {"type": "whereabouts"}}),
            ),
            refused(&json!({"cniVersion": "1.0.0", "plugins": [{"type": "tuning"}]})),
            refused(&chain(json!({"type": "vrf", "vrfname": "red"}))),
            refused(&chain(json!({"type": "sbr"}))),
            refused(&chain(json!({"type": "rdma"}))),
            refused(&chain(json!({"type": "bandwidth"}))),
            refused(&chain(json!({"type": "tuning", "promisc": true}))),
            refused(&chain(
                json!({"type": "tuning", "sysctl": {"net.core.somaxconn": "500"}}),
            )),
            refused(&chain(
                json!({"type": "tuning", "mac": "01:00:5e:00:00:01"}),
            )),
        ];
        insta::assert_snapshot!(texts.join("\n"), @r#"
        spec.config: is empty: the configuration is a file of the node, which only Multus reads
        spec.config: must be a JSON object: EOF while parsing an object at line 1 column 1
        spec.config: has neither type nor plugins
        spec.config: type: ib-sriov is not supported without a meta-plugin, must be sriov
        spec.config: type: host-device is not supported without a meta-plugin, must be sriov
        spec.config: vlan: 5000 is out of range, must be 0 to 4094
        spec.config: ipam: type: dhcp: needs the pod's network namespace, and addresses are assigned before there is one; use host-local or static, or a network of Multus
        spec.config: ipam: type: whereabouts: its reconciler frees addresses that are not in the pod's network-status, which only Multus writes; use a network of Multus
        spec.config: plugins[0]: type: tuning is not supported without a meta-plugin, must be sriov
        spec.config: plugins[1]: vrf: works in the pod's network namespace, which is not done without a meta-plugin; leave it out, or use the network by Multus
        spec.config: plugins[1]: sbr: works in the pod's network namespace, which is not done without a meta-plugin; leave it out, or use the network by Multus
        spec.config: plugins[1]: rdma: works in the pod's network namespace, which is not done without a meta-plugin; leave it out, or use the network by Multus
        spec.config: plugins[1]: bandwidth: works in the pod's network namespace, which is not done without a meta-plugin; set max_tx_rate of sriov, which the PF enforces
        spec.config: plugins[1]: tuning: promisc: works in the pod's network namespace, which is not done without a meta-plugin
        spec.config: plugins[1]: tuning: sysctl: works in the pod's network namespace, which is not done without a meta-plugin
        spec.config: plugins[1]: tuning: mac: "01:00:5e:00:00:01" is not a MAC address of a device
        "#);
    }
}
