//! The keys of `ib-sriov`.

use std::fmt;

use super::{DeviceHint, Network, device, mac, sriov};
use crate::{
    cni::{
        json::{Object, quoted},
        protocol::{Args, CniError, Code},
    },
    device::{Guid, LinkState},
};

/// What `ib-sriov` is to do, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct IbNetConf {
    /// The device, if the meta-plugin names one.
    pub device: Option<DeviceHint>,
    /// The VF's GUID, for node and port.
    pub guid: Option<Guid>,
    /// `pkey`: the partition, which ib-kubernetes puts the GUID into. The plugin sets nothing.
    pub pkey: Option<Pkey>,
    /// `link_state`.
    pub link_state: Option<LinkState>,
    /// `rdmaIsolation`: the RDMA device goes with the netdev, where the kernel has them by namespace.
    pub rdma_isolation: bool,
    /// `ibKubernetesEnabled`: ib-kubernetes assigns the GUID.
    pub ib_kubernetes: bool,
    /// `vfioPciMode`: nothing of the netdev is set up.
    pub vfio: bool,
    /// See [`super::Conf::warnings`].
    pub warnings: Vec<String>,
}

/// A partition key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pkey(pub u16);

impl fmt::Display for Pkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#06x}", self.0)
    }
}

impl IbNetConf {
    pub(super) fn read(
        object: &Object<'_>,
        network: &Network,
        args: &Args,
    ) -> Result<Self, CniError> {
        let mut warnings = Vec::new();
        no_dhcp(network)?;
        let assigned = guid(network, args)?;
        let own = own_guid(object, &mut warnings)?;
        let conf = Self {
            device: device::read(object, &network.runtime, &mut warnings)?,
            guid: assigned.or(own),
            pkey: pkey(object, &mut warnings)?,
            link_state: sriov::link_state(object)?,
            rdma_isolation: object.flag("rdmaIsolation")?,
            ib_kubernetes: object.flag("ibKubernetesEnabled")?,
            vfio: object.flag("vfioPciMode")?,
            warnings,
        };
        conf.configured(network, assigned)?;
        Ok(conf)
    }

    /// ib-kubernetes notes in the pod that it is through.
    fn configured(&self, network: &Network, assigned: Option<Guid>) -> Result<(), CniError> {
        const NOTE: &str = "mellanox.infiniband.app";
        let noted = network
            .args
            .get(NOTE)
            .is_some_and(|note| note == "configured");
        if !self.ib_kubernetes || (noted && assigned.is_some()) {
            return Ok(());
        }
        let lacks = match noted {
            true => "guid is not set".to_owned(),
            false => format!("{NOTE} is not \"configured\""),
        };
        let msg = format!("args.cni: {lacks}: ib-kubernetes has not configured the network yet");
        Err(CniError::new(Code::TRY_AGAIN_LATER, msg))
    }
}

/// dhcp needs an Ethernet address.
fn no_dhcp(network: &Network) -> Result<(), CniError> {
    match &network.ipam {
        Some(ipam) if ipam.kind == "dhcp" => Err(CniError::new(
            Code::UNSUPPORTED_FIELD,
            "ipam.type: dhcp is not supported on InfiniBand",
        )),
        _ => Ok(()),
    }
}

/// `runtimeConfig.infinibandGUID`, else `guid` of `args.cni`, else that of `CNI_ARGS`.
fn guid(network: &Network, args: &Args) -> Result<Option<Guid>, CniError> {
    let given = [
        (
            "runtimeConfig.infinibandGUID",
            network.runtime.guid.as_ref(),
        ),
        ("args.cni.guid", network.args.get("guid")),
        ("CNI_ARGS guid", args.guid.as_ref()),
    ];
    let mut given = given
        .into_iter()
        .filter_map(|(place, text)| Some((place, text.filter(|text| !text.is_empty())?)));
    given
        .next()
        .map(|(place, text)| parse_guid(text).map_err(|reason| CniError::config(place, &reason)))
        .transpose()
}

/// `guid` of the network, which the Go plugin overwrites with the others: what is none of a device
/// is passed over.
fn own_guid(object: &Object<'_>, warnings: &mut Vec<String>) -> Result<Option<Guid>, CniError> {
    let Some(text) = object.text("guid")? else {
        return Ok(None);
    };
    match parse_guid(text) {
        Ok(guid) => Ok(Some(guid)),
        Err(reason) => {
            warnings.push(format!("guid: {reason}; it is not used"));
            Ok(None)
        }
    }
}

fn parse_guid(text: &str) -> Result<Guid, String> {
    let bytes = mac::bytes(text).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
    match bytes {
        Some(bytes) if Guid(bytes).is_assigned() => Ok(Guid(bytes)),
        _ => Err(format!(
            "{} is no GUID of a device, must be eight bytes like 00:02:c9:03:00:00:10:01",
            quoted(text)
        )),
    }
}

/// The Go plugin does not look at it.
fn pkey(object: &Object<'_>, warnings: &mut Vec<String>) -> Result<Option<Pkey>, CniError> {
    let Some(text) = object.text("pkey")? else {
        return Ok(None);
    };
    let lower = text.to_ascii_lowercase();
    let digits = lower.strip_prefix("0x").unwrap_or_default();
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let pkey = plain
        .then(|| u16::from_str_radix(digits, 16).ok())
        .flatten();
    if pkey.is_none() {
        let text = quoted(text);
        warnings.push(format!(
            "pkey: {text} is no partition key, must be like 0x8001"
        ));
    }
    Ok(pkey.map(Pkey))
}
