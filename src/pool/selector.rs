//! One selector object: every selector that it has must take the device, each takes any of its
//! values.

use std::fmt;

use super::{Candidate, CandidateKind, DeviceType, PfFunctions, functions::select};
use crate::device::LinkType;

/// A selector object. An empty list requires nothing. Texts are compared as they are: no `0x`, no
/// upper-case hex, no short addresses, no patterns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selector {
    /// Where in the document, `resourceList[0].selectors[1]`.
    pub place: String,
    /// Vendor numbers, `8086`.
    pub vendors: Vec<String>,
    /// Device numbers of the function itself, `154c`.
    pub devices: Vec<String>,
    /// Resting drivers.
    pub drivers: Vec<String>,
    /// `0000:3b:02.1`.
    pub pci_addresses: Vec<String>,
    /// Decimal; the empty text is a device without one.
    pub acpi_indexes: Vec<String>,
    /// Types of auxiliary devices.
    pub aux_types: Vec<String>,
    /// PFs by name, and which of their functions.
    pub pf_names: Vec<PfFunctions>,
    /// PFs by address, and which of their functions.
    pub root_devices: Vec<PfFunctions>,
    /// `ether`, `infiniband`.
    pub link_types: Vec<String>,
    /// DDP packages.
    pub ddp_profiles: Vec<String>,
    /// Partition keys, `0x7fff`.
    pub p_keys: Vec<String>,
    /// Only with RDMA, and containers get its devices.
    pub is_rdma: bool,
    /// Only with a vDPA device of this type, and containers get it.
    pub vdpa_type: Option<String>,
    /// Containers get `/dev/vhost-net` and `/dev/net/tun`. Selects nothing.
    pub need_vhost_net: bool,
}

/// Why a device is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The selector, as in the document.
    pub selector: &'static str,
    /// What the device has; empty: nothing.
    pub has: String,
    /// What it would have to have.
    pub wanted: String,
}

/// `vendors is 15b3, wanted 8086`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has = if self.has.is_empty() {
            "none"
        } else {
            &self.has
        };
        write!(f, "{} is {has}, wanted {}", self.selector, self.wanted)
    }
}

impl Refusal {
    pub(crate) fn new(
        selector: &'static str,
        has: impl Into<String>,
        wanted: impl Into<String>,
    ) -> Self {
        Self {
            selector,
            has: has.into(),
            wanted: wanted.into(),
        }
    }
}

type Check = fn(&Selector, &Candidate) -> Option<Refusal>;

/// In the device plugin's order.
const CHECKS: [Check; 13] = [
    vendors,
    devices,
    drivers,
    pci_addresses,
    acpi_indexes,
    aux_types,
    pf_names,
    root_devices,
    link_types,
    ddp_profiles,
    p_keys,
    is_rdma,
    vdpa_type,
];

impl Selector {
    /// Whether the object takes the device.
    #[must_use]
    pub fn matches(&self, device: &Candidate) -> bool {
        self.refusal(device).is_none()
    }

    /// The first selector that refuses the device; none when all take it.
    #[must_use]
    pub fn refusal(&self, device: &Candidate) -> Option<Refusal> {
        CHECKS.iter().find_map(|check| check(self, device))
    }

    /// How many selectors take the device, those that require nothing among them.
    pub(super) fn passed(&self, device: &Candidate) -> usize {
        let takes = |check: &&Check| check(self, device).is_none();
        CHECKS.iter().filter(takes).count()
    }

    /// The names that are selectors of this type of devices. Others are passed over, `acpiIndexes`
    /// of accelerators too, although the device plugin's documentation has it.
    pub(crate) fn names(device_type: DeviceType) -> &'static [&'static str] {
        match device_type {
            DeviceType::NetDevice => &[
                "vendors",
                "devices",
                "drivers",
                "pciAddresses",
                "acpiIndexes",
                "pfNames",
                "rootDevices",
                "linkTypes",
                "ddpProfiles",
                "pKeys",
                "isRdma",
                "vdpaType",
                "needVhostNet",
            ],
            DeviceType::Accelerator => &["vendors", "devices", "drivers", "pciAddresses"],
            DeviceType::AuxNetDevice => &[
                "vendors",
                "devices",
                "drivers",
                "auxTypes",
                "pfNames",
                "rootDevices",
                "linkTypes",
                "isRdma",
                "needVhostNet",
            ],
        }
    }
}

fn vendors(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    one_of(
        "vendors",
        &selector.vendors,
        Some(&format!("{:04x}", device.ids.vendor)),
    )
}

fn devices(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    one_of(
        "devices",
        &selector.devices,
        Some(&format!("{:04x}", device.ids.device)),
    )
}

fn drivers(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    one_of("drivers", &selector.drivers, device.driver.as_deref())
}

fn pci_addresses(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    one_of(
        "pciAddresses",
        &selector.pci_addresses,
        Some(&device.id.pci().to_string()),
    )
}

fn acpi_indexes(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    let index = device
        .acpi_index
        .map(|index| index.to_string())
        .unwrap_or_default();
    one_of("acpiIndexes", &selector.acpi_indexes, Some(&index))
}

fn aux_types(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    one_of("auxTypes", &selector.aux_types, device.aux_type.as_deref())
}

fn pf_names(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    let names: Vec<&str> = device.pf_names().collect();
    function_of("pfNames", &selector.pf_names, &names, device)
}

fn root_devices(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    let address = device.pf_address.map(|pf| pf.to_string());
    function_of(
        "rootDevices",
        &selector.root_devices,
        address.as_deref().as_slice(),
        device,
    )
}

fn link_types(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    // The kernel's names of them, as netlink libraries have them.
    let link_type = match device.link_type {
        Some(LinkType::Ethernet) => "ether",
        Some(LinkType::Infiniband) => "infiniband",
        None => "",
    };
    one_of("linkTypes", &selector.link_types, Some(link_type))
}

fn ddp_profiles(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    one_of(
        "ddpProfiles",
        &selector.ddp_profiles,
        device
            .ddp_profile
            .as_deref()
            .filter(|name| !name.is_empty()),
    )
}

/// By number: the device plugin compares texts, so that its own examples (`0x1`, `0xABCD`) never
/// match there.
fn p_keys(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    let wanted = &selector.p_keys;
    let same = |key: &String| device.p_key.is_some() && p_key(key) == device.p_key;
    let has = device
        .p_key
        .map(|key| format!("{key:#06x}"))
        .unwrap_or_default();
    (!wanted.is_empty() && !wanted.iter().any(same))
        .then(|| Refusal::new("pKeys", has, listed(wanted)))
}

/// `0x` and up to four hex digits.
pub(super) fn p_key(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("0x")?;
    let hex = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
    hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

fn is_rdma(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    (selector.is_rdma && !device.rdma).then(|| Refusal::new("isRdma", "false", "true"))
}

fn vdpa_type(selector: &Selector, device: &Candidate) -> Option<Refusal> {
    let wanted = selector.vdpa_type.as_deref()?;
    let has = device.vdpa_type.map_or("", |vdpa| vdpa.as_str());
    (has != wanted).then(|| Refusal::new("vdpaType", has, wanted))
}

fn one_of(selector: &'static str, wanted: &[String], has: Option<&str>) -> Option<Refusal> {
    let taken = wanted.is_empty() || has.is_some_and(|has| wanted.iter().any(|value| value == has));
    (!taken).then(|| Refusal::new(selector, has.unwrap_or_default(), listed(wanted)))
}

/// A PF is not a function of itself: it is never selected by its name or address. `pf` are the
/// names of one PF, with several ports.
fn function_of(
    selector: &'static str,
    wanted: &[PfFunctions],
    pf: &[&str],
    device: &Candidate,
) -> Option<Refusal> {
    let is_pf = matches!(device.kind, CandidateKind::Pf { .. });
    let selected = |pf: &&str| !is_pf && !pf.is_empty() && select(wanted, pf, device.index);
    if wanted.is_empty() || pf.iter().any(selected) {
        return None;
    }
    let index = device
        .index
        .map(|index| format!("#{index}"))
        .unwrap_or_default();
    let has = |pf: &&str| match is_pf {
        true => format!("the PF {pf} itself"),
        false => format!("{pf}{index}"),
    };
    let has: Vec<String> = pf.iter().map(has).collect();
    Some(Refusal::new(selector, has.join(" and "), listed(wanted)))
}

fn listed(values: &[impl ToString]) -> String {
    let shown = |text: String| {
        if text.is_empty() {
            "\"\"".to_owned()
        } else {
            text
        }
    };
    values
        .iter()
        .map(|value| shown(value.to_string()))
        .collect::<Vec<_>>()
        .join(" or ")
}
