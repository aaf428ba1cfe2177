//! config.json: one DeviceClass per pool. The file itself is left unchanged, the agents read it.

use super::{
    Conversion, ConvertError,
    input::{Content, Object},
    report::Section,
};
use crate::{
    classes::Class,
    pool::{Config, DeviceType, Pool, Selector},
};

const LEFT: &str = "left in config.json, read by the agents";

impl Conversion<'_> {
    /// Reads every config.json and creates a class for every pool.
    pub(super) fn pools(&mut self, objects: &[Object]) -> Result<(), ConvertError> {
        for object in objects {
            let Content::Config(text) = &object.content else {
                continue;
            };
            let (config, warnings) =
                Config::read(text, &self.options.resource_prefix).map_err(|error| {
                    ConvertError {
                        place: format!("{}: {}", object.file, object.name),
                        reason: error.to_string(),
                    }
                })?;
            let mut section = self.report.section(object);
            for pool in &config.pools {
                rows(&mut section, pool, &self.options.driver);
            }
            for warning in warnings {
                section.warning(&warning.place, "", &warning.reason, "fix it in config.json");
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
        Some(_) => section.ok(
            &at("resourceName"),
            name,
            &format!("{what}; pods with this resource are left unchanged"),
        ),
        None => section.warning(
            &at("resourceName"),
            name,
            &what,
            "pods cannot request this name: use the class in a claim",
        ),
    }
    section.ok(
        &at("resourceName"),
        pool.name.variable(),
        "set in containers as before, with its _INFO",
    );
    if pool.device_type != DeviceType::NetDevice {
        section.ok(&at("deviceType"), pool.device_type.as_str(), LEFT);
    }
    if pool.exclude_topology {
        section.ok(
            &at("excludeTopology"),
            "true",
            "the devices have no attribute numaNode",
        );
    }
    if pool.additional_info.is_some() {
        section.ok(
            &at("additionalInfo"),
            "",
            &format!(
                "set as before in the variable {}_INFO",
                pool.name.variable()
            ),
        );
    }
    for selector in &pool.selectors {
        selectors(section, selector);
    }
}

fn selectors(section: &mut Section<'_>, selector: &Selector) {
    let at = |key: &str| format!("{}.{key}", selector.place);
    let texts = |items: &[crate::pool::PfFunctions]| {
        items.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
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
        section.ok(&at(name), values.join(" "), LEFT);
    }
    if selector.is_rdma {
        section.ok(
            &at("isRdma"),
            "true",
            "selects devices; containers get the device nodes of /dev/infiniband",
        );
    }
    if let Some(vdpa) = &selector.vdpa_type {
        let remedy = "keep the device plugin for this pool";
        section.unsupported(
            &at("vdpaType"),
            vdpa.as_str(),
            "selects devices, but containers do not get /dev/vhost-vdpa-N yet",
            remedy,
        );
    }
    if selector.need_vhost_net {
        section.ok(
            &at("needVhostNet"),
            "true",
            "containers get /dev/vhost-net and /dev/net/tun",
        );
    }
}
