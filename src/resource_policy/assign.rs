//! What each of a node's devices gets. The pools of config.json come first: nobody's pool changes
//! because somebody adds a policy.

use std::collections::BTreeMap;

use super::{
    Library, Node,
    filter::Seen,
    library::{Rule, first},
};
use crate::{
    api::{Attribute, RESOURCE_NAME},
    device::DeviceId,
    pool::{Assigned, Assignment, Candidate, Decorators, PoolName, some_of},
};

/// What policies make of a node's devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Decision {
    /// Devices that no policy takes have no entry.
    pub devices: BTreeMap<DeviceId, PolicyAssignment>,
    /// Where config.json was first, one line each.
    pub warnings: Vec<String>,
    /// The configs that take no device, a line each.
    pub empty: Vec<String>,
    /// How many attributes are left out, over all devices.
    pub dropped: usize,
}

/// What a device gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyAssignment {
    /// `SriovResourcePolicy blue configs[0]`.
    pub place: String,
    /// Its pool; none: the policy names none, or config.json has one.
    pub pool: Option<PoolName>,
    /// Attributes besides the driver's own; and the pool's name for Multus if it is written
    /// otherwise.
    pub attributes: BTreeMap<String, Attribute>,
}

impl Library {
    /// Gives each device what the first config that takes it has. `pools` are those of config.json.
    #[must_use]
    pub fn assign(&self, node: &Node, devices: &[Candidate], pools: &Assignment) -> Decision {
        let rules = self.rules(node);
        let mut decision = Decision::default();
        let mut late: BTreeMap<(String, &PoolName), Vec<DeviceId>> = BTreeMap::new();
        for device in devices {
            let Some(rule) = first(&rules, &Seen::from(device)) else {
                continue;
            };
            let (mut assigned, before) = (assigned(&rule), pools.devices.get(&device.id));
            if let (Some(pool), Some(before)) = (&rule.grant.pool, before) {
                assigned.pool = None;
                assigned.attributes.remove(RESOURCE_NAME);
                if before.pool != *pool {
                    late.entry((format!("{}: pool {pool}", assigned.place), &before.pool))
                        .or_default()
                        .push(device.id);
                }
            }
            decision.dropped += rule.grant.dropped.len();
            decision.devices.insert(device.id, assigned);
        }
        let line = |((place, pool), mut ids): ((String, &PoolName), Vec<DeviceId>)| {
            ids.sort();
            format!(
                "{place}: {} already in pool {pool} by config.json",
                some_of(&ids)
            )
        };
        decision.warnings = late.into_iter().map(line).collect();
        let seen: Vec<Seen> = devices.iter().map(Seen::from).collect();
        decision.empty = self.empty(node, &seen);
        decision
    }
}

fn assigned(rule: &Rule<'_>) -> PolicyAssignment {
    PolicyAssignment {
        place: format!(
            "SriovResourcePolicy {} configs[{}]",
            rule.policy, rule.index
        ),
        pool: rule.grant.pool.clone(),
        attributes: rule.grant.attributes.clone(),
    }
}

impl Decision {
    /// The pools of both, and the attributes of each device.
    #[must_use]
    pub fn join(
        self,
        mut pools: Assignment,
    ) -> (Assignment, BTreeMap<DeviceId, BTreeMap<String, Attribute>>) {
        let mut attributes = BTreeMap::new();
        for (id, assigned) in self.devices {
            if let Some(pool) = assigned.pool {
                let (exclude_topology, additional_info) = (false, None);
                let decorators = Decorators::default();
                let place = assigned.place;
                pools.devices.insert(
                    id,
                    Assigned {
                        pool,
                        place,
                        exclude_topology,
                        decorators,
                        additional_info,
                    },
                );
            }
            attributes.insert(id, assigned.attributes);
        }
        (pools, attributes)
    }
}
