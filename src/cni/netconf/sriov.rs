//! The keys of `sriov`.

use super::{DeviceHint, Network, device, mac};
use crate::{
    api::Settings,
    cni::{
        json::{Object, quoted},
        protocol::{Args, CniError},
    },
    device::{LinkState, Mac, VlanProto},
};

/// What `sriov` is to do, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct NetConf {
    /// The device, if the meta-plugin names one.
    pub device: Option<DeviceHint>,
    /// What to set; what is not given is left as it is. A rate that is given leaves the other.
    pub settings: Settings,
    /// See [`super::Conf::warnings`].
    pub warnings: Vec<String>,
}

impl NetConf {
    pub(super) fn read(
        object: &Object<'_>,
        network: &Network,
        args: &Args,
    ) -> Result<Self, CniError> {
        let mut warnings = Vec::new();
        let device = device::read(object, &network.runtime, &mut warnings)?;
        let mut settings = Settings {
            mac: requested_mac(object, network, args)?,
            spoof_chk: switch(object, "spoofchk", &mut warnings)?,
            trust: switch(object, "trust", &mut warnings)?,
            link_state: link_state(object)?,
            min_tx_rate: rate(object, "min_tx_rate")?,
            max_tx_rate: rate(object, "max_tx_rate")?,
            ..Settings::default()
        };
        vlan(object, &mut settings)?;
        rates(&settings)?;
        if object.last("mtu").is_some() {
            warnings.push("mtu: not a key of this plugin, and not used".to_owned());
        }
        Ok(Self {
            device,
            settings,
            warnings,
        })
    }
}

/// `runtimeConfig.mac`, else `MAC` of `CNI_ARGS`, else `mac`: the first that is given is checked.
fn requested_mac(
    object: &Object<'_>,
    network: &Network,
    args: &Args,
) -> Result<Option<Mac>, CniError> {
    let own = object.text("mac")?;
    if let Some(text) = &network.runtime.mac {
        let wrong = |reason: String| CniError::config("runtimeConfig.mac", &reason);
        return mac::parse(text).map(Some).map_err(wrong);
    }
    if let Some(text) = &args.mac {
        let wrong = |reason: String| CniError::variable("CNI_ARGS", &format!("MAC: {reason}"));
        return mac::parse(text).map(Some).map_err(wrong);
    }
    own.map(mac::parse)
        .transpose()
        .map_err(|reason| CniError::config("mac", &reason))
}

/// The Go plugin takes every text but `on` for off.
fn switch(
    object: &Object<'_>,
    name: &str,
    warnings: &mut Vec<String>,
) -> Result<Option<bool>, CniError> {
    let given = object.text(name)?;
    if let Some(other) = given.filter(|given| !["on", "off"].contains(given)) {
        let other = quoted(other);
        warnings.push(format!(
            "{name}: {other} is taken for off, must be on or off"
        ));
    }
    Ok(given.map(|given| given == "on"))
}

pub(super) fn link_state(object: &Object<'_>) -> Result<Option<LinkState>, CniError> {
    const NAME: &str = "link_state";
    let state = |given: &str| match given {
        "auto" => Ok(LinkState::Auto),
        "enable" => Ok(LinkState::Enable),
        "disable" => Ok(LinkState::Disable),
        other => {
            let reason = format!("is {}, must be auto, enable or disable", quoted(other));
            Err(CniError::config(NAME, &reason))
        }
    };
    object.text(NAME)?.map(state).transpose()
}

fn rate(object: &Object<'_>, name: &str) -> Result<Option<u32>, CniError> {
    within(object, name, u32::MAX)
}

/// An integer from 0 on.
fn within(object: &Object<'_>, name: &str, most: u32) -> Result<Option<u32>, CniError> {
    let check = |given: i64| {
        let inside = u32::try_from(given).ok().filter(|given| *given <= most);
        inside.ok_or_else(|| {
            let reason = format!("{given} is out of range, must be 0 to {most}");
            CniError::config(name, &reason)
        })
    };
    object.int(name)?.map(check).transpose()
}

fn vlan(object: &Object<'_>, settings: &mut Settings) -> Result<(), CniError> {
    let small =
        |name, most| Ok(within(object, name, most)?.and_then(|value| u16::try_from(value).ok()));
    settings.vlan = small("vlan", 4094)?;
    settings.vlan_qos = small("vlanQoS", 7)?.and_then(|value| u8::try_from(value).ok());
    settings.vlan_proto = vlan_proto(object)?;
    let tagged = settings.vlan.is_some_and(|id| id != 0);
    let (qos, proto) = (settings.vlan_qos, settings.vlan_proto);
    let fault = match settings.vlan {
        None if qos.is_some() => ("vlanQoS", "needs vlan"),
        None if proto.is_some() => ("vlanProto", "needs vlan"),
        _ if !tagged && qos.is_some_and(|qos| qos != 0) => {
            ("vlanQoS", "other than 0 needs a vlan other than 0")
        }
        _ if !tagged && proto == Some(VlanProto::Ieee8021Ad) => {
            ("vlanProto", "802.1ad needs a vlan other than 0")
        }
        _ => return Ok(()),
    };
    Err(CniError::config(fault.0, fault.1))
}

fn vlan_proto(object: &Object<'_>) -> Result<Option<VlanProto>, CniError> {
    const NAME: &str = "vlanProto";
    let proto = |given: &str| match &*given.to_ascii_lowercase() {
        "802.1q" => Ok(VlanProto::Ieee8021Q),
        "802.1ad" => Ok(VlanProto::Ieee8021Ad),
        _ => {
            let reason = format!("is {}, must be 802.1q or 802.1ad", quoted(given));
            Err(CniError::config(NAME, &reason))
        }
    };
    object.set_text(NAME)?.map(proto).transpose()
}

fn rates(settings: &Settings) -> Result<(), CniError> {
    match (settings.min_tx_rate, settings.max_tx_rate) {
        (Some(min), Some(max)) if max != 0 && min > max => {
            let reason = format!("{min} Mb/s is more than max_tx_rate {max} Mb/s");
            Err(CniError::config("min_tx_rate", &reason))
        }
        _ => Ok(()),
    }
}
