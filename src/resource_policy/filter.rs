//! `resourceFilters`: each list that is given must have the device's value.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Fields, wrong};
use crate::{
    api::Attribute,
    device::LinkType,
    pool::{
        Candidate, ConfigError, PfFunctions, Place, Refusal, Warning,
        values::{self, Right, address, driver, never_matches, number},
    },
};

/// A device as filters see it: everything is in what a node publishes of it, so that node and
/// controller see the same.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    kind: String,
    vendor: String,
    device: String,
    driver: String,
    pci_address: String,
    /// The names of its PF's netdevs; of what is published only the first is known.
    pf_names: Vec<String>,
    pf_address: String,
    index: Option<u32>,
    link_type: String,
}

impl From<&Candidate> for Seen {
    fn from(device: &Candidate) -> Self {
        let address = device.id.pci();
        Self {
            kind: device.kind.as_str().to_owned(),
            vendor: format!("{:04x}", device.ids.vendor),
            device: format!("{:04x}", device.ids.device),
            driver: device.driver.clone().unwrap_or_default(),
            pci_address: address.to_string(),
            pf_names: device.pf_names().map(str::to_owned).collect(),
            pf_address: device.pf_address.unwrap_or(address).to_string(),
            index: device.index,
            link_type: device.link_type.map_or("", LinkType::as_str).to_owned(),
        }
    }
}

impl Seen {
    /// `vf`, `pf`, `sf` or `accelerator`.
    pub(super) fn kind(&self) -> &str {
        &self.kind
    }

    /// Its PCI address, as policies name devices.
    pub(super) fn address(&self) -> &str {
        &self.pci_address
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// As it is published.
    #[must_use]
    pub fn published(attributes: &BTreeMap<String, Attribute>) -> Self {
        let text = |name| match attributes.get(name) {
            Some(Attribute::String(text)) => text.clone(),
            _ => String::new(),
        };
        let index = match attributes.get("index") {
            Some(Attribute::Int(index)) => u32::try_from(*index).ok(),
            _ => None,
        };
        Self {
            kind: text("type"),
            vendor: text("vendor"),
            device: text("deviceID"),
            driver: text("driver"),
            pci_address: text("pciAddress"),
            pf_names: Some(text("pfName"))
                .filter(|name| !name.is_empty())
                .into_iter()
                .collect(),
            pf_address: text("pfPciAddress"),
            index,
            link_type: text("linkType"),
        }
    }
}

/// Which functions a filter looks at, as the Go driver spells them. Without it VFs: a whole PF is
/// never given by accident.
pub(super) const VF: &str = "vf";
const PF: &str = "pf";

/// One filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    kind: &'static str,
    vendors: Vec<String>,
    devices: Vec<String>,
    pci_addresses: Vec<String>,
    pf_names: Vec<PfFunctions>,
    pf_addresses: Vec<PfFunctions>,
    drivers: Vec<String>,
    link_type: Option<&'static str>,
}

const KNOWN: [&str; 8] = [
    "deviceType",
    "vendors",
    "devices",
    "pciAddresses",
    "pfNames",
    "pfPciAddresses",
    "drivers",
    "linkType",
];

impl Filter {
    pub(super) fn read(value: &Value, place: Place) -> Result<(Self, Vec<Warning>), ConfigError> {
        let fields =
            Fields::of(value, place, "a filter like {\"vendors\": [\"8086\"]}")?.only(&KNOWN)?;
        let mut reader = Reader {
            fields,
            warnings: Vec::new(),
        };
        let filter = Self {
            kind: device_type(&reader.fields)?,
            vendors: reader.texts("vendors", "[\"8086\"]", number)?,
            devices: reader.texts("devices", "[\"154c\"]", number)?,
            pci_addresses: reader.texts("pciAddresses", "[\"0000:3b:02.1\"]", address)?,
            pf_names: reader.functions("pfNames", "[\"ens1f0#0-3\"]", pf_name)?,
            pf_addresses: reader.functions(
                "pfPciAddresses",
                "[\"0000:3b:00.0#0-3\"]",
                pf_address,
            )?,
            drivers: reader.texts("drivers", "[\"vfio-pci\"]", driver)?,
            link_type: link_type(&reader.fields)?,
        };
        Ok((filter, reader.warnings))
    }

    pub(super) fn matches(&self, device: &Seen) -> bool {
        let any = |list: &[String], value: &String| list.is_empty() || list.contains(value);
        self.kind == device.kind
            && any(&self.vendors, &device.vendor)
            && any(&self.devices, &device.device)
            && any(&self.drivers, &device.driver)
            && any(&self.pci_addresses, &device.pci_address)
            && function_of(&self.pf_names, &device.pf_names, device.index)
            && function_of(
                &self.pf_addresses,
                std::slice::from_ref(&device.pf_address),
                device.index,
            )
            && self.link_type.is_none_or(|kind| kind == device.link_type)
    }
}

impl Filter {
    /// How many conditions the device meets, and the first that it does not; `None`: it meets all.
    pub(super) fn refusal(&self, device: &Seen) -> Option<(usize, Refusal)> {
        let of = |pf: &str| match device.index {
            Some(index) if !pf.is_empty() => format!("{pf}#{index}"),
            _ => pf.to_owned(),
        };
        let pf_name = device.pf_names.first().map(String::as_str);
        let (pf_name, pf_address) = (of(pf_name.unwrap_or_default()), of(&device.pf_address));
        let link = self.link_type.map(str::to_owned).into_iter().collect();
        let any =
            |list: &[String], value: &str| list.is_empty() || list.iter().any(|it| it == value);
        let by_name = function_of(&self.pf_names, &device.pf_names, device.index);
        let pf = std::slice::from_ref(&device.pf_address);
        let by_address = function_of(&self.pf_addresses, pf, device.index);
        let list = |name, wanted: &Vec<String>, has: &str| {
            (name, any(wanted, has), has.to_owned(), wanted.join(" or "))
        };
        let kind = self.kind == device.kind;
        let conditions = [
            (
                "deviceType",
                kind,
                device.kind.clone(),
                self.kind.to_owned(),
            ),
            list("vendors", &self.vendors, &device.vendor),
            list("devices", &self.devices, &device.device),
            list("drivers", &self.drivers, &device.driver),
            list("pciAddresses", &self.pci_addresses, &device.pci_address),
            ("pfNames", by_name, pf_name, listed(&self.pf_names)),
            (
                "pfPciAddresses",
                by_address,
                pf_address,
                listed(&self.pf_addresses),
            ),
            list("linkType", &link, &device.link_type),
        ];
        let met = conditions.iter().filter(|(_, met, ..)| *met).count();
        let first = conditions.into_iter().find(|(_, met, ..)| !met);
        first.map(|(name, _, has, wanted)| (met, Refusal::new(name, has, wanted)))
    }
}

fn listed(items: &[PfFunctions]) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.join(" or ")
}

/// All items of a PF count, other than with the device plugin, which looks at the first only.
fn function_of(items: &[PfFunctions], pf: &[String], index: Option<u32>) -> bool {
    let named = |item: &PfFunctions| pf.iter().any(|pf| item.pf() == pf) && item.covers(index);
    items.is_empty() || items.iter().any(named)
}

struct Reader<'a> {
    fields: Fields<'a>,
    warnings: Vec<Warning>,
}

impl Reader<'_> {
    /// A value that no device ever has is kept and reported, as the Go driver keeps it.
    fn texts(
        &mut self,
        name: &str,
        example: &str,
        right: Right,
    ) -> Result<Vec<String>, ConfigError> {
        let all = self.fields.texts(name, example)?;
        for (text, place) in &all {
            let odd = right(text).map(|right| never_matches(place, text, &right));
            self.warnings.extend(odd);
        }
        Ok(all.into_iter().map(|(text, _)| text.to_owned()).collect())
    }

    fn functions(
        &mut self,
        name: &str,
        example: &str,
        right: Right,
    ) -> Result<Vec<PfFunctions>, ConfigError> {
        let mut functions = Vec::new();
        for (text, place) in self.fields.texts(name, example)? {
            let item = PfFunctions::from(text.to_owned());
            if !item.is_sound() {
                let right = "a PF, and after one '#' numbers and ranges of its VFs like #0-3,7";
                return Err(wrong(&place, &text.into(), right));
            }
            let odd = right(item.pf()).map(|right| never_matches(&place, text, &right));
            self.warnings.extend(odd);
            functions.push(item);
        }
        Ok(functions)
    }
}

fn device_type(fields: &Fields<'_>) -> Result<&'static str, ConfigError> {
    let right = "\"vf\" or \"pf\"";
    match fields
        .text("deviceType", right)?
        .to_ascii_lowercase()
        .as_str()
    {
        "" | VF => Ok(VF),
        PF => Ok(PF),
        other => Err(wrong(&fields.place.key("deviceType"), &other.into(), right)),
    }
}

fn link_type(fields: &Fields<'_>) -> Result<Option<&'static str>, ConfigError> {
    let right = "\"ethernet\", \"eth\", \"infiniband\" or \"ib\"";
    match fields
        .text("linkType", right)?
        .to_ascii_lowercase()
        .as_str()
    {
        "" => Ok(None),
        "eth" | "ethernet" => Ok(Some("ethernet")),
        "ib" | "infiniband" => Ok(Some("infiniband")),
        other => Err(wrong(&fields.place.key("linkType"), &other.into(), right)),
    }
}

fn pf_name(value: &str) -> Option<String> {
    values::pf_name(value).map(|right| format!("{right} (addresses go into pfPciAddresses)"))
}

fn pf_address(value: &str) -> Option<String> {
    address(value).map(|_| "a PCI address like \"0000:3b:00.0#0-3\"".to_owned())
}
