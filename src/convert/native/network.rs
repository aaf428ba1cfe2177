//! NetworkAttachmentDefinitions: settings become a DeviceClass, addresses a ResourceClaimTemplate.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    cni,
    defaults::Defaults,
    delegation,
    fields::{Fields, MULTUS},
    objects::{Request, template},
    settings::Settings,
};
use crate::{
    classes::{Class, class_name, quoted},
    cni::definition,
    convert::{
        Conversion,
        annotation::RESOURCE,
        input::{Content, Object, name_of, namespace_of},
        network,
        report::Section,
    },
    pool::PoolName,
};

/// An SR-IOV network as a class and a template.
#[derive(Debug, Clone)]
pub(in crate::convert) struct Network {
    namespace: String,
    name: String,
    pub(super) pool: Option<PoolName>,
    device: Option<String>,
    class_name: String,
    pub(super) class: Fields,
    allow: BTreeSet<&'static str>,
    /// Fields for the claim.
    pub(super) claim: Fields,
    pub(super) used: bool,
    /// The first of its fields that claims have not.
    pub(super) fault: Option<String>,
    /// The IPAM plugin that the agents run for it.
    pub(super) ipam: Option<String>,
    /// The class's fields in place of its own, if it names the network.
    pub(super) reference: Option<Fields>,
    /// Default routes that the IPAM plugin assigns.
    pub(super) defaults: Defaults,
}

impl Conversion<'_> {
    /// Renames the class of a network if a pool's class has the same name.
    pub(in crate::convert) fn native_names(&mut self, objects: &[Object]) {
        let pools = self.pools.names();
        let taken: BTreeMap<String, &PoolName> =
            pools.map(|pool| (class_name(pool), pool)).collect();
        for object in objects {
            let Content::Networks(nads) = &object.content else {
                continue;
            };
            for nad in nads {
                let key = (self.namespace(namespace_of(nad)), name_of(nad));
                let Some(network) = self.natives.get_mut(&key) else {
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
                let mut section = self.report.section(object);
                section.warning("metadata.name", network.name.clone(), &what, "");
            }
        }
    }

    /// Reports every field of a network, and keeps it for pods.
    pub(in crate::convert) fn read_native(
        &mut self,
        object: &Object,
        nad: &Value,
        network: &network::Network,
    ) {
        let mark = self.report.rows.len();
        let mut section = self.report.section(object);
        let mut native = Network::read(&mut section, nad, network, &self.options.driver);
        self.judge_pool(object, network);
        if native.reference.is_some() && self.report.fault_since(mark).is_none() {
            let text = nad["spec"]["config"].as_str().unwrap_or_default();
            if let Err(why) = definition::settings(&network.name, text) {
                let mut section = self.report.section(object);
                section.unsupported("config", text, &why, MULTUS);
            }
        }
        native.fault = self.report.fault_since(mark);
        let key = (network.namespace.clone(), network.name.clone());
        self.natives.insert(key, native);
    }

    /// Networks that no pod in the input uses get a template as well.
    pub(in crate::convert) fn unused_networks(&mut self) {
        let natives = std::mem::take(&mut self.natives);
        for network in natives.into_values().filter(|network| !network.used) {
            if self.options.force || network.fault.is_none() {
                self.templates.push(network.template(&self.options.driver));
                self.add_class(network.class(&self.options.driver));
            }
        }
    }
}

impl Network {
    /// Reports every field.
    fn read(
        section: &mut Section<'_>,
        nad: &Value,
        network: &network::Network,
        driver: &str,
    ) -> Self {
        let mut settings = Settings {
            class: Fields::new(driver),
            claim: Fields::new(driver),
            allow: BTreeSet::new(),
            device: None,
            ipam: None,
        };
        for link in &network.links {
            match network::is_ours(link.kind()) {
                true => cni::sriov(section, &mut settings, &link.at, &link.plugin),
                false => cni::chained(section, &mut settings, link),
            }
        }
        let pool = annotations(section, nad);
        if pool.is_none() && settings.device.is_none() {
            let remedy = "name the pool: a class without one matches any VF";
            section.unsupported(
                &format!("annotations[{RESOURCE}]"),
                "",
                "not set: the pool is unknown",
                remedy,
            );
        }
        let ipam = settings.ipam.as_ref();
        let defaults = ipam.map(|ipam| Defaults::of_ipam(&ipam.config));
        let ipam = ipam.map(|ipam| ipam.plugin.clone());
        let reference = delegation::reference(section, &mut settings, network);
        let Settings {
            class,
            claim,
            allow,
            device,
            ..
        } = settings;
        let (namespace, name) = (network.namespace.clone(), network.name.clone());
        let parts = [name.as_str(), namespace.as_str(), "nad"];
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        Self {
            class_name: parts.join("."),
            namespace,
            name,
            pool,
            device,
            class,
            allow,
            claim,
            used: false,
            fault: None,
            ipam,
            reference,
            defaults: defaults.unwrap_or_default(),
        }
    }

    /// `shop/blue`.
    pub(super) fn path(&self) -> String {
        match self.namespace.is_empty() {
            true => self.name.clone(),
            false => format!("{}/{}", self.namespace, self.name),
        }
    }

    /// Allows claims for this network to set the field.
    pub(super) fn allow(&mut self, field: &'static str) {
        self.allow.insert(field);
    }

    /// The class of the network: the pool's own class if the network has no settings.
    pub(super) fn class(&self, driver: &str) -> Class {
        match &self.pool {
            Some(pool) if self.fields().is_empty() && self.allow.is_empty() => {
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

    /// The class's.
    fn fields(&self) -> &Fields {
        self.reference.as_ref().unwrap_or(&self.class)
    }

    fn config(&self) -> Option<Value> {
        if self.allow.is_empty() {
            return self.fields().config();
        }
        let mut fields = self.fields().clone();
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
            containers: Vec::new(),
        };
        template(&self.namespace, &self.name, &[request], false)
    }
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
                None => {
                    section.unsupported(&at, value, "not of the form prefix/name", "name the pool")
                }
            },
            "k8s.v1.cni.cncf.io/nodeSelector" => {
                section.unsupported(
                    &at,
                    value,
                    "classes have no node selector",
                    "set nodeSelector in the pods",
                );
            }
            _ => {}
        }
    }
    pool
}
