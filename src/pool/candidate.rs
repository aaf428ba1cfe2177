//! A device as selectors see it.

use crate::{
    api::Attribute,
    device::{Bdf, DeviceId, Function, FunctionKind, LinkType, PciIds, VdpaType},
};

/// What kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CandidateKind {
    /// A VF of a network card.
    Vf,
    /// A PF of a network card.
    Pf {
        /// How many VFs it has now.
        num_vfs: u32,
    },
    /// A sub-function.
    Sf,
    /// A processing accelerator, PF or VF.
    Accelerator,
}

impl CandidateKind {
    /// As in the attribute `type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Vf => "vf",
            Self::Pf { .. } => "pf",
            Self::Sf => "sf",
            Self::Accelerator => "accelerator",
        }
    }
}

/// A device with all that selectors look at, as it is when nobody has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which device.
    pub id: DeviceId,
    /// What kind.
    pub kind: CandidateKind,
    /// Its own numbers; a sub-function's are its parent's.
    pub ids: PciIds,
    /// The resting driver; a sub-function's is its parent's.
    pub driver: Option<String>,
    /// The firmware's index.
    pub acpi_index: Option<u32>,
    /// Its PF's netdev, a PF's own; in switchdev the uplink representor.
    pub pf_name: Option<String>,
    /// Further netdevs of its PF, one for each further port.
    pub more_pf_names: Vec<String>,
    /// Its PF's address, a PF's own; none for a VF in a virtual machine.
    pub pf_address: Option<Bdf>,
    /// VF index or SF number.
    pub index: Option<u32>,
    /// Its own link's type, else its PF's.
    pub link_type: Option<LinkType>,
    /// Name of the DDP package that is loaded.
    pub ddp_profile: Option<String>,
    /// InfiniBand partition key of index 0.
    pub p_key: Option<u16>,
    /// It has RDMA.
    pub rdma: bool,
    /// What its vDPA device is bound to.
    pub vdpa_type: Option<VdpaType>,
    /// `sf` of `mlx5_core.sf.4`.
    pub aux_type: Option<String>,
}

impl Candidate {
    /// The names of its PF's netdevs.
    pub fn pf_names(&self) -> impl Iterator<Item = &str> {
        let all = self.pf_name.iter().chain(&self.more_pf_names);
        all.map(String::as_str)
    }

    /// A device as discovery found it among the host's `functions`. `resting_driver` is what it had
    /// before the claim that holds it.
    #[must_use]
    pub fn of(function: &Function, functions: &[Function], resting_driver: Option<&str>) -> Self {
        let pf = function
            .pf()
            .and_then(|pf| functions.iter().find(|other| other.id == DeviceId::Pci(pf)));
        let driver = resting_driver.or(function.binding.driver.as_deref());
        let capabilities = &function.capabilities;
        Self {
            id: function.id,
            kind: match function.kind {
                FunctionKind::Pf { num_vfs, .. } => CandidateKind::Pf { num_vfs },
                FunctionKind::Vf { .. } => CandidateKind::Vf,
                FunctionKind::Sf { .. } => CandidateKind::Sf,
                FunctionKind::Accelerator { .. } => CandidateKind::Accelerator,
            },
            ids: function.ids,
            driver: driver.map(str::to_owned),
            acpi_index: function.acpi_index,
            pf_name: pf
                .and_then(|pf| pf.netdev.as_ref())
                .map(ToString::to_string),
            more_pf_names: pf
                .iter()
                .flat_map(|pf| &pf.yields.more_netdevs)
                .map(ToString::to_string)
                .collect(),
            pf_address: function.pf(),
            index: function.index(),
            link_type: function.link_type.or(pf.and_then(|pf| pf.link_type)),
            ddp_profile: capabilities.ddp_profile.clone(),
            p_key: capabilities.p_key,
            rdma: capabilities.rdma,
            vdpa_type: capabilities.vdpa_type,
            aux_type: function.auxiliary().and_then(aux_type),
        }
    }
}

impl Candidate {
    /// A device as it is published: `attribute` has the driver's own by name. `None`: it is not of
    /// this driver's making.
    #[must_use]
    pub fn published(name: &str, attribute: impl Fn(&str) -> Option<Attribute>) -> Option<Self> {
        let text = |name: &str| match attribute(name) {
            Some(Attribute::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let number = |name: &str| match attribute(name) {
            Some(Attribute::Int(number)) => u32::try_from(number).ok(),
            _ => None,
        };
        let hex = |name: &str| u16::from_str_radix(&text(name)?, 16).ok();
        let kind = match text("type")?.as_str() {
            "pf" => CandidateKind::Pf {
                num_vfs: number("numVFs").unwrap_or(0),
            },
            "vf" => CandidateKind::Vf,
            "sf" => CandidateKind::Sf,
            _ => CandidateKind::Accelerator,
        };
        let vdpa_type = text("vdpaType");
        let vdpa = |kind: &VdpaType| vdpa_type.as_deref() == Some(kind.as_str());
        Some(Self {
            id: DeviceId::from_name(name).ok()?,
            kind,
            ids: PciIds {
                vendor: hex("vendor").unwrap_or_default(),
                device: hex("deviceID").unwrap_or_default(),
            },
            driver: text("driver"),
            acpi_index: number("acpiIndex"),
            pf_name: text("pfName"),
            more_pf_names: Vec::new(),
            pf_address: text("pfPciAddress").and_then(|address| address.parse().ok()),
            index: number("index"),
            link_type: text("linkType").and_then(|name| LinkType::named(&name)),
            ddp_profile: text("ddpProfile"),
            p_key: number("pKey").and_then(|key| u16::try_from(key).ok()),
            rdma: matches!(attribute("rdma"), Some(Attribute::Bool(true))),
            vdpa_type: [VdpaType::Vhost, VdpaType::Virtio].into_iter().find(vdpa),
            aux_type: text("auxDevice").and_then(|auxiliary| aux_type(&auxiliary)),
        })
    }
}

/// `sf` of `mlx5_core.sf.4`.
fn aux_type(auxiliary: &str) -> Option<String> {
    let (rest, _) = auxiliary.rsplit_once('.')?;
    rest.rsplit_once('.').map(|(_, kind)| kind.to_owned())
}
