//! config.json: one DeviceClass per pool. The file itself is left unchanged, the agents read it.

use std::collections::BTreeMap;

use super::{
    Conversion,
    input::{Content, Object},
    prefix,
    report::{Outcome, Section},
};
use crate::{
    classes::Class,
    pool::{Config, DeviceType, Pool, PoolName, Selector, Warning},
};

/// Drivers that hand a function to a process without VFIO.
const UIO: [&str; 3] = ["igb_uio", "uio_pci_generic", "uio"];
const KEEP: &str =
    "keep the device plugin for this pool, and exclude its devices from the agent (agent.exclude)";

/// Whether the devices of a pool have a netdev.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Netdevs {
    All,
    None,
    Unknown,
}

/// What the inputs say of a pool.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// `excludeTopology`: its devices have no attribute numaNode.
    pub(super) without_numa: bool,
    /// By the drivers that select its devices.
    netdevs: Option<Netdevs>,
    /// By the operator's policies, which know better.
    by_policy: Option<Netdevs>,
    /// Why this driver does not serve it.
    pub(super) fault: Option<String>,
    /// The configurations that define it, and where.
    places: Vec<(Object, String)>,
}

/// The pools of all inputs.
#[derive(Debug, Clone, Default)]
pub(super) struct Pools(BTreeMap<PoolName, Facts>);

impl Pools {
    pub(super) fn named(&mut self, pool: PoolName) -> &mut Facts {
        self.0.entry(pool).or_default()
    }

    pub(super) fn has(&self, pool: &PoolName) -> bool {
        self.0.contains_key(pool)
    }

    pub(super) fn facts(&self, pool: &PoolName) -> Option<&Facts> {
        self.0.get(pool)
    }

    pub(super) fn by_resource(&self, resource: &str) -> Option<&PoolName> {
        self.0.keys().find(|pool| pool.to_string() == resource)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &PoolName> {
        self.0.keys()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a configuration or a policy defines it.
    pub(super) fn is_defined(&self, pool: &PoolName) -> bool {
        self.facts(pool)
            .is_some_and(|facts| !facts.places.is_empty())
    }

    pub(super) fn netdevs(&self, pool: &PoolName) -> Netdevs {
        let facts = self.facts(pool);
        let netdevs = facts.and_then(|it| it.by_policy.or(it.netdevs));
        netdevs.unwrap_or(Netdevs::Unknown)
    }
}

impl Facts {
    pub(super) fn defined_at(&mut self, object: &Object, field: &str) {
        self.places.push((object.clone(), field.to_owned()));
    }

    pub(super) fn places(&self) -> &[(Object, String)] {
        &self.places
    }

    fn add(&mut self, netdevs: Netdevs) {
        self.netdevs = Some(both(self.netdevs, netdevs));
    }

    pub(super) fn add_policy(&mut self, netdevs: Netdevs) {
        self.by_policy = Some(both(self.by_policy, netdevs));
    }
}

/// What holds on all nodes.
fn both(before: Option<Netdevs>, netdevs: Netdevs) -> Netdevs {
    match before {
        Some(before) if before != netdevs => Netdevs::Unknown,
        _ => netdevs,
    }
}

impl Conversion<'_> {
    /// Reads every config.json.
    pub(super) fn pools(&mut self, objects: &[Object]) {
        for object in objects {
            if let Content::Config(text, prefix) = &object.content {
                self.config(object, text, prefix);
            }
        }
    }

    fn config(&mut self, object: &Object, text: &str, prefix: &str) {
        let mut section = self.report.section(object);
        let (config, warnings) = match Config::read(text, prefix) {
            Ok(read) => read,
            Err(error) => {
                let remedy =
                    "the device plugin does not start with it either: fix it and convert again";
                section.unsupported(&error.place, "", &error.reason, remedy);
                return self.report.summary(object, Outcome::Unchanged, "");
            }
        };
        for Warning { place, reason } in &warnings {
            match reason.ends_with("this pool is dropped") {
                true => section.unsupported(place, "", reason, "fix it in config.json"),
                false => section.warning(place, "", reason, "fix it in config.json"),
            }
        }
        let default = |pool: &Pool| pool.name.prefix == prefix;
        if prefix != prefix::PLUGIN && config.pools.iter().any(default) {
            let what = "the prefix of pools that do not set one";
            let remedy = format!("set pools.resourcePrefix={prefix} of the chart");
            section.warning("resourcePrefix", prefix, what, &remedy);
        }
        self.defined(object, &config.pools);
    }

    fn defined(&mut self, object: &Object, pools: &[Pool]) {
        for pool in pools {
            let fault = judge(&mut self.report.section(object), pool);
            let facts = self.pools.named(pool.name.clone());
            facts.without_numa |= pool.exclude_topology;
            facts.add(netdevs(pool));
            facts.fault = facts.fault.take().or(fault);
            facts.defined_at(object, &format!("{}.resourceName", pool.place));
        }
        let names = pools.iter().map(|pool| pool.name.to_string());
        let names: Vec<String> = names.collect();
        let what = format!("stays in use; pools {}", names.join(", "));
        self.report.summary(object, Outcome::Unchanged, &what);
    }

    /// Reports pools that pods cannot leave the device plugin with, and makes the classes of the
    /// others.
    pub(super) fn classes_of_pools(&mut self) {
        let names: Vec<PoolName> = self.pools.names().cloned().collect();
        for pool in names {
            self.report_blocked(&pool);
            let facts = self.pools.facts(&pool);
            let serves = facts.is_some_and(|facts| facts.fault.is_none());
            if self.options.force || serves && !self.blocked.contains_key(&pool) {
                self.add_class(Class::of_pool(&pool, &self.options.driver));
            }
        }
    }

    fn report_blocked(&mut self, pool: &PoolName) {
        let who = match self.blocked.get(pool).map(Vec::as_slice) {
            Some([one]) => one.clone(),
            Some([one, others @ ..]) => format!("{one} and {} more", others.len()),
            _ => return,
        };
        let what = format!("{who} cannot be served with this pool by DRA");
        let remedy = "see there; until then keep the device plugin for this pool";
        let facts = self.pools.facts(pool);
        for (object, field) in facts.map(Facts::places).unwrap_or_default() {
            let mut section = self.report.section(object);
            section.unsupported(field, pool.to_string(), &what, remedy);
        }
    }
}

/// Reports what is odd; returns why the pool is not served.
fn judge(section: &mut Section<'_>, pool: &Pool) -> Option<String> {
    let at = |key: &str| format!("{}.{key}", pool.place);
    if pool.name.extended_resource().is_none() {
        let remedy = "pods cannot request this name: use the class in a claim";
        section.warning(
            &at("resourceName"),
            pool.name.to_string(),
            "no name of a resource",
            remedy,
        );
    }
    let mut fault = None;
    if pool.device_type == DeviceType::AuxNetDevice {
        let what = "claims for sub-functions are not supported yet";
        section.unsupported(&at("deviceType"), pool.device_type.as_str(), what, KEEP);
        fault = Some(what.to_owned());
    }
    for selector in &pool.selectors {
        fault = fault.or(unserved(section, selector));
    }
    fault
}

fn unserved(section: &mut Section<'_>, selector: &Selector) -> Option<String> {
    let at = |key: &str| format!("{}.{key}", selector.place);
    if let Some(vdpa) = &selector.vdpa_type {
        let what = "containers do not get /dev/vhost-vdpa-N yet";
        section.unsupported(&at("vdpaType"), vdpa.as_str(), what, KEEP);
        return Some(what.to_owned());
    }
    let is_uio = |driver: &&String| UIO.contains(&driver.as_str());
    let uio: Vec<&String> = selector.drivers.iter().filter(is_uio).collect();
    let first = uio.first()?;
    let what = "UIO devices are not supported yet";
    if uio.len() == selector.drivers.len() {
        let remedy = "bind the devices to vfio-pci and name that here, or keep the device plugin for this pool";
        section.unsupported(&at("drivers"), first.as_str(), what, remedy);
        return Some(what.to_owned());
    }
    section.warning(
        &at("drivers"),
        first.as_str(),
        what,
        "bind such devices to vfio-pci",
    );
    None
}

fn netdevs(pool: &Pool) -> Netdevs {
    if pool.device_type == DeviceType::Accelerator {
        return Netdevs::None;
    }
    let mut all = pool.selectors.iter().map(|selector| {
        let hands_over =
            |driver: &&String| driver.contains("vfio") || UIO.contains(&driver.as_str());
        let count = selector.drivers.iter().filter(hands_over).count();
        match (selector.drivers.len(), count) {
            (0, _) => Netdevs::Unknown,
            (_, 0) => Netdevs::All,
            (all, count) if all == count => Netdevs::None,
            _ => Netdevs::Unknown,
        }
    });
    let first = all.next().unwrap_or(Netdevs::Unknown);
    match all.all(|other| other == first) {
        true => first,
        false => Netdevs::Unknown,
    }
}
