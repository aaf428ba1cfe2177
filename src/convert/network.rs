//! NetworkAttachmentDefinitions: settings become a DeviceClass, addresses a ResourceClaimTemplate.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    Conversion,
    cni::{self, Settings},
    fields::Fields,
    input::{Content, Object, name_of, namespace_of},
    objects::{Request, template},
    report::Section,
};
use crate::{
    classes::{Class, class_name, quoted},
    pool::PoolName,
};

/// Annotation with the pool of a NAD.
pub(super) const RESOURCE: &str = "k8s.v1.cni.cncf.io/resourceName";

/// An SR-IOV network.
#[derive(Debug, Clone)]
pub(super) struct Network {
    namespace: String,
    name: String,
    pub(super) pool: Option<PoolName>,
    device: Option<String>,
    class_name: String,
    class: Fields,
    allow: BTreeSet<&'static str>,
    /// Fields for the claim.
    pub(super) claim: Fields,
    pub(super) used: bool,
}

impl Conversion<'_> {
    pub(super) fn networks(&mut self, objects: &[Object]) {
        for object in objects {
            let Content::Network(nad) = &object.content else {
                continue;
            };
            let network =
                Network::read(&mut self.report.section(object), nad, &self.options.driver);
            self.check_pool(object, network.as_ref());
            self.networks
                .insert((namespace_of(nad), name_of(nad)), network);
        }
        let named = self
            .networks
            .values()
            .flatten()
            .filter_map(|network| network.pool.clone());
        let named: Vec<PoolName> = named.collect();
        self.pools.extend(named);
        self.check_names(objects);
    }

    /// Renames the class of a network if a pool's class has the same name.
    fn check_names(&mut self, objects: &[Object]) {
        let taken: BTreeMap<String, &PoolName> = self
            .pools
            .iter()
            .map(|pool| (class_name(pool), pool))
            .collect();
        for object in objects {
            let Content::Network(nad) = &object.content else {
                continue;
            };
            let Some(Some(network)) = self.networks.get_mut(&(namespace_of(nad), name_of(nad)))
            else {
                continue;
            };
            let wanted = network.class_name.clone();
            let Some(pool) = taken.get(&wanted) else {
                continue;
            };
            while taken.contains_key(&network.class_name) {
                network.class_name += ".nad";
            }
            let what = format!(
                "DeviceClass {}, because {wanted} is the class of pool {pool}",
                network.class_name
            );
            self.report
                .section(object)
                .warning("metadata.name", network.name.clone(), &what, "");
        }
    }

    fn check_pool(&mut self, object: &Object, network: Option<&Network>) {
        let Some(pool) = network.and_then(|network| network.pool.as_ref()) else {
            return;
        };
        if !self.pools.is_empty() && !self.pools.contains(pool) {
            let at = format!("annotations[{RESOURCE}]");
            let remedy = "without one, no device is in this pool";
            self.report.section(object).warning(
                &at,
                pool.to_string(),
                "no config.json in the input defines this pool",
                remedy,
            );
        }
    }
}

impl Network {
    /// `None`: not an SR-IOV network. Reports every field.
    fn read(section: &mut Section<'_>, nad: &Value, driver: &str) -> Option<Self> {
        let plugins = plugins(section, nad)?;
        let Some(first) = plugins.iter().position(|(_, plugin)| cni::is_sriov(plugin)) else {
            let kinds: Vec<&str> = plugins
                .iter()
                .filter_map(|(_, plugin)| plugin["type"].as_str())
                .collect();
            other(section, nad, &kinds.join(" "));
            return None;
        };
        let new = || Fields::new(driver);
        let mut settings = Settings {
            class: new(),
            claim: new(),
            allow: BTreeSet::new(),
            device: None,
        };
        for (index, (at, plugin)) in plugins.iter().enumerate() {
            if index == first {
                cni::sriov(section, &mut settings, at, plugin);
            } else {
                cni::chained(section, &mut settings, at, plugin);
            }
        }
        let pool = annotations(section, nad);
        if pool.is_none() && settings.device.is_none() {
            let remedy = "add a selector to the class: it matches any VF";
            section.unsupported(
                &format!("annotations[{RESOURCE}]"),
                "",
                "not set: the pool is unknown",
                remedy,
            );
        }
        let Settings {
            class,
            claim,
            allow,
            device,
        } = settings;
        let (namespace, name) = (namespace_of(nad), name_of(nad));
        let class_name = format!("{name}.{namespace}.nad");
        Some(Self {
            namespace,
            name,
            pool,
            device,
            class_name,
            class,
            allow,
            claim,
            used: false,
        })
    }

    /// Allows claims for this network to set the field.
    pub(super) fn allow(&mut self, field: &'static str) {
        self.allow.insert(field);
    }

    /// The class of the network: the pool's own class if the network has no settings.
    pub(super) fn class(&self, driver: &str) -> Class {
        match &self.pool {
            Some(pool) if self.class.is_empty() && self.allow.is_empty() => {
                Class::of_pool(pool, driver)
            }
            pool => Class {
                name: self.class_name.clone(),
                selectors: vec![self.selector(pool.as_ref(), driver)],
                config: self.config().into_iter().collect(),
                ..Class::default()
            },
        }
    }

    fn config(&self) -> Option<Value> {
        if self.allow.is_empty() {
            return self.class.config();
        }
        let mut fields = self.class.clone();
        fields
            .set("allowInClaims", json!(self.allow))
            .expect("only names of fields are allowed");
        fields.config()
    }

    fn selector(&self, pool: Option<&PoolName>, driver: &str) -> String {
        if let Some(pool) = pool {
            return Class::in_pool(pool, driver);
        }
        let driver = quoted(driver);
        let own = format!("device.driver == {driver} && device.attributes[{driver}]");
        match &self.device {
            Some(address) => format!("{own}.pciAddress == {}", quoted(address)),
            None => format!("{own}.type == \"vf\""),
        }
    }

    /// A template for pods that are not in the input.
    pub(super) fn template(&self, driver: &str) -> Value {
        let request = Request {
            name: "net".to_owned(),
            class: self.class(driver).name,
            count: 1,
            fields: self.claim.clone(),
            container: String::new(),
        };
        template(&self.namespace, &self.name, &[request], false)
    }
}

/// A network of another plugin. If it has a resource, it depends on the device plugin.
fn other(section: &mut Section<'_>, nad: &Value, kinds: &str) {
    match nad["metadata"]["annotations"][RESOURCE].as_str() {
        None => section.ok("config", kinds, "not an SR-IOV network: left to Multus"),
        Some(resource) => {
            let what =
                format!("left to Multus, which gets no device of {resource} from this driver yet");
            section.unsupported(
                "config",
                kinds,
                &what,
                "keep the device plugin for this pool",
            );
        }
    }
}

/// The plugins of `spec.config`, each with its path.
fn plugins(section: &mut Section<'_>, nad: &Value) -> Option<Vec<(String, Value)>> {
    let Some(text) = nad["spec"]["config"].as_str() else {
        section.unsupported(
            "config",
            "",
            "not set: the configuration is a file on each node",
            "set spec.config to the content of the file",
        );
        return None;
    };
    let config = match serde_json::from_str::<Value>(text) {
        Ok(config) if config.is_object() => config,
        Ok(_) => {
            section.unsupported("config", text, "not a JSON object", "");
            return None;
        }
        Err(error) => {
            section.unsupported("config", text, &format!("invalid JSON: {error}"), "");
            return None;
        }
    };
    let Some(list) = config["plugins"].as_array() else {
        return Some(vec![("config".to_owned(), config)]);
    };
    for (key, value) in config.as_object().into_iter().flatten() {
        match key.as_str() {
            "cniVersion" | "name" | "plugins" => {}
            "disableCheck" | "disableGC" | "loadOnlyInlinedPlugins" | "cniVersions" => {
                section.ok(&format!("config.{key}"), value, "no CNI plugin is called");
            }
            _ => section.unsupported(&format!("config.{key}"), value, "unknown field", ""),
        }
    }
    let at =
        |(index, plugin): (usize, &Value)| (format!("config.plugins[{index}]"), plugin.clone());
    Some(list.iter().enumerate().map(at).collect())
}

/// Returns the pool and reports all annotations.
fn annotations(section: &mut Section<'_>, nad: &Value) -> Option<PoolName> {
    let mut pool = None;
    for (key, value) in nad["metadata"]["annotations"]
        .as_object()
        .into_iter()
        .flatten()
    {
        let at = format!("annotations[{key}]");
        match key.as_str() {
            RESOURCE => match value.as_str().and_then(|text| text.split_once('/')) {
                Some((prefix, name)) => {
                    section.ok(&at, value, "the class selects this pool");
                    pool = Some(PoolName {
                        prefix: prefix.to_owned(),
                        name: name.to_owned(),
                    });
                }
                None => section.unsupported(&at, value, "not of the form prefix/name", ""),
            },
            "k8s.v1.cni.cncf.io/nodeSelector" => {
                section.unsupported(
                    &at,
                    value,
                    "classes have no node selector",
                    "set nodeSelector in the pods",
                );
            }
            "kubectl.kubernetes.io/last-applied-configuration" => {}
            _ => section.warning(&at, value, "not converted", ""),
        }
    }
    pool
}
