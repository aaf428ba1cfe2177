//! Networks as they are: whether the CNI plugin of this driver serves them unchanged.

use serde_json::Value;

use super::{
    Conversion,
    annotation::RESOURCE,
    any_case,
    chain::{self, Fault, Link},
    input::{Content, Object, name_of, namespace_of},
    netconf,
    pools::Netdevs,
    report::{Outcome, Section},
};
use crate::{cni::definition, pool::PoolName};

/// What Multus has to be for plugins that are not this driver's.
const NEEDS: &str = "gets the device from Multus, which up to v4.3.0 knows no device of DRA";
/// What to do about it.
const NO_DEVICE_ID: &str = "use a Multus that reads ResourceSlices, and --multus-dra here; or v4.3.0 and a ResourceClaim named as the resource; or keep the device plugin for this pool";

/// A network.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) pool: Option<PoolName>,
    /// Its plugins.
    pub(super) links: Vec<Link>,
    /// The first of its fields that is unsupported.
    pub(super) fault: Option<String>,
}

impl Network {
    /// Without its keys; or why it cannot be read.
    pub(super) fn read(nad: &Value, namespace: String) -> Result<Self, Fault> {
        Ok(Self {
            namespace,
            name: name_of(nad),
            pool: pool(nad),
            links: chain::of(nad)?,
            fault: None,
        })
    }

    /// Whether one of its plugins is this driver's.
    pub(super) fn is_ours(&self) -> bool {
        self.links.iter().any(|link| is_ours(link.kind()))
    }

    fn summary(&self) -> String {
        match &self.pool {
            Some(pool) => format!("{}; pool {pool}", self.kinds()),
            None => self.kinds(),
        }
    }

    /// Its plugins' names.
    pub(super) fn kinds(&self) -> String {
        let kinds: Vec<&str> = self.links.iter().map(Link::kind).collect();
        kinds.join(", ")
    }
}

/// Whether it is a plugin of this driver, or a wrong name of one.
pub(super) fn is_ours(kind: &str) -> bool {
    ["sriov", "ib-sriov", "sriov-cni"].contains(&kind)
}

/// The pool that the annotation names; without a prefix it is no pool's name.
pub(super) fn pool(nad: &Value) -> Option<PoolName> {
    let text = nad["metadata"]["annotations"][RESOURCE].as_str()?;
    let (prefix, name) = text.split_once('/')?;
    Some(PoolName {
        prefix: prefix.to_owned(),
        name: name.to_owned(),
    })
}

impl Conversion<'_> {
    /// The pools that the networks of SR-IOV plugins name.
    pub(super) fn pools_of_networks(&mut self, objects: &[Object]) {
        for nad in objects.iter().flat_map(nads) {
            let network = Network::read(nad, String::new()).ok();
            if let Some(pool) = network.filter(Network::is_ours).and_then(|it| it.pool) {
                self.pools.named(pool);
            }
        }
    }

    /// Reports every network.
    pub(super) fn networks(&mut self, objects: &[Object]) {
        for object in objects {
            for nad in nads(object) {
                self.network(object, nad);
            }
            if let Content::CniFile(config) = &object.content {
                self.cni_file(object, config);
            }
        }
    }

    fn network(&mut self, object: &Object, nad: &Value) {
        let key = (self.namespace(namespace_of(nad)), name_of(nad));
        let mark = self.report.rows.len();
        let network = match Network::read(nad, key.0.clone()) {
            Ok(mut network) => {
                let in_pool = network.pool.as_ref().filter(|pool| self.pools.has(pool));
                if !network.is_ours() && in_pool.is_none() {
                    *self.report.unrelated.entry(kind(object)).or_default() += 1;
                    self.networks.insert(key, Ok(network));
                    return;
                }
                network.fault = match self.options.native && network.is_ours() {
                    true => {
                        let fault = self.quietly(|it| it.as_it_is(object, nad, &network));
                        self.read_native(object, nad, &network);
                        fault
                    }
                    false => self.as_it_is(object, nad, &network),
                };
                Ok(network)
            }
            Err(fault) => {
                let mut section = self.report.section(object);
                section.unsupported("config", fault.0.as_str(), &fault.1, fault.2);
                Err(self.report.fault_since(mark).unwrap_or_default())
            }
        };
        let what = network.as_ref().map(Network::summary).unwrap_or_default();
        self.report.summary(object, Outcome::Unchanged, &what);
        self.networks.insert(key, network);
    }

    /// Reports whether it is served unchanged. Returns the first of its fields that is not.
    fn as_it_is(&mut self, object: &Object, nad: &Value, network: &Network) -> Option<String> {
        let mark = self.report.rows.len();
        let multus_dra = self.options.multus_dra;
        network.judge(&mut self.report.section(object), nad, multus_dra);
        self.judge_pool(object, network);
        let text = nad["spec"]["config"].as_str().unwrap_or_default();
        if network.is_ours()
            && self.report.fault_since(mark).is_none()
            && let Err(why) = definition::check(&network.name, text)
        {
            let mut section = self.report.section(object);
            section.unsupported("config", text, &why, "the CNI plugin refuses it: fix it");
        }
        self.report.fault_since(mark)
    }

    /// Without its rows.
    fn quietly<T>(&mut self, judge: impl FnOnce(&mut Self) -> T) -> T {
        let report = std::mem::take(&mut self.report);
        let result = judge(self);
        self.report = report;
        result
    }

    /// Reports what the network's pool makes of it.
    pub(super) fn judge_pool(&mut self, object: &Object, network: &Network) {
        let Some(pool) = network.pool.as_ref().filter(|_| network.is_ours()) else {
            return;
        };
        let mut section = self.report.section(object);
        if !self.pools.is_defined(pool) {
            let at = format!("annotations[{RESOURCE}]");
            let what = "no config.json in the input defines this pool";
            let remedy = "add it: without one, no device is in this pool";
            section.warning(&at, pool.to_string(), what, remedy);
        }
        if self.pools.netdevs(pool) != Netdevs::None {
            return;
        }
        for link in &network.links {
            let ipam = any_case::get(&link.plugin, "ipam");
            if any_case::text(ipam, "type") == "dhcp" {
                let at = format!("{}.ipam.type", link.at);
                let what = "needs an interface to ask through, and devices of this pool have none";
                section.unsupported(&at, "dhcp", what, "use another IPAM plugin, or none");
            }
        }
    }

    /// A configuration of its own, without a pool.
    fn cni_file(&mut self, object: &Object, config: &Value) {
        let links = chain::links(config).unwrap_or_default();
        if !links.iter().any(|link| is_ours(link.kind())) {
            *self.report.unrelated.entry(kind(object)).or_default() += 1;
            return;
        }
        let mut section = self.report.section(object);
        for link in &links {
            judge_link(&mut section, link);
        }
        self.report
            .summary(object, Outcome::Unchanged, "CNI configuration");
    }
}

impl Network {
    fn judge(&self, section: &mut Section<'_>, nad: &Value, multus_dra: bool) {
        let mut needs: Vec<&Link> = Vec::new();
        for link in &self.links {
            if judge_link(section, link) {
                needs.push(link);
            }
        }
        if !self.is_ours() {
            needs.extend(self.links.first());
        }
        if self.is_ours() {
            self.judge_device(section, nad);
        }
        for link in needs {
            let (at, kind) = (format!("{}.type", link.at), link.kind());
            let what = format!("{kind} {NEEDS}");
            match multus_dra {
                true => {
                    section.warning(&at, kind, &what, "keep a Multus that reads ResourceSlices")
                }
                false => section.unsupported(&at, kind, &what, NO_DEVICE_ID),
            }
        }
    }

    /// Reports a network of this driver that names no device.
    fn judge_device(&self, section: &mut Section<'_>, nad: &Value) {
        let at = format!("annotations[{RESOURCE}]");
        let text = nad["metadata"]["annotations"][RESOURCE].as_str();
        let fixed = |link: &Link| !any_case::text(&link.plugin, "deviceID").is_empty();
        match (text, &self.pool) {
            (Some(text), None) => {
                let what = "not prefix/name, so no pool: the plugin takes a device of a claim";
                section.warning(&at, text, what, "name a pool, if it is meant to be one");
            }
            (None, _) if !self.links.iter().any(fixed) => {
                let what =
                    "not set, so the network has no device: the Go plugin refuses it as well";
                section.unsupported(&at, "", what, "name the pool");
            }
            _ => {}
        }
    }
}

/// Returns whether Multus has to pass the device to the plugin.
fn judge_link(section: &mut Section<'_>, link: &Link) -> bool {
    match link.kind() {
        "sriov" | "ib-sriov" => netconf::judge(section, link),
        "sriov-cni" => {
            let at = format!("{}.type", link.at);
            let what = "there is no plugin of this name";
            section.unsupported(&at, "sriov-cni", what, "write sriov");
        }
        _ => return netconf::chained(section, link),
    }
    false
}

fn nads(object: &Object) -> &[Value] {
    match &object.content {
        Content::Networks(nads) => nads,
        _ => &[],
    }
}

/// `Pod` of `Pod default/upf`.
pub(super) fn kind(object: &Object) -> String {
    let kind = object.name.split(' ').next().unwrap_or_default();
    kind.to_owned()
}
