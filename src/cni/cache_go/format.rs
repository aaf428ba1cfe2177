//! The Go plugin's JSON: its configuration with what it keeps beside.

use serde::Deserialize;
use serde_json::Value;

use super::{GoAttachment, GoNetdev, Requested};
use crate::device::{LinkState, Mac, VfSettings, VlanProto, VlanTag};

#[derive(Deserialize)]
struct Cached {
    #[serde(rename = "deviceID")]
    device: String,
    #[serde(rename = "Master", default)]
    pf: String,
    #[serde(rename = "VFID", default)]
    vf_index: u32,
    #[serde(rename = "OrigVfState", default)]
    original: Original,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    ipam: Option<Ipam>,
    #[serde(default)]
    vlan: Option<i64>,
    #[serde(default)]
    min_tx_rate: Option<i64>,
    #[serde(default)]
    max_tx_rate: Option<i64>,
    #[serde(default)]
    spoofchk: Option<String>,
    #[serde(default)]
    trust: Option<String>,
    #[serde(default)]
    link_state: Option<String>,
}

#[derive(Deserialize)]
struct Ipam {
    #[serde(rename = "type", default)]
    kind: String,
}

/// Older versions have fewer fields.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Original {
    #[serde(rename = "HostIFName")]
    name: String,
    #[serde(rename = "SpoofChk")]
    spoof_chk: Option<bool>,
    /// Whether, or as a number.
    #[serde(rename = "Trust")]
    trust: Value,
    #[serde(rename = "AdminMAC")]
    admin_mac: String,
    #[serde(rename = "EffectiveMAC")]
    effective_mac: String,
    #[serde(rename = "Vlan")]
    vlan: Option<u16>,
    #[serde(rename = "VlanQoS")]
    qos: u8,
    /// The ethertype; 0 is 802.1q.
    #[serde(rename = "VlanProto")]
    proto: u16,
    #[serde(rename = "MinTxRate")]
    min_tx_rate: Option<u32>,
    #[serde(rename = "MaxTxRate")]
    max_tx_rate: Option<u32>,
    #[serde(rename = "LinkState")]
    link_state: Option<u32>,
    #[serde(rename = "MTU")]
    mtu: u32,
}

/// Reads a file. What is wrong is said without what the file contains.
pub(super) fn parse(content: &[u8]) -> Result<GoAttachment, String> {
    if content.is_empty() {
        return Err("is empty".to_owned());
    }
    let cached: Cached = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    Ok(GoAttachment {
        device: cached
            .device
            .parse()
            .map_err(|error| format!("deviceID: {error}"))?,
        requested: cached.requested(),
        netdev: cached.original.netdev()?,
        original: cached.original.settings()?,
        pf: cached.pf,
        vf_index: cached.vf_index,
        network: cached.name,
        ipam: cached
            .ipam
            .map(|ipam| ipam.kind)
            .filter(|kind| !kind.is_empty()),
    })
}

impl Cached {
    fn requested(&self) -> Requested {
        let text = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        Requested {
            vlan: self.vlan.is_some(),
            rates: self.min_tx_rate.is_some() || self.max_tx_rate.is_some(),
            spoof_chk: text(&self.spoofchk),
            trust: text(&self.trust),
            link_state: text(&self.link_state),
        }
    }
}

impl Original {
    fn netdev(&self) -> Result<Option<GoNetdev>, String> {
        if self.name.is_empty() {
            return Ok(None);
        }
        Ok(Some(GoNetdev {
            name: self
                .name
                .parse()
                .map_err(|error| format!("HostIFName: {error}"))?,
            mac: mac("EffectiveMAC", &self.effective_mac)?,
            mtu: Some(self.mtu).filter(|mtu| *mtu != 0),
        }))
    }

    fn settings(&self) -> Result<VfSettings, String> {
        let proto = match self.proto {
            0x88a8 => VlanProto::Ieee8021Ad,
            _ => VlanProto::Ieee8021Q,
        };
        let tag = |id| VlanTag {
            id,
            qos: self.qos,
            proto,
        };
        Ok(VfSettings {
            mac: mac("AdminMAC", &self.admin_mac)?,
            vlan: self.vlan.map(tag),
            min_tx_rate: self.min_tx_rate,
            max_tx_rate: self.max_tx_rate,
            spoof_chk: self.spoof_chk,
            trust: self.trust(),
            link_state: self.link_state.and_then(link_state),
            ..VfSettings::default()
        })
    }

    fn trust(&self) -> Option<bool> {
        let number = self.trust.as_u64().map(|number| number != 0);
        self.trust.as_bool().or(number)
    }
}

fn mac(name: &str, text: &str) -> Result<Option<Mac>, String> {
    match text {
        "" => Ok(None),
        text => text
            .parse()
            .map(Some)
            .map_err(|error| format!("{name}: {error}")),
    }
}

/// `IFLA_VF_LINK_STATE_*` of `linux/if_link.h`.
fn link_state(number: u32) -> Option<LinkState> {
    match number {
        0 => Some(LinkState::Auto),
        1 => Some(LinkState::Enable),
        2 => Some(LinkState::Disable),
        _ => None,
    }
}
