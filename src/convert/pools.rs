//! config.json: a class per pool. The file itself stays, the agent reads it.

use super::{
    Conversion, ConvertError,
    input::{Object, What},
    report::Section,
};
use crate::{
    classes::Class,
    pool::{Config, DeviceType, Pool, Selector},
};

const STAYS: &str = "stays in config.json, which the agent reads";
const LATER: &str = "selects, but containers do not get it yet";

impl Conversion<'_> {
    /// Reads every configuration, and gives every pool its class.
    pub(super) fn pools(&mut self, objects: &[Object]) -> Result<(), ConvertError> {
        for object in objects {
            let What::Config(text) = &object.what else { continue };
            let (config, warnings) = Config::read(text, &self.options.resource_prefix).map_err(|error| {
                ConvertError { place: format!("{}: {}", object.file, object.name), reason: error.to_string() }
            })?;
            let mut section = self.report.section(object);
            for pool in &config.pools {
                rows(&mut section, pool, &self.options.driver);
            }
            for warning in warnings {
                section.differs(&warning.place, "", &warning.reason, "put it right in config.json");
            }
            for pool in config.pools {
                if pool.exclude_topology {
                    self.without_numa.insert(pool.name.clone());
                }
                self.add_class(Class::of_pool(&pool.name, &self.options.driver));
                self.pools.insert(pool.name);
            }
        }
        Ok(())
    }
}

fn rows(section: &mut Section<'_>, pool: &Pool, driver: &str) {
    let at = |key: &str| format!("{}.{key}", pool.place);
    let class = Class::of_pool(&pool.name, driver);
    let name = pool.name.to_string();
    let what = format!("DeviceClass {}", class.name);
    match class.extended_resource_name {
        Some(_) => {
            section.maps(&at("resourceName"), name, &format!("{what}; pods with this resource stay as they are"))
        }
        None => {
            section.differs(&at("resourceName"), name, &what, "no pod can ask for this name: use the class in a claim")
        }
    }
    section.differs(
        &at("resourceName"),
        format!("PCIDEVICE_{}", pool.name.to_string().to_uppercase().replace(['.', '/'], "_")),
        "the container's variable is not set",
        "read SRIOV_DRA_<REQUEST>, or the device metadata",
    );
    if pool.device_type != DeviceType::NetDevice {
        section.maps(&at("deviceType"), pool.device_type.as_str(), STAYS);
    }
    if pool.exclude_topology {
        section.maps(&at("excludeTopology"), "true", "the devices have no attribute numaNode");
    }
    if pool.additional_info.is_some() {
        section.cannot(&at("additionalInfo"), "", "is read, but containers do not get it yet", "set env in the pod");
    }
    for selector in &pool.selectors {
        selectors(section, selector);
    }
}

fn selectors(section: &mut Section<'_>, selector: &Selector) {
    let at = |key: &str| format!("{}.{key}", selector.place);
    let texts = |items: &[crate::pool::PfFunctions]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
    let lists = [
        ("vendors", selector.vendors.clone()),
        ("devices", selector.devices.clone()),
        ("drivers", selector.drivers.clone()),
        ("pciAddresses", selector.pci_addresses.clone()),
        ("acpiIndexes", selector.acpi_indexes.clone()),
        ("auxTypes", selector.aux_types.clone()),
        ("pfNames", texts(&selector.pf_names)),
        ("rootDevices", texts(&selector.root_devices)),
        ("linkTypes", selector.link_types.clone()),
        ("ddpProfiles", selector.ddp_profiles.clone()),
        ("pKeys", selector.p_keys.clone()),
    ];
    for (name, values) in lists.iter().filter(|(_, values)| !values.is_empty()) {
        section.maps(&at(name), values.join(" "), STAYS);
    }
    if selector.is_rdma {
        section.cannot(&at("isRdma"), "true", LATER, "mount /dev/infiniband by the pod");
    }
    if let Some(vdpa) = &selector.vdpa_type {
        section.cannot(&at("vdpaType"), vdpa.as_str(), LATER, "");
    }
    if selector.need_vhost_net {
        let remedy = "mount /dev/vhost-net and /dev/net/tun by the pod";
        section.cannot(&at("needVhostNet"), "true", "containers do not get it yet", remedy);
    }
}
