//! Whether what was done for a claim is what its allocation asks for now. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{
    AllocatedClaim, Wanted,
    plan::{netdev_plan, vf_values},
    yields::{Gives, hands_over},
};
use crate::{
    api::{AttachMode, DriverChoice, Settings},
    device::{Binding, DeviceId, VfSetting, VfSettings},
    ledger::{Demand, DeviceRecord, Extras, IpamCall, NetdevPlan, Record, Step},
    slice::{DeviceRef, NodePool},
};

impl AllocatedClaim {
    /// Whether the allocation still has, on this node, every device that was prepared, each for the
    /// same request. A device of another node never counts, though an earlier version prepared it.
    #[must_use]
    pub fn has_all_of(&self, record: &Record, here: NodePool<'_>) -> bool {
        let allocated: BTreeSet<(DeviceRef<&str>, &str)> = self
            .devices
            .iter()
            .map(|result| (result.device.borrowed(), &*result.request))
            .collect();
        record.devices.iter().all(|device| {
            let name = here.name(&device.id);
            device.slice_pool == here.node
                && allocated.contains(&(name.borrowed(), &*device.request))
        })
    }
}

/// Whether a prepared device is the one that is wanted, with the values that are wanted. What a
/// pool gave and what others have changed since is not looked at. `set_by_pf` says whether a PF of
/// this host sets the VF's values.
pub(super) fn is_as_wanted(
    device: &DeviceRecord,
    wanted: &Wanted,
    set_by_pf: impl Fn(&DeviceId) -> bool,
) -> bool {
    let (result, settings) = (&wanted.result, &wanted.settings);
    let is_same = device.id == wanted.id
        && device.request == result.request
        && device.slice_pool == result.device.slice_pool
        && device.admin_access == result.admin_access;
    is_same
        && device.definition == wanted.definition
        // What the network says may have changed since: it counts when the claim is prepared.
        && (device.admin_access
            || device.definition.is_some()
            || has_driver(device, settings)
                && has_netdev(device, settings)
                && has_lease(device, settings)
                && has_vf_values(device, settings, set_by_pf)
                && has_extras(&device.extras, settings))
}

/// The binding that the claim has given, or found and kept.
fn binding(device: &DeviceRecord) -> Option<(&Binding, &Binding)> {
    device.steps.iter().find_map(|step| match step {
        Step::Driver { from, to, .. } => Some((&**from, &**to)),
        _ => None,
    })
}

fn has_driver(device: &DeviceRecord, settings: &Settings) -> bool {
    let Some((from, to)) = binding(device) else {
        return settings.driver.is_none();
    };
    match &settings.driver {
        None => from == to,
        Some(DriverChoice::Default) => !to.driver.as_deref().is_some_and(hands_over),
        Some(DriverChoice::Named(name)) => to.driver.as_ref() == Some(name),
    }
}

fn has_netdev(device: &DeviceRecord, settings: &Settings) -> bool {
    // Who attaches by default was decided when the claim was prepared: a pod's annotations may have
    // changed since.
    let (gives, by_default) = match &device.netdev {
        Some(netdev) => (Gives::Netdev, netdev.attach),
        None => (Gives::Neither, AttachMode::Pod),
    };
    netdev_plan(settings, gives, None, by_default).is_ok_and(|plan| plan == device.netdev)
}

/// Whether the device's addresses are assigned as the class says, if this driver attaches it.
fn has_lease(device: &DeviceRecord, settings: &Settings) -> bool {
    let attached = |plan: &NetdevPlan| plan.attach == AttachMode::Pod;
    let asked = settings.ipam.as_ref();
    let asked = asked.filter(|_| device.netdev.as_ref().is_some_and(attached));
    let recorded = device.ipam.as_ref();
    let recorded = recorded.map(|lease| config(&lease.call));
    recorded.map(|config| config.unwrap_or_default()) == asked.map(|ipam| ipam.config.clone())
}

/// What the plugin was called with as `ipam`.
fn config(call: &IpamCall) -> Option<Map<String, Value>> {
    let mut stdin: Value = serde_json::from_str(&call.stdin).ok()?;
    match stdin.get_mut("ipam")?.take() {
        Value::Object(config) => Some(config),
        _ => None,
    }
}

/// A rate of which one bound is asked has the other as it was found.
fn has_vf_values(
    device: &DeviceRecord,
    settings: &Settings,
    set_by_pf: impl Fn(&DeviceId) -> bool,
) -> bool {
    let (mut recorded, mut found) = (Vec::new(), VfSettings::default());
    for step in &device.steps {
        if let Step::Vf { from, to, .. } = step {
            recorded.push(*to);
            if let Some(VfSetting::Rate { min, max }) = from {
                (found.min_tx_rate, found.max_tx_rate) = (Some(*min), Some(*max));
            }
        }
    }
    // A MAC is set at the PF, if there is one here, else only in the pod.
    let only_mac = recorded.is_empty() && settings.mac.is_some();
    let by_pf = !recorded.is_empty() || only_mac && set_by_pf(&device.id);
    let wanted = vf_values(settings, by_pf.then_some(&found));
    wanted.len() == recorded.len() && wanted.iter().all(|value| recorded.contains(value))
}

fn has_extras(extras: &Extras, settings: &Settings) -> bool {
    let is = |demand: Demand, asked: Option<bool>| match asked {
        Some(true) => demand == Demand::Required,
        Some(false) => demand == Demand::No,
        None => demand != Demand::Required,
    };
    extras.env == settings.env
        && is(extras.vhost_net, settings.vhost_net)
        && is(extras.rdma, settings.rdma)
}
