//! Which device is in which pool: the first match wins, over the pools in the document's order and
//! each one's selector objects in theirs. What the object that matched first requests is what the
//! device's containers get.

use std::collections::{BTreeMap, btree_map::Entry};

use super::{
    Candidate, CandidateKind, Config, DeviceType, Pool, PoolName, Refusal, Selector, VdpaType,
    Warning, error::Place,
};
use crate::device::DeviceId;

/// The pools of a host's devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignment {
    /// Devices without an entry are in no pool.
    pub devices: BTreeMap<DeviceId, Assigned>,
    /// Where the order decided, and where a PF was named in vain.
    pub warnings: Vec<Warning>,
}

/// A device's pool, and what comes with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// `prefix/name`.
    pub pool: PoolName,
    /// Where the selector object is that matched first.
    pub place: String,
    /// It is offered without NUMA node.
    pub exclude_topology: bool,
    /// What that selector object requests.
    pub decorators: Decorators,
    /// `*` and the device's own, merged; none when the pool has no `additionalInfo`.
    pub additional_info: Option<BTreeMap<String, String>>,
}

/// What containers get besides the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Decorators {
    /// RDMA's character devices.
    pub rdma: bool,
    /// The vDPA device.
    pub vdpa_type: Option<VdpaType>,
    /// `/dev/vhost-net` and `/dev/net/tun`.
    pub vhost_net: bool,
}

impl Config {
    /// Gives every device to the first pool that takes it. The order of `candidates` does not
    /// matter.
    #[must_use]
    pub fn assign(&self, candidates: &[Candidate]) -> Assignment {
        let mut candidates: Vec<&Candidate> = candidates.iter().collect();
        candidates.sort_by_key(|device| device.id);
        let mut assignment = Assignment::default();
        for pool in &self.pools {
            for selector in &pool.selectors {
                assignment.add(pool, selector, &candidates);
            }
        }
        assignment
    }
}

impl Assignment {
    fn add(&mut self, pool: &Pool, selector: &Selector, candidates: &[&Candidate]) {
        let mut taken: BTreeMap<PoolName, Vec<DeviceId>> = BTreeMap::new();
        for device in candidates
            .iter()
            .filter(|device| pool.refusal(device).is_none())
        {
            match selector.refusal(device) {
                Some(refusal) => self
                    .warnings
                    .extend(named_in_vain(selector, device, &refusal)),
                None => match self.devices.entry(device.id) {
                    Entry::Vacant(free) => drop(free.insert(assigned(pool, selector, device))),
                    Entry::Occupied(held) => taken
                        .entry(held.get().pool.clone())
                        .or_default()
                        .push(device.id),
                },
            }
        }
        let place = Place::at(&selector.place);
        let late = taken
            .iter()
            .map(|(pool, devices)| format!("{} already in pool {pool}", some_of(devices)));
        self.warnings
            .extend(late.map(|reason| Warning::new(&place, reason)));
    }
}

fn assigned(pool: &Pool, selector: &Selector, device: &Candidate) -> Assigned {
    Assigned {
        pool: pool.name.clone(),
        place: selector.place.clone(),
        exclude_topology: pool.exclude_topology,
        decorators: Decorators {
            rdma: selector.is_rdma,
            vdpa_type: device.vdpa_type.filter(|_| selector.vdpa_type.is_some()),
            vhost_net: selector.need_vhost_net,
        },
        additional_info: pool
            .additional_info
            .as_ref()
            .map(|info| info.of(device.id.pci())),
    }
}

/// `A, B, C and 61 more are`: a card has hundreds of VFs, a line is for few.
pub(crate) fn some_of(devices: &[DeviceId]) -> String {
    const MOST: usize = 3;
    let shown: Vec<String> = devices.iter().take(MOST).map(ToString::to_string).collect();
    match devices.len().saturating_sub(MOST) {
        0 if devices.len() == 1 => format!("{} is", shown[0]),
        0 => format!("{} are", shown.join(", ")),
        more => format!("{} and {more} more are", shown.join(", ")),
    }
}

/// A PF that only `pfNames` or `rootDevices` keeps out, and that they name.
fn named_in_vain(selector: &Selector, device: &Candidate, refusal: &Refusal) -> Option<Warning> {
    let address = device
        .pf_address
        .map(|pf| pf.to_string())
        .unwrap_or_default();
    let named = match refusal.selector {
        "pfNames" => selector
            .pf_names
            .iter()
            .any(|item| device.pf_names().any(|name| item.names(name))),
        "rootDevices" => selector
            .root_devices
            .iter()
            .any(|item| item.names(&address)),
        _ => false,
    };
    let place = Place::at(&selector.place).key(refusal.selector);
    let reason = format!(
        "names the PF {address}, which has no VFs, and never selects a PF itself: that is for pciAddresses"
    );
    (named && matches!(device.kind, CandidateKind::Pf { .. })).then(|| Warning::new(&place, reason))
}

impl Pool {
    /// The first selector object that takes the device; none when the pool does not.
    #[must_use]
    pub fn first_match(&self, device: &Candidate) -> Option<&Selector> {
        let open = self.refusal(device).is_none();
        self.selectors
            .iter()
            .find(|selector| open && selector.matches(device))
    }

    /// Why the pool never takes the device, whatever its selectors say; none when they decide.
    #[must_use]
    pub fn refusal(&self, device: &Candidate) -> Option<Refusal> {
        let looked_at = match self.device_type {
            DeviceType::NetDevice => {
                matches!(device.kind, CandidateKind::Vf | CandidateKind::Pf { .. })
            }
            DeviceType::Accelerator => device.kind == CandidateKind::Accelerator,
            DeviceType::AuxNetDevice => device.kind == CandidateKind::Sf,
        };
        let kind = device.kind.as_str();
        match device.kind {
            _ if !looked_at => Some(Refusal::new("deviceType", kind, self.device_type.as_str())),
            _ if device.driver.is_none() => Some(Refusal::new("driver", "", "any")),
            CandidateKind::Pf { num_vfs } if num_vfs > 0 => {
                Some(Refusal::new("numVFs", num_vfs.to_string(), "0"))
            }
            _ => None,
        }
    }

    /// Why the pool does not take the device: the pool itself, or each of its selector objects in
    /// order. Empty when it matches.
    #[must_use]
    pub fn refusals(&self, device: &Candidate) -> Vec<Refusal> {
        if let Some(refusal) = self.refusal(device) {
            return vec![refusal];
        }
        let each: Option<Vec<Refusal>> = self
            .selectors
            .iter()
            .map(|selector| selector.refusal(device))
            .collect();
        each.unwrap_or_default()
    }
}
