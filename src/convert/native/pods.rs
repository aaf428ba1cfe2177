//! Pods with SR-IOV networks of Multus get claims in place of networks and limits. A pod of which
//! any part cannot be rewritten is left as it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    defaults::Defaults,
    edit,
    fields::{Fields, MULTUS},
    objects::{Request, label, template},
    plan::Plan,
    selection,
};
use crate::{
    classes::Class,
    convert::{
        Conversion, Outcome, Verdict,
        annotation::is_of_others,
        input::{Object, name_of},
        pools::Netdevs,
        workload::{
            Pod, Selected,
            containers::{self, first},
            judge::REFUSED,
        },
    },
    pool::PoolName,
};

/// Kinds whose pods are rewritten: the API server keeps claims in them. The definition of another
/// kind may be older than claims, and then drop them without a word.
const KINDS: [&str; 9] = [
    "Pod",
    "PodTemplate",
    "Deployment",
    "DaemonSet",
    "StatefulSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
];

const KEPT: &str = "left as it is";

impl Conversion<'_> {
    /// Rewrites the pods of an object. False: they stay as they are.
    pub(in crate::convert) fn rewrite(
        &mut self,
        object: &Object,
        document: &Value,
        pods: &[Pod],
    ) -> bool {
        let wanted = |pod: &Pod| self.is_wanted(pod);
        if !self.options.native || !pods.iter().any(wanted) || self.stays(object, document) {
            return false;
        }
        let mark = self.report.rows.len();
        let mut edited = document.clone();
        let mut plans = Vec::new();
        let wanted: Vec<&Pod> = pods.iter().filter(|pod| self.is_wanted(pod)).collect();
        for pod in wanted {
            let suffix = match pods.len() {
                1 => String::new(),
                _ => format!("-{}", owner_of(&pod.place.pointer)),
            };
            let name = format!("{}{suffix}-devices", name_of(document));
            let name = self.unused_template(&pod.namespace, name, &plans);
            let plan = self.plan(object, pod, name);
            edited = edit::edited(&edited, &pod.place.pointer, &plan);
            plans.push(plan);
        }
        if self.report.fault_since(mark).is_some() && !self.options.force {
            // It stays as it is, and is judged so.
            let attempt = self.report.rows.split_off(mark);
            let faults = attempt.into_iter();
            let faults = faults.filter(|row| row.verdict == Verdict::Unsupported);
            self.report.rows.extend(faults);
            return false;
        }
        for plan in &plans {
            self.write(object, plan);
        }
        self.workloads.push(edited);
        let names: Vec<&str> = plans.iter().map(|plan| plan.template.as_str()).collect();
        let what = format!("ResourceClaimTemplate {}", names.join(", "));
        self.report.summary(object, Outcome::Changed, &what);
        true
    }

    /// The name, with a number if another pod's template has it: of a Deployment and a StatefulSet
    /// with one name, say.
    fn unused_template(&self, namespace: &str, name: String, plans: &[Plan]) -> String {
        let names = |it: &Value| {
            let metadata = &it["metadata"];
            let text = |key: &str| metadata[key].as_str().unwrap_or_default().to_owned();
            (text("namespace"), text("name"))
        };
        let here = plans.iter();
        let here = here.map(|plan| (plan.namespace.clone(), plan.template.clone()));
        let taken: BTreeSet<(String, String)> =
            self.templates.iter().map(names).chain(here).collect();
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| !taken.contains(&(namespace.to_owned(), name.clone())))
            .unwrap_or_default()
    }

    fn is_wanted(&self, pod: &Pod) -> bool {
        let ours = |selected: &Selected| {
            let network = selected.known();
            network.is_some_and(|network| network.is_ours())
        };
        pod.networks.iter().any(ours) || self.options.claims && !pod.demand.is_empty()
    }

    /// Reports why an object is not rewritten at all, though its pods could be.
    fn stays(&mut self, object: &Object, document: &Value) -> bool {
        let kind = document["kind"].as_str().unwrap_or_default();
        let owners = document["metadata"]["ownerReferences"].as_array();
        let owner = owners.and_then(|owners| {
            let mut owners = owners.iter();
            owners.find(|owner| owner["controller"] == true)
        });
        let (what, remedy) = match owner {
            Some(owner) => (
                format!(
                    "{KEPT}: a {} has made it",
                    owner["kind"].as_str().unwrap_or("controller")
                ),
                "convert that",
            ),
            None if !KINDS.contains(&kind) && !self.options.force => (
                format!(
                    "{KEPT}: the definition of {kind} may not have claims, and then drops them"
                ),
                "if it has them: --force",
            ),
            None => return false,
        };
        self.report.section(object).warning("", "", &what, remedy);
        true
    }

    fn plan(&mut self, object: &Object, pod: &Pod, template: String) -> Plan {
        let mut plan = Plan::new(pod.namespace.clone(), template, pod.demand.clone());
        let mut section = self.report.section(object);
        for (key, text, why) in &pod.odd {
            let at = format!("{}annotations[{key}]", pod.at);
            section.unsupported(&at, text.as_str(), why, "Multus refuses it as well: fix it");
        }
        for (key, value) in pod.annotations().filter(|(key, _)| is_of_others(key)) {
            let at = format!("{}annotations[{key}]", pod.at);
            section.warning(&at, value, "may add networks, which are not looked at", "");
        }
        for odd in containers::odd_amounts(&pod.place.pod, &self.pools) {
            let at = format!("{}{}", pod.at, odd.at);
            section.unsupported(&at, &odd.value, odd.why, REFUSED);
        }
        for selected in &pod.networks {
            self.demand(object, pod, selected, &mut plan);
        }
        let pools = plan.pools.clone();
        let left = plan
            .demand
            .iter()
            .any(|demand| pools.contains(&demand.pool));
        if left || self.options.claims {
            self.claim_remaining(object, &mut plan, left);
        }
        self.check_pools(object, pod);
        self.several(object, &plan);
        plan
    }

    /// Converts a network to a request, or leaves it to Multus.
    fn demand(&mut self, object: &Object, pod: &Pod, selected: &Selected, plan: &mut Plan) {
        let (at, path) = (&selected.at, selected.path());
        let mut section = self.report.section(object);
        let network = match &selected.network {
            None => {
                let remedy =
                    "add it to the input: kubectl get network-attachment-definitions -A -o yaml";
                return section.unsupported(at, path, "not in the input", remedy);
            }
            Some(Err(fault)) => return section.unsupported(at, path, fault, "see the network"),
            Some(Ok(network)) => network,
        };
        let key = (network.namespace.clone(), network.name.clone());
        let native = self.natives.get_mut(&key);
        let fault = match &native {
            Some(native) => &native.fault,
            None => &network.fault,
        };
        if let Some(fault) = fault {
            section.unsupported(at, path.as_str(), fault, "see the network");
        }
        let Some(native) = native else {
            plan.left_to_multus.push(selected.selection.clone());
            return;
        };
        if selected.at.ends_with("default-network") {
            let what = "a claim's interface is beside eth0, not in place of it";
            return section.unsupported(at, path, what, MULTUS);
        }
        let netdevs = match &native.pool {
            Some(pool) => self.pools.netdevs(pool),
            None => Netdevs::Unknown,
        };
        let containers = plan.take_device(native.pool.as_ref(), first(&pod.place.pod));
        let driver = &self.options.driver;
        let mut request =
            selection::request(&mut section, selected, native, netdevs, driver, containers);
        request.name = plan.unused_name(&request.name);
        let routes = request.fields.value("routes").cloned().unwrap_or_default();
        let defaults = native.defaults.and(Defaults::of_routes(&routes));
        let mut others = plan.defaults.iter();
        if let Some((other, _)) = others.find(|(_, of_other)| defaults.clash(*of_other)) {
            let what =
                format!("{other} has a default route too, and only one of them would be in effect");
            section.unsupported(at, path.as_str(), &what, MULTUS);
        }
        plan.defaults.push((path.clone(), defaults));
        let what = format!("request {} of DeviceClass {}", request.name, request.class);
        section.ok(at, path, &what);
        plan.requests.push(request);
        let Selected { selection, .. } = selected;
        plan.converted
            .push((selection.namespace.clone(), selection.name.clone()));
        plan.natives.push(key);
    }

    /// Converts the remaining limits to requests.
    fn claim_remaining(&mut self, object: &Object, plan: &mut Plan, beside_networks: bool) {
        let only: Vec<PoolName> = plan.pools.clone();
        while let Some((demand, containers)) =
            plan.take_limit(|pool| self.options.claims || only.contains(pool))
        {
            let class = Class::of_pool(&demand.pool, &self.options.driver);
            let name =
                plan.unused_name(&label(&demand.pool.name).unwrap_or_else(|| "net".to_owned()));
            if beside_networks && self.pools.netdevs(&demand.pool) != Netdevs::None {
                let at = format!("limits[{}]", demand.pool);
                let what = "more devices than networks: the rest are attached as net<n>";
                let remedy = "remove them if they were only for the networks";
                let count = demand.count.to_string();
                self.report
                    .section(object)
                    .warning(&at, count, what, remedy);
            }
            plan.requests.push(Request {
                name,
                class: class.name.clone(),
                count: demand.count,
                fields: Fields::new(&self.options.driver),
                containers,
            });
        }
    }

    fn check_pools(&mut self, object: &Object, pod: &Pod) {
        for pool in pod.pools(&self.pools) {
            let fault = self
                .pools
                .facts(&pool)
                .and_then(|facts| facts.fault.clone());
            if let Some(fault) = fault {
                let at = format!("{}limits[{pool}]", pod.at);
                self.report
                    .section(object)
                    .unsupported(&at, "", &fault, "see the pool");
            }
        }
    }

    /// Several requests of one pool set the same variable.
    fn several(&mut self, object: &Object, plan: &Plan) {
        let mut times: BTreeMap<&PoolName, usize> = BTreeMap::new();
        for pool in &plan.pools {
            *times.entry(pool).or_default() += 1;
        }
        for (pool, _) in times.into_iter().filter(|(_, times)| *times > 1) {
            let what = "several requests of one pool in a container: the variable has all devices only with NRI";
            let remedy = "enable NRI, or read SRIOV_DRA_<REQUEST>";
            let mut section = self.report.section(object);
            section.warning(&pool.variable(), "", what, remedy);
        }
    }

    /// The classes and the template of a plan.
    fn write(&mut self, object: &Object, plan: &Plan) {
        for key in &plan.natives {
            if let Some(network) = self.natives.get_mut(key) {
                network.used = true;
                let class = network.class(&self.options.driver);
                // Updated for every pod: each can allow further fields in claims.
                self.classes.insert(class.name.clone(), class);
            }
        }
        self.templates.push(template(
            &plan.namespace,
            &plan.template,
            &plan.requests,
            false,
        ));
        self.numa(object, plan);
    }

    /// The device plugin gave topology hints to the kubelet's Topology Manager. A claim can require
    /// one NUMA node itself: generates a template for that.
    fn numa(&mut self, object: &Object, plan: &Plan) {
        let devices: u64 = plan.requests.iter().map(|request| request.count).sum();
        let without = |pool: &PoolName| {
            let facts = self.pools.facts(pool);
            facts.is_some_and(|facts| facts.without_numa)
        };
        if plan.pools.iter().any(without) {
            return;
        }
        let what = "the kubelet's TopologyManager gets no hints for devices of DRA";
        let mut section = self.report.section(object);
        if devices < 2 {
            let remedy = "to align it with other devices, request them in one claim with matchAttribute numaNode";
            return section.warning("topology", "", what, remedy);
        }
        let name = format!("{}-numa", plan.template);
        let remedy = format!("use ResourceClaimTemplate {name} to allocate them on one NUMA node");
        section.warning("topology", format!("{devices} devices"), what, &remedy);
        self.templates
            .push(template(&plan.namespace, &name, &plan.requests, true));
    }
}

/// `worker` of `/spec/mpiReplicaSpecs/Worker/template`.
fn owner_of(pointer: &str) -> String {
    let parts = pointer.trim_end_matches("/template").rsplit('/');
    let name = parts.map(label).find_map(|name| name);
    name.unwrap_or_default()
}
