//! Pods and objects with pod templates. A pod with extended resources only is left unchanged; a pod
//! with SR-IOV networks of Multus gets claims in place of networks and limits.

mod containers;
mod edit;
mod selection;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Conversion,
    annotation::{self, NETWORKS, Selection},
    fields::Fields,
    input::{Content, Object, name_of, namespace_of},
    objects::{Request, label, template},
};
use crate::{classes::Class, pool::PoolName};
use containers::Demand;

impl Conversion<'_> {
    pub(super) fn workloads(&mut self, objects: &[Object]) {
        for object in objects {
            if let Content::Workload(document, pod) = &object.content {
                self.workload(object, document, pod);
            }
        }
    }

    fn workload(&mut self, object: &Object, document: &Value, pod: &'static str) {
        let mut plan = Plan::new(namespace_of(document), name_of(document));
        let pod_now = document.pointer(pod).unwrap_or(&Value::Null);
        plan.demand = containers::demand(pod_now, &self.pools);
        self.unknown_resources(object, pod_now);
        self.select_networks(object, pod_now, &mut plan);
        if self.options.claims {
            self.claim_remaining(&mut plan);
        }
        if plan.requests.is_empty() {
            return self.leave_unchanged(object, &plan);
        }
        self.report_remaining(object, &plan);
        self.warn_shared_variables(object, &plan);
        self.suggest_numa_template(object, &plan, &plan.requests);
        self.templates.push(template(
            &plan.namespace,
            &plan.template(),
            &plan.requests,
            false,
        ));
        self.workloads.push(edit::edited(document, pod, &plan));
    }

    /// Converts SR-IOV networks to requests and leaves the others to Multus.
    fn select_networks(&mut self, object: &Object, pod: &Value, plan: &mut Plan) {
        let Some(text) = pod["metadata"]["annotations"][NETWORKS].as_str() else {
            return;
        };
        let selections = match annotation::parse(text, &plan.namespace) {
            Ok(selections) => selections,
            Err(why) => {
                return self
                    .report
                    .section(object)
                    .unsupported(&at(NETWORKS), text, &why, "");
            }
        };
        for (index, selection) in selections.into_iter().enumerate() {
            let at = format!("networks[{index}]");
            let known = self
                .networks
                .get_mut(&(selection.namespace.clone(), selection.name.clone()));
            let path = format!("{}/{}", selection.namespace, selection.name);
            let mut section = self.report.section(object);
            match known {
                Some(Some(network)) => {
                    let container = plan.take_device(network.pool.as_ref(), pod);
                    let driver = &self.options.driver;
                    let mut request = selection::request(
                        &mut section,
                        &at,
                        &selection,
                        network,
                        driver,
                        container,
                    );
                    request.name = plan.unused_name(&request.name);
                    section.ok(
                        &at,
                        path,
                        &format!("request {} of DeviceClass {}", request.name, request.class),
                    );
                    // Updated for every pod: each can allow further fields in claims.
                    self.classes
                        .insert(request.class.clone(), network.class(driver));
                    plan.requests.push(request);
                    plan.converted.push((selection.namespace, selection.name));
                    continue;
                }
                Some(None) => section.ok(&at, path, "left to Multus"),
                None => {
                    let remedy = "add its file to the input; until then it is left to Multus";
                    section.unsupported(
                        &at,
                        path,
                        "NetworkAttachmentDefinition not found in the input",
                        remedy,
                    );
                }
            }
            plan.left_to_multus.push(selection);
        }
    }

    /// Converts the remaining limits to requests.
    fn claim_remaining(&mut self, plan: &mut Plan) {
        for demand in std::mem::take(&mut plan.demand) {
            let class = Class::of_pool(&demand.pool, &self.options.driver);
            let name =
                plan.unused_name(&label(&demand.pool.name).unwrap_or_else(|| "net".to_owned()));
            plan.requests.push(Request {
                name,
                class: class.name.clone(),
                count: demand.count,
                fields: Fields::new(&self.options.driver),
                container: demand.container,
            });
            plan.pools.push((demand.pool, demand.count));
            self.add_class(class);
        }
    }

    /// Reports a pod that needs no change.
    fn leave_unchanged(&mut self, object: &Object, plan: &Plan) {
        for demand in &plan.demand {
            self.add_class(Class::of_pool(&demand.pool, &self.options.driver));
        }
        let mut section = self.report.section(object);
        for demand in &plan.demand {
            let at = format!("{}.limits[{}]", demand.container, demand.pool);
            section.ok(
                &at,
                demand.count.to_string(),
                "left unchanged: its DeviceClass has this extendedResourceName",
            );
        }
        if plan.demand.is_empty() {
            section.ok("", "", "requests no known SR-IOV device: left unchanged");
            return;
        }
        let mut claimed = plan.clone();
        self.claim_remaining(&mut claimed);
        self.suggest_numa_template(object, &claimed, &claimed.requests);
    }

    /// The device plugin gave topology hints to the kubelet's Topology Manager. A claim can require
    /// one NUMA node itself: generates a template for that.
    fn suggest_numa_template(&mut self, object: &Object, plan: &Plan, requests: &[Request]) {
        let devices: u64 = requests.iter().map(|request| request.count).sum();
        let mut section = self.report.section(object);
        let what = "the kubelet's Topology Manager gets no hints for these devices";
        if plan
            .pools
            .iter()
            .any(|(pool, _)| self.without_numa.contains(pool))
        {
            return section.ok(
                "topology",
                "",
                "a pool has excludeTopology: its devices were not aligned before",
            );
        }
        if devices < 2 {
            let remedy = "to align it with other devices, request them in one claim with matchAttribute numaNode";
            return section.warning("topology", "", what, remedy);
        }
        let name = format!("{}-numa", plan.template());
        let remedy = format!("use ResourceClaimTemplate {name} to allocate them on one NUMA node");
        section.warning("topology", format!("{devices} devices"), what, &remedy);
        self.templates
            .push(template(&plan.namespace, &name, requests, true));
    }

    /// Several requests for one pool set the same environment variable: the last one overrides it.
    fn warn_shared_variables(&mut self, object: &Object, plan: &Plan) {
        let times = |pool: &PoolName| plan.pools.iter().filter(|(other, _)| other == pool).count();
        let several: BTreeSet<&PoolName> = plan
            .pools
            .iter()
            .map(|(pool, _)| pool)
            .filter(|pool| times(pool) > 1)
            .collect();
        for pool in several {
            let value = format!("{} requests", times(pool));
            let what =
                "a container with several of these requests gets the devices of one of them only";
            let remedy = "read SRIOV_DRA_<REQUEST>, or the device metadata";
            self.report
                .section(object)
                .warning(&pool.variable(), value, what, remedy);
        }
    }

    /// Reports limits that remain because no network uses them.
    fn report_remaining(&mut self, object: &Object, plan: &Plan) {
        for demand in &plan.demand {
            self.add_class(Class::of_pool(&demand.pool, &self.options.driver));
            let at = format!("{}.limits[{}]", demand.container, demand.pool);
            let what = "more devices than networks: the rest remain extended resources and are attached as net<n>";
            let mut section = self.report.section(object);
            section.warning(
                &at,
                demand.count.to_string(),
                what,
                "remove them if they were only for the networks",
            );
        }
    }

    fn unknown_resources(&mut self, object: &Object, pod: &Value) {
        let mut section = self.report.section(object);
        for (container, resource, value) in containers::others(pod, &self.pools) {
            let what = "not in a known pool: left unchanged";
            let remedy = "if it is an SR-IOV pool, add its config.json to the input";
            section.warning(
                &format!("{container}.limits[{resource}]"),
                &value,
                what,
                remedy,
            );
        }
    }
}

/// How a workload is converted.
#[derive(Debug, Clone)]
struct Plan {
    namespace: String,
    name: String,
    requests: Vec<Request>,
    /// Networks that are converted to requests.
    converted: Vec<(String, String)>,
    /// Networks that are left to Multus.
    left_to_multus: Vec<Selection>,
    /// Limits that remain.
    demand: Vec<Demand>,
    /// Devices removed from the limits: pool and number.
    pools: Vec<(PoolName, u64)>,
}

impl Plan {
    fn new(namespace: String, name: String) -> Self {
        let (requests, converted, left_to_multus, demand, pools) = Default::default();
        Self {
            namespace,
            name,
            requests,
            converted,
            left_to_multus,
            demand,
            pools,
        }
    }

    fn template(&self) -> String {
        format!("{}-devices", self.name)
    }

    /// Takes one device of the pool out of the limits and returns the container that had it.
    /// Without such a limit it is the first container, to which the network resources injector
    /// would have added one.
    fn take_device(&mut self, pool: Option<&PoolName>, pod: &Value) -> String {
        let demand = self
            .demand
            .iter_mut()
            .find(|demand| Some(&demand.pool) == pool);
        if let Some(pool) = pool {
            self.pools.push((pool.clone(), 1));
        }
        let Some(demand) = demand else {
            return containers::first(pod);
        };
        demand.count -= 1;
        let container = demand.container.clone();
        self.demand.retain(|demand| demand.count > 0);
        container
    }

    /// The name, with a number if another request has it.
    fn unused_name(&self, name: &str) -> String {
        let taken = |name: &str| self.requests.iter().any(|request| request.name == name);
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        std::iter::once(name.to_owned())
            .chain(numbered)
            .find(|name| !taken(name))
            .unwrap_or_default()
    }
}

fn at(annotation: &str) -> String {
    format!("annotations[{annotation}]")
}
