//! One reader per field: from JSON to a value that is right, or a reason that names the value and
//! what would be right.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde_json::Value;

use super::{AttachMode, Definition, DriverChoice, Ipam, Settings};
use crate::device::{LinkState, Mac, Route, VlanProto};

type Read = Result<(), String>;

/// The least MTU of IPv4 (RFC 791), and the most that the kernel's field of an Ethernet link takes.
const MTU: (u64, u64) = (68, 65535);

pub(super) fn driver(settings: &mut Settings, value: &Value) -> Read {
    settings.driver = match text(
        value,
        "a driver's name, \"default\", or \"\" to keep what it has",
    )? {
        "" => None,
        "default" => Some(DriverChoice::Default),
        name @ ("uio_pci_generic" | "igb_uio") => {
            return Err(format!("{name:?}: not supported yet"));
        }
        name if is_driver(name) => Some(DriverChoice::Named(name.to_owned())),
        name => {
            return Err(format!(
                "{name:?} is not a driver's name, must be 1 to 63 of letters, digits, '-' and '_'"
            ));
        }
    };
    Ok(())
}

fn is_driver(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

pub(super) fn if_name(settings: &mut Settings, value: &Value) -> Read {
    settings.if_name = Some(parse(value, "an interface name like \"net1\"")?);
    Ok(())
}

pub(super) fn mac(settings: &mut Settings, value: &Value) -> Read {
    let mac: Mac = parse(value, "a MAC address like \"02:00:00:00:00:01\"")?;
    settings.mac = Some(mac.assignable().map_err(|error| error.to_string())?);
    Ok(())
}

pub(super) fn mtu(settings: &mut Settings, value: &Value) -> Read {
    settings.mtu = Some(number(value, "an MTU in bytes", MTU.0, MTU.1)?);
    Ok(())
}

pub(super) fn vlan(settings: &mut Settings, value: &Value) -> Read {
    settings.vlan = Some(number(value, "a VLAN id", 0, 4094)?);
    Ok(())
}

pub(super) fn vlan_qos(settings: &mut Settings, value: &Value) -> Read {
    settings.vlan_qos = Some(number(value, "a VLAN priority", 0, 7)?);
    Ok(())
}

pub(super) fn vlan_proto(settings: &mut Settings, value: &Value) -> Read {
    let right = "\"802.1q\" or \"802.1ad\"";
    settings.vlan_proto = Some(match text(value, right)?.to_ascii_lowercase().as_str() {
        "802.1q" => VlanProto::Ieee8021Q,
        "802.1ad" => VlanProto::Ieee8021Ad,
        _ => return Err(wrong(value, right)),
    });
    Ok(())
}

pub(super) fn spoof_chk(settings: &mut Settings, value: &Value) -> Read {
    settings.spoof_chk = Some(switch(value)?);
    Ok(())
}

pub(super) fn trust(settings: &mut Settings, value: &Value) -> Read {
    settings.trust = Some(switch(value)?);
    Ok(())
}

pub(super) fn link_state(settings: &mut Settings, value: &Value) -> Read {
    let right = "\"auto\", \"enable\" or \"disable\"";
    settings.link_state = Some(match text(value, right)? {
        "auto" => LinkState::Auto,
        "enable" => LinkState::Enable,
        "disable" => LinkState::Disable,
        _ => return Err(wrong(value, right)),
    });
    Ok(())
}

pub(super) fn min_tx_rate(settings: &mut Settings, value: &Value) -> Read {
    settings.min_tx_rate = Some(number(value, "a rate in Mb/s", 0, u64::from(u32::MAX))?);
    Ok(())
}

pub(super) fn max_tx_rate(settings: &mut Settings, value: &Value) -> Read {
    settings.max_tx_rate = Some(number(value, "a rate in Mb/s", 0, u64::from(u32::MAX))?);
    Ok(())
}

pub(super) fn addresses(settings: &mut Settings, value: &Value) -> Read {
    let right = "a list of addresses with prefix lengths like [\"10.0.0.7/24\"]";
    let list = value.as_array().ok_or_else(|| wrong(value, right))?;
    settings.addresses = list
        .iter()
        .map(|item| address(item, right))
        .collect::<Result<_, _>>()?;
    Ok(())
}

fn address(value: &Value, right: &str) -> Result<IpNet, String> {
    let net = text(value, right)?
        .parse::<IpNet>()
        .map_err(|_| wrong(value, right))?;
    let usable = !net.addr().is_unspecified() && !net.addr().is_multicast();
    usable
        .then_some(net)
        .ok_or_else(|| format!("{value} is not an address that an interface can have"))
}

pub(super) fn routes(settings: &mut Settings, value: &Value) -> Read {
    let right = "a list like [{\"dst\": \"0.0.0.0/0\", \"gw\": \"10.0.0.1\"}]";
    let list = value.as_array().ok_or_else(|| wrong(value, right))?;
    settings.routes = list
        .iter()
        .map(|item| route(item, right))
        .collect::<Result<_, _>>()?;
    Ok(())
}

fn route(value: &Value, right: &str) -> Result<Route, String> {
    let object = value.as_object().ok_or_else(|| wrong(value, right))?;
    if let Some(unknown) = object.keys().find(|key| *key != "dst" && *key != "gw") {
        return Err(format!(
            "unknown field {unknown:?} in a route, must be {right}"
        ));
    }
    let dst = object
        .get("dst")
        .and_then(Value::as_str)
        .and_then(|text| text.parse::<IpNet>().ok());
    let gw = object
        .get("gw")
        .map(|gw| gw.as_str().and_then(|text| text.parse::<IpAddr>().ok()));
    match (dst, gw) {
        (Some(dst), None) => Ok(Route {
            dst: dst.trunc(),
            gw: None,
        }),
        (Some(dst), Some(Some(gw))) => Ok(Route {
            dst: dst.trunc(),
            gw: Some(gw),
        }),
        _ => Err(wrong(value, right)),
    }
}

pub(super) fn ipam(settings: &mut Settings, value: &Value) -> Read {
    let right = "an object like {\"type\": \"host-local\", \"subnet\": \"10.0.0.0/24\"}";
    let config = value.as_object().ok_or_else(|| wrong(value, right))?;
    settings.ipam = Some(Box::new(Ipam::of(config)?));
    Ok(())
}

pub(super) fn definition(settings: &mut Settings, value: &Value) -> Read {
    settings.definition = Some(Box::new(Definition::read(value)?));
    Ok(())
}

pub(super) fn attach(settings: &mut Settings, value: &Value) -> Read {
    let right = "\"pod\", \"cni\" or \"none\"";
    settings.attach = Some(match text(value, right)? {
        "pod" => AttachMode::Pod,
        "cni" => AttachMode::Cni,
        "none" => AttachMode::None,
        _ => return Err(wrong(value, right)),
    });
    Ok(())
}

pub(super) fn rdma(settings: &mut Settings, value: &Value) -> Read {
    settings.rdma = Some(truth(value)?);
    Ok(())
}

pub(super) fn vhost_net(settings: &mut Settings, value: &Value) -> Read {
    settings.vhost_net = Some(truth(value)?);
    Ok(())
}

fn truth(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| wrong(value, "true or false"))
}

pub(super) fn wrong(value: &Value, right: &str) -> String {
    format!("{value} is wrong, must be {right}")
}

fn text<'a>(value: &'a Value, right: &str) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| wrong(value, right))
}

fn parse<T: FromStr<Err = crate::device::ParseError>>(
    value: &Value,
    right: &str,
) -> Result<T, String> {
    text(value, right)?
        .parse()
        .map_err(|error: crate::device::ParseError| error.to_string())
}

fn number<T: TryFrom<u64>>(value: &Value, noun: &str, least: u64, most: u64) -> Result<T, String> {
    let number = value
        .as_u64()
        .filter(|number| (least..=most).contains(number));
    let number = number.and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| format!("{value} is not {noun}, must be a number from {least} to {most}"))
}

fn switch(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(on) => Ok(*on),
        Value::String(text) if text == "on" => Ok(true),
        Value::String(text) if text == "off" => Ok(false),
        _ => Err(wrong(value, "\"on\" or \"off\", or true or false")),
    }
}
