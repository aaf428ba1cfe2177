//! What containers get beside the device: variables and character devices that class, claim or the
//! device's pool requests. Pure.
//!
//! What class and claim say goes before what the pool says. A pool only sets defaults, as the
//! device plugin has it: what the host cannot give is left out, while a claim or class that
//! requests it by name is refused.

use std::collections::BTreeMap;

use super::ClaimError;
use crate::{
    api::Settings,
    device::DeviceId,
    ledger::{Demand, Extras},
    pool::{Assigned, PoolName},
};

/// What class, claim and pool say together.
pub(super) fn extras(settings: &Settings, pool: Option<&Assigned>) -> Extras {
    let defaults = pool.map(|pool| pool.decorators).unwrap_or_default();
    let info = pool.and_then(|pool| pool.additional_info.clone());
    let asked = (!settings.env.is_empty()).then(BTreeMap::new);
    let info = info.or(asked).map(|mut info| {
        info.extend(settings.env.clone());
        info
    });
    Extras {
        pool: pool.map(|pool| pool.pool.clone().into()),
        env: settings.env.clone(),
        info,
        vhost_net: demand(settings.vhost_net, defaults.vhost_net),
        rdma: demand(settings.rdma, defaults.rdma),
        rdma_device: None,
        host_nodes: BTreeMap::new(),
        unknown: Default::default(),
    }
}

fn demand(asked: Option<bool>, by_default: bool) -> Demand {
    match asked {
        Some(true) => Demand::Required,
        None if by_default => Demand::IfAvailable,
        Some(false) | None => Demand::No,
    }
}

/// What the pools of this node's devices give to those in them by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PoolDefaults {
    /// The host has not been looked at yet.
    #[default]
    Unknown,
    /// The pools of those that are in one, or why what comes with the pool is not known.
    Known(BTreeMap<DeviceId, Result<Assigned, String>>),
}

impl PoolDefaults {
    /// The device's pool, if it is known to be in one.
    #[must_use]
    pub fn pool(&self, device: &DeviceId) -> Option<&PoolName> {
        let pool = self.of(device).ok().flatten();
        pool.map(|assigned| &assigned.pool)
    }

    /// The device's pool; none when it is in none. What comes with a pool is not left out because
    /// it is not known.
    pub(super) fn of(&self, device: &DeviceId) -> Result<Option<&Assigned>, ClaimError> {
        match self {
            Self::Unknown => Err(ClaimError::refused(
                *device,
                "the agent has just started and does not know its pool yet",
            )),
            Self::Known(pools) => match pools.get(device) {
                Some(Err(why)) => Err(ClaimError::refused(*device, why)),
                Some(Ok(pool)) => Ok(Some(pool)),
                None => Ok(None),
            },
        }
    }
}
