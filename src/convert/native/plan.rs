//! How the pods of a workload are rewritten.

use super::{defaults::Defaults, objects::Request};
use crate::{
    convert::{annotation::Selection, workload::containers::Demand},
    pool::PoolName,
};

/// How one pod or pod template is rewritten.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) namespace: String,
    /// Of its ResourceClaimTemplate.
    pub(super) template: String,
    pub(super) requests: Vec<Request>,
    /// Networks that become requests, by namespace and name.
    pub(super) converted: Vec<(String, String)>,
    /// The same in the inputs.
    pub(super) natives: Vec<(String, String)>,
    /// Its networks with default routes.
    pub(super) defaults: Vec<(String, Defaults)>,
    /// Networks that are left to Multus.
    pub(super) left_to_multus: Vec<Selection>,
    /// Limits that remain.
    pub(super) demand: Vec<Demand>,
    /// Pools whose devices are removed from the limits, once per request.
    pub(super) pools: Vec<PoolName>,
}

impl Plan {
    pub(super) fn new(namespace: String, template: String, demand: Vec<Demand>) -> Self {
        let (requests, converted, natives, defaults, left_to_multus, pools) = Default::default();
        Self {
            namespace,
            template,
            requests,
            converted,
            natives,
            defaults,
            left_to_multus,
            demand,
            pools,
        }
    }

    /// Takes one device of the pool out of the limits and returns the containers that had it: an
    /// init container has the same one, as with a device plugin. Without such a limit it is the
    /// first container, to which the network resources injector would have added one.
    pub(super) fn take_device(&mut self, pool: Option<&PoolName>, first: String) -> Vec<String> {
        self.pools.extend(pool.cloned());
        let mut containers = Vec::new();
        for init in [false, true] {
            let mut demand = self.demand.iter_mut();
            let demand = demand.find(|it| Some(&it.pool) == pool && it.init == init);
            if let Some(demand) = demand {
                demand.count -= 1;
                containers.push(demand.container.clone());
            }
            self.demand.retain(|demand| demand.count > 0);
        }
        match containers.is_empty() {
            true => vec![first],
            false => containers,
        }
    }

    /// Takes all devices of one container's limit, and those of an init container that shares them.
    pub(super) fn take_limit(
        &mut self,
        of: impl Fn(&PoolName) -> bool,
    ) -> Option<(Demand, Vec<String>)> {
        let of_kind = |init: bool| {
            let mut demand = self.demand.iter();
            demand.position(|it| it.init == init && of(&it.pool))
        };
        let at = of_kind(false).or_else(|| of_kind(true))?;
        let mut taken = self.demand.remove(at);
        self.pools.push(taken.pool.clone());
        let mut containers = vec![taken.container.clone()];
        let shares = |it: &Demand| it.init && it.pool == taken.pool;
        if let Some(at) = self.demand.iter().position(shares) {
            let init = self.demand.remove(at);
            taken.count = taken.count.max(init.count);
            containers.push(init.container);
        }
        Some((taken, containers))
    }

    /// The name, with a number if another request has it.
    pub(super) fn unused_name(&self, name: &str) -> String {
        let taken = |name: &str| self.requests.iter().any(|request| request.name == name);
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        std::iter::once(name.to_owned())
            .chain(numbered)
            .find(|name| !taken(name))
            .unwrap_or_default()
    }
}
