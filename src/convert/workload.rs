//! Pods, and what makes pods. One that asks by extended resources alone stays as it is; one with SR-IOV networks of
//! Multus gets claims in place of its networks and limits.

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

    /// The networks that become requests, and those that stay with Multus.
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
                    // Again for every pod: each may have set more.
                    self.classes
                        .insert(request.class.clone(), network.class(driver));
                    plan.requests.push(request);
                    plan.converted.push((selection.namespace, selection.name));
                    continue;
                }
                Some(None) => section.ok(&at, path, "stays with Multus"),
                None => {
                    let remedy = "give its file too; until then it stays with Multus";
                    section.unsupported(
                        &at,
                        path,
                        "this NetworkAttachmentDefinition is not among the inputs",
                        remedy,
                    );
                }
            }
            plan.left_to_multus.push(selection);
        }
    }

    /// What is left of the limits, as requests.
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

    /// Nothing has to be edited.
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
                "stays as it is: its DeviceClass has this extendedResourceName",
            );
        }
        if plan.demand.is_empty() {
            section.ok(
                "",
                "",
                "asks for no SR-IOV device that is known here: stays as it is",
            );
            return;
        }
        let mut claimed = plan.clone();
        self.claim_remaining(&mut claimed);
        self.suggest_numa_template(object, &claimed, &claimed.requests);
    }

    /// The device plugin gave the kubelet's TopologyManager hints. A claim can say it itself.
    fn suggest_numa_template(&mut self, object: &Object, plan: &Plan, requests: &[Request]) {
        let devices: u64 = requests.iter().map(|request| request.count).sum();
        let mut section = self.report.section(object);
        let what = "the kubelet's TopologyManager gets no hints of these devices";
        if plan
            .pools
            .iter()
            .any(|(pool, _)| self.without_numa.contains(pool))
        {
            return section.ok(
                "topology",
                "",
                "a pool has excludeTopology: nothing was aligned before",
            );
        }
        if devices < 2 {
            let remedy = "to align it with others, put their requests into one claim with matchAttribute numaNode";
            return section.warning("topology", "", what, remedy);
        }
        let name = format!("{}-numa", plan.template());
        let remedy = format!("use the ResourceClaimTemplate {name} to have them on one NUMA node");
        section.warning("topology", format!("{devices} devices"), what, &remedy);
        self.templates
            .push(template(&plan.namespace, &name, requests, true));
    }

    /// A pool's variable has one value, and each request sets it.
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
            let what = "a container with several of them reads the devices of one request only";
            let remedy = "read SRIOV_DRA_<REQUEST>, or the device metadata";
            self.report
                .section(object)
                .warning(&pool.variable(), value, what, remedy);
        }
    }

    /// Limits of pools that no network uses.
    fn report_remaining(&mut self, object: &Object, plan: &Plan) {
        for demand in &plan.demand {
            self.add_class(Class::of_pool(&demand.pool, &self.options.driver));
            let at = format!("{}.limits[{}]", demand.container, demand.pool);
            let what = "more devices than networks: these stay extended resources, and are attached as net<n>";
            let mut section = self.report.section(object);
            section.warning(
                &at,
                demand.count.to_string(),
                what,
                "take them out if they only stood for the networks",
            );
        }
    }

    fn unknown_resources(&mut self, object: &Object, pod: &Value) {
        let mut section = self.report.section(object);
        for (container, resource, value) in containers::others(pod, &self.pools) {
            let what = "belongs to no pool that is known here: stays as it is";
            let remedy = "if it is an SR-IOV pool, give its config.json too";
            section.warning(
                &format!("{container}.limits[{resource}]"),
                &value,
                what,
                remedy,
            );
        }
    }
}

/// What becomes of one workload.
#[derive(Debug, Clone)]
struct Plan {
    namespace: String,
    name: String,
    requests: Vec<Request>,
    /// Networks that are requests now.
    converted: Vec<(String, String)>,
    /// Networks that stay with Multus.
    left_to_multus: Vec<Selection>,
    /// What the limits still ask for.
    demand: Vec<Demand>,
    /// What the limits no longer ask for.
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

    /// The container that asked for a device of the pool, and asks for one less now. The injector of network resources
    /// would have asked for the first one.
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

    /// A name that no request has.
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
