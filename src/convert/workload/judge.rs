//! The rows of a pod that stays as it is.

use serde_json::Value;

use super::{
    Pod, Selected,
    containers::{self, Demand},
};
use crate::{
    convert::{
        Conversion,
        annotation::is_of_others,
        input::Object,
        network::{is_ours, kind},
        places,
        pools::Netdevs,
        report::Section,
    },
    pool::PoolName,
};

/// Kinds that may name a pool without a pod: they describe it, or what there was.
const NAMING: [&str; 9] = [
    "ConfigMap",
    "ControllerRevision",
    "CustomResourceDefinition",
    "DeviceClass",
    "LimitRange",
    "Node",
    "ResourceClaim",
    "ResourceClaimTemplate",
    "ResourceSlice",
];

/// What to do about what the API server refuses, with a device plugin too.
pub(in crate::convert) const REFUSED: &str = "the API server refuses it: fix it";
const ADD: &str = "add it to the input: kubectl get network-attachment-definitions -A -o yaml";

impl Conversion<'_> {
    /// Reports a pod. Returns the pools and SR-IOV networks that it uses.
    pub(super) fn judge(&mut self, object: &Object, pod: &Pod) -> Vec<String> {
        let pools = pod.pools(&self.pools);
        let others = containers::others(&pod.place.pod, &self.pools);
        let mut rows = Rows {
            section: self.report.section(object),
            pod,
            faults: 0,
        };
        for demand in &pod.demand {
            let facts = self.pools.facts(&demand.pool);
            rows.pool(demand, facts.and_then(|facts| facts.fault.as_deref()));
        }
        let before = rows.faults;
        rows.odd_annotations();
        let unknown = self.pools.is_empty() && !others.is_empty();
        for selected in &pod.networks {
            rows.network(selected, unknown || !pools.is_empty());
        }
        let blocked = rows.faults > before;
        rows.odd_amounts(&self.pools);
        if !pools.is_empty() {
            rows.differences(&self.pools);
        } else if unknown {
            rows.unknown(&others);
        }
        for pool in pools.iter().filter(|_| blocked) {
            self.block(pool, object);
        }
        let networks = pod.networks.iter().filter(|it| is_sriov(it));
        let networks = networks.map(|it| format!("network {}", it.path()));
        let pools = pools.iter().map(ToString::to_string);
        pools.chain(networks).collect()
    }

    /// Notes that an object cannot use the pool.
    pub(super) fn block(&mut self, pool: &PoolName, object: &Object) {
        let names = self.blocked.entry(pool.clone()).or_default();
        if !names.contains(&object.name) {
            names.push(object.name.clone());
        }
    }

    /// An object of another kind that names a pool or asks for networks all the same.
    pub(super) fn other(&mut self, object: &Object, document: &Value) {
        let is_pool = |text: &str| self.pools.by_resource(text).is_some();
        let mentions = match NAMING.contains(&&*kind(object)) {
            true => None,
            false => places::mentions(document, &is_pool),
        };
        let Some((at, value)) = mentions else {
            *self.report.unrelated.entry(kind(object)).or_default() += 1;
            return;
        };
        let what = "not in a pod or pod template, so it is not looked at";
        let remedy = "convert the pods that are made from it";
        self.report
            .section(object)
            .warning(&at, value.as_str(), what, remedy);
        self.report
            .summary(object, crate::convert::Outcome::Unchanged, "");
    }
}

fn is_sriov(selected: &Selected) -> bool {
    let links = selected.known().map(|network| network.links.as_slice());
    links.is_some_and(|links| links.iter().any(|link| is_ours(link.kind())))
}

struct Rows<'a> {
    section: Section<'a>,
    pod: &'a Pod,
    faults: usize,
}

impl Rows<'_> {
    fn refuse(&mut self, field: &str, value: &str, what: &str, remedy: &str) {
        self.faults += 1;
        self.section.unsupported(field, value, what, remedy);
    }

    /// Resources, where no pool is known.
    fn unknown(&mut self, resources: &[String]) {
        for resource in resources {
            let what = "of no pool in the input";
            let remedy = "if it is an SR-IOV pool, add its config.json to the input";
            self.section
                .warning("limits", resource.as_str(), what, remedy);
        }
    }

    fn odd_annotations(&mut self) {
        for (key, text, why) in &self.pod.odd {
            let at = format!("{}annotations[{key}]", self.pod.at);
            self.refuse(&at, text, why, "Multus refuses it as well: fix it");
        }
        for (key, value) in self.pod.annotations().filter(|(key, _)| is_of_others(key)) {
            let at = format!("{}annotations[{key}]", self.pod.at);
            let what = "may add networks, which are not looked at";
            let remedy = "convert the networks that it names, and see whether they are supported";
            self.section.warning(&at, value, what, remedy);
        }
    }

    fn pool(&mut self, demand: &Demand, fault: Option<&str>) {
        if let Some(fault) = fault {
            let at = format!("{}limits[{}]", self.pod.at, demand.pool);
            let count = demand.count.to_string();
            self.refuse(&at, &count, fault, "see the pool");
        }
    }

    /// A network, of a pod that gets devices.
    fn network(&mut self, selected: &Selected, concerned: bool) {
        let (at, path) = (&selected.at, selected.path());
        match &selected.network {
            None if concerned => self.refuse(at, &path, "not in the input", ADD),
            None => self.section.warning(at, path, "not in the input", ADD),
            Some(Err(fault)) if concerned => self.refuse(at, &path, fault, "see the network"),
            Some(Ok(network)) => {
                if let Some(fault) = &network.fault {
                    self.refuse(at, &path, fault, "see the network");
                }
            }
            Some(Err(_)) => {}
        }
    }

    fn odd_amounts(&mut self, pools: &super::Pools) {
        for odd in containers::odd_amounts(&self.pod.place.pod, pools) {
            let at = format!("{}{}", self.pod.at, odd.at);
            self.refuse(&at, &odd.value.to_string(), odd.why, REFUSED);
        }
    }

    /// What is not as with the device plugin.
    fn differences(&mut self, pools: &super::Pools) {
        let numa = |pool: &&PoolName| !pools.facts(pool).is_some_and(|facts| facts.without_numa);
        let used = self.pod.pools(pools);
        if used.iter().any(|pool| numa(&pool)) {
            let what = "the kubelet's TopologyManager gets no hints for devices of DRA";
            let remedy = "where devices must be on one NUMA node, use a claim: --native --claims writes its template";
            self.section.warning("topology", "", what, remedy);
        }
        for pool in &used {
            if self.is_attached_anew(pool, pools) {
                let what =
                    "the VF is attached as net<n>; the device plugin alone leaves it on the host";
                let remedy = "nothing, if that is what it is for; or a network that names the pool";
                self.section
                    .warning("limits", pool.to_string(), what, remedy);
            }
            self.shared(pool);
        }
        if containers::has_claims(&self.pod.place.pod, &self.pod.demand) {
            let what = "a container has limits and claims: PCIDEVICE_… of a pool in both has all devices only with NRI";
            let remedy = "enable NRI, or read SRIOV_DRA_<REQUEST>";
            self.section.warning("claims", "", what, remedy);
        }
    }

    /// Whether a netdev comes into the pod that did not before.
    fn is_attached_anew(&self, pool: &PoolName, pools: &super::Pools) -> bool {
        let host = self.pod.place.pod["spec"]["hostNetwork"] == true;
        let mut networks = self.pod.networks.iter();
        let by_network = networks.any(|selected| {
            let network = selected.known();
            network.is_none_or(|network| network.pool.as_ref() == Some(pool))
        });
        let by_others = self.pod.annotations().any(|(key, _)| is_of_others(key));
        let limits = self.pod.demand.iter().any(|demand| demand.pool == *pool);
        let netdevs = pools.netdevs(pool) == Netdevs::All;
        limits && netdevs && !host && !by_network && !by_others && self.pod.odd.is_empty()
    }

    /// Devices of init containers are not taken again for the others, as device plugins' are.
    fn shared(&mut self, pool: &PoolName) {
        let of_pool = |init: bool| {
            let mut demand = self.pod.demand.iter();
            demand.any(|it| it.pool == *pool && it.init == init)
        };
        if of_pool(true) && of_pool(false) {
            let what = "an init container and another one get devices of their own; the device plugin gave both the same";
            let remedy = "where they must share one, use a claim: --native writes it";
            self.section
                .warning("initContainers", pool.to_string(), what, remedy);
        }
    }
}
