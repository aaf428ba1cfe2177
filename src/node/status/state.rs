//! The status of a claim's devices: its record, and what is known beside it. Pure.

use std::collections::BTreeSet;

use super::{Failure, work::State};
use crate::{
    cluster::{Condition, DeviceStatus, NetworkData},
    device::DeviceId,
    ledger::{DeviceRecord, Phase, Record},
    slice::NodePool,
};

/// The status; none: there is nothing to say. Of devices of another node that node's agent reports.
/// `gone` are devices that are not there any more.
pub(super) fn statuses(
    record: Option<&Record>,
    state: &State,
    gone: &BTreeSet<DeviceId>,
    here: NodePool<'_>,
) -> Option<Vec<DeviceStatus>> {
    let record = record.filter(|record| record.not_of(here.node).is_none());
    if let Some(failure) = &state.failure {
        let all = failed(record, state, failure, here);
        return (!all.is_empty()).then_some(all);
    }
    let record = record.filter(|record| record.phase == Phase::Prepared)?;
    let devices = record.devices.iter();
    let status = |device| prepared(device, state, gone, here);
    Some(devices.map(status).collect())
}

/// All devices of the claim, for the same reason.
fn failed(
    record: Option<&Record>,
    state: &State,
    failure: &Failure,
    here: NodePool<'_>,
) -> Vec<DeviceStatus> {
    let allocated = state.devices.iter().cloned();
    let of_here = |(device, _): &(crate::slice::DeviceRef, _)| device.slice_pool == here.node;
    let mut devices: Vec<_> = allocated.filter(of_here).collect();
    if state.devices.is_empty() {
        let recorded = record.iter().flat_map(|record| &record.devices);
        devices.extend(recorded.map(|device| (here.name(&device.id), device.share_id.clone())));
    }
    let why = || Err((failure.reason, failure.text.clone()));
    let status = |(device, share_id)| DeviceStatus {
        device,
        share_id,
        conditions: vec![Condition::ready(why())],
        network: None,
    };
    devices.into_iter().map(status).collect()
}

fn prepared(
    device: &DeviceRecord,
    state: &State,
    gone: &BTreeSet<DeviceId>,
    here: NodePool<'_>,
) -> DeviceStatus {
    let ready = match gone.contains(&device.id) {
        true => Err(("DeviceGone", GONE.to_owned())),
        false => Ok(()),
    };
    let mut conditions = vec![Condition::ready(ready)];
    let to_pod = device
        .netdev
        .as_ref()
        .filter(|plan| plan.attach.is_into_pod());
    let there = device
        .attachment
        .as_ref()
        .filter(|attachment| attachment.done);
    if to_pod.is_some() {
        let why = || state.network.clone().unwrap_or_else(|| ABSENT.to_owned());
        conditions.push(Condition::network_ready(there.map(drop).ok_or_else(why)));
    }
    let network = to_pod.zip(there).map(|(plan, attachment)| NetworkData {
        interface_name: attachment.if_name.to_string(),
        hardware_address: attachment
            .mac
            .map(|mac| mac.to_string())
            .unwrap_or_default(),
        ips: device.addresses(plan).collect(),
    });
    DeviceStatus {
        device: here.name(&device.id),
        share_id: device.share_id.clone(),
        conditions,
        network,
    }
}

const ABSENT: &str = "the netdev is not in its pod";
const GONE: &str = "the device is not on this host any more, or another is at its address";
