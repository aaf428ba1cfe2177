//! Pools that take no device, and the device that came closest: what its administrator has to
//! change, or to look for on the host.

use std::{cmp::Reverse, fmt};

use super::{Assignment, Candidate, Config, Pool, PoolName, Refusal, Selector};
use crate::device::DeviceId;

/// A pool that takes no device of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmptyPool {
    /// `prefix/name`.
    pub pool: PoolName,
    /// What came closest.
    pub nearest: Nearest,
}

/// The device that came closest to a pool, and what keeps it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nearest {
    /// The node has nothing to take.
    NoDevices,
    /// A device that is refused.
    Refused(DeviceId, Refusal),
    /// A device that matches, and is not offered.
    Withheld(DeviceId),
    /// A device that matches, and is in another pool.
    Taken(DeviceId, PoolName),
}

/// `nearest 0000:3b:00.0: devices is 101d, wanted 101e`.
impl fmt::Display for Nearest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoDevices => f.write_str("the node has no device that it may take"),
            Self::Refused(id, refusal) => write!(f, "nearest {id}: {refusal}"),
            Self::Withheld(id) => {
                write!(
                    f,
                    "nearest {id}: matches, but is used by the host or excluded"
                )
            }
            Self::Taken(id, pool) => write!(f, "nearest {id}: matches, but is in pool {pool}"),
        }
    }
}

/// `pool intel.com/upf takes no device; nearest …`.
impl fmt::Display for EmptyPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pool {} takes no device; {}", self.pool, self.nearest)
    }
}

/// How close a device came: the more of a selector object it satisfies, the closer. What the pool
/// never looks at is furthest.
type Rank = (u8, usize);

const LOOKED_AT: u8 = 1;
const MATCHES: u8 = 2;

impl Config {
    /// The pools that take no device, in their order. `withheld` are the devices that are not
    /// offered.
    #[must_use]
    pub fn empty_pools(
        &self,
        candidates: &[Candidate],
        withheld: &[Candidate],
        assignment: &Assignment,
    ) -> Vec<EmptyPool> {
        let has = |name: &PoolName| assignment.devices.values().any(|it| it.pool == *name);
        let empty = self.pools.iter().filter(|pool| !has(&pool.name));
        empty
            .map(|pool| EmptyPool {
                pool: pool.name.clone(),
                nearest: pool.nearest(candidates, withheld, assignment),
            })
            .collect()
    }
}

impl Pool {
    fn nearest(
        &self,
        candidates: &[Candidate],
        withheld: &[Candidate],
        assignment: &Assignment,
    ) -> Nearest {
        let offered = candidates.iter().map(|device| (device, false));
        let all = offered.chain(withheld.iter().map(|device| (device, true)));
        let ranked = all.map(|(device, withheld)| {
            let (rank, refusal) = self.closeness(device);
            let nearest = match (refusal, withheld) {
                (Some(refusal), _) => Nearest::Refused(device.id, refusal),
                (None, true) => Nearest::Withheld(device.id),
                (None, false) => match assignment.devices.get(&device.id) {
                    Some(assigned) => Nearest::Taken(device.id, assigned.pool.clone()),
                    None => Nearest::Withheld(device.id),
                },
            };
            // A device that the pool could have comes before one that it could not.
            ((rank, Reverse((withheld, device.id))), nearest)
        });
        let closest = ranked.max_by_key(|(order, _)| *order);
        closest.map_or(Nearest::NoDevices, |(_, nearest)| nearest)
    }

    /// The closest selector object, and why it refuses the device.
    fn closeness(&self, device: &Candidate) -> (Rank, Option<Refusal>) {
        if let Some(refusal) = self.refusal(device) {
            // Of another type: further away than one that lacks a driver or still has VFs.
            return (
                (0, usize::from(refusal.selector != "deviceType")),
                Some(refusal),
            );
        }
        let of = |selector: &Selector| match selector.refusal(device) {
            None => ((MATCHES, 0), None),
            refusal => ((LOOKED_AT, selector.passed(device)), refusal),
        };
        let all = self.selectors.iter().rev().map(of);
        all.max_by_key(|(rank, _)| *rank).unwrap_or(((0, 0), None))
    }
}
