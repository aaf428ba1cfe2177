//! What a claim asks of each of its devices: allocation and configurations, read strictly. Pure.

use super::{AllocatedClaim, AllocatedDevice, ClaimError, clash, definition};
use crate::{
    api::{self, AttachMode, DriverChoice, Settings},
    device::DeviceId,
    ledger::Defined,
    pool::PoolName,
    slice::NodePool,
};

/// One device as the claim wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Which device.
    pub id: DeviceId,
    /// The allocation's result.
    pub result: AllocatedDevice,
    /// All configurations for its request, laid over each other.
    pub settings: Settings,
    /// The network whose settings these have too.
    pub definition: Option<Defined>,
    /// Why it cannot be prepared with that network; one that is, stays so.
    pub fault: Option<String>,
    /// Who attaches its netdev if the settings do not say it.
    pub attach_by_default: AttachMode,
}

impl Wanted {
    /// The same, attached by default as the networks of the claim's pods say for a device of this
    /// pool.
    #[must_use]
    pub(super) fn attached_by(&self, claim: &AllocatedClaim, pool: Option<&PoolName>) -> Self {
        Self {
            attach_by_default: claim.networks.attach(&claim.claim.name, pool),
            ..self.clone()
        }
    }
}

/// What the claim asks, device by device, in the order of the allocation. `here` is this node's
/// pool; `drivers`: kernel drivers that may be asked by name on this node, besides vfio-pci.
///
/// # Errors
/// A device of another node, those that are only observed too; else the first thing that is wrong
/// in the configurations, or that cannot be true of two devices at once.
pub fn wanted(
    claim: &AllocatedClaim,
    here: NodePool<'_>,
    drivers: &[String],
) -> Result<Vec<Wanted>, ClaimError> {
    let local = |result: &AllocatedDevice| result.device.local(&here);
    let ids: Result<Vec<DeviceId>, _> = claim.devices.iter().map(local).collect();
    let ids = ids.map_err(ClaimError::elsewhere(&claim.claim))?;
    let mut all = Vec::new();
    for (id, result) in ids.into_iter().zip(&claim.devices) {
        let wanted = one(claim, id, result, here.driver)?;
        check_driver(&wanted, drivers)?;
        all.iter()
            .try_for_each(|other| check_pair(other, &wanted))?;
        all.push(wanted);
    }
    check_routes(&all)?;
    Ok(all)
}

/// Of netdevs that go into a pod.
fn check_routes(all: &[Wanted]) -> Result<(), ClaimError> {
    let goes = |wanted: &&Wanted| wanted.settings.attach != Some(AttachMode::None);
    let routes = all.iter().filter(goes);
    let routes = routes.map(|wanted| (wanted.id, wanted.settings.routes.clone()));
    match clash(&routes.collect::<Vec<_>>()) {
        Some(clash) => Err(ClaimError::refused(clash.other, clash.reason())),
        None => Ok(()),
    }
}

fn one(
    claim: &AllocatedClaim,
    id: DeviceId,
    result: &AllocatedDevice,
    driver_name: &str,
) -> Result<Wanted, ClaimError> {
    let mut settings = api::merge(
        &result.request,
        result.class.as_deref(),
        &claim.configs,
        driver_name,
    )?;
    let (definition, fault) = definition::lay(claim, &mut settings);
    match id {
        DeviceId::Pci(_) => Ok(Wanted {
            id,
            result: result.clone(),
            settings,
            definition,
            fault,
            attach_by_default: AttachMode::Pod,
        }),
        DeviceId::Sf { .. } => Err(ClaimError::refused(
            id,
            "sub-functions are not supported yet",
        )),
    }
}

/// The kernel drivers that a claim may name on a node that allows `drivers` besides.
pub(super) fn nameable(drivers: &[String]) -> impl Iterator<Item = &str> {
    ["vfio-pci"]
        .into_iter()
        .chain(drivers.iter().map(String::as_str))
}

fn check_driver(wanted: &Wanted, drivers: &[String]) -> Result<(), ClaimError> {
    let Some(DriverChoice::Named(name)) = &wanted.settings.driver else {
        return Ok(());
    };
    let known: Vec<&str> = nameable(drivers).collect();
    if known.contains(&name.as_str()) {
        return Ok(());
    }
    let reason = format!(
        "driver: {name:?} is not allowed on this node, allowed are {}",
        known.join(", ")
    );
    Err(ClaimError::refused(wanted.id, reason))
}

/// What two devices of one pod cannot both have.
fn check_pair(one: &Wanted, other: &Wanted) -> Result<(), ClaimError> {
    let same = |what: &str, value: &dyn std::fmt::Display| {
        let reason = format!(
            "{what}: {value} is asked for {} too; a request with count needs none, or one each",
            one.id
        );
        Err(ClaimError::refused(other.id, reason))
    };
    let (a, b) = (&one.settings, &other.settings);
    if one.id == other.id {
        return Err(ClaimError::refused(
            one.id,
            "is allocated twice to the same claim, which is not supported",
        ));
    }
    if let Some(name) = a
        .if_name
        .as_ref()
        .filter(|name| b.if_name.as_ref() == Some(*name))
    {
        return same("ifName", name);
    }
    if let Some(mac) = a.mac.filter(|mac| b.mac == Some(*mac)) {
        return same("mac", &mac);
    }
    match a
        .addresses
        .iter()
        .find(|net| b.addresses.iter().any(|other| other.addr() == net.addr()))
    {
        Some(net) => same("addresses", net),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "wanted/tests.rs"]
mod tests;
