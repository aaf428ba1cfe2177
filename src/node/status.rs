//! What happened on the node, published in the claims' status. Not in the hooks' threads: the API
//! server may be slow.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use tokio::sync::mpsc::UnboundedReceiver;

use crate::{
    api::AttachMode,
    attach::Change,
    claim::Engine,
    cluster::{Cluster, Condition, DeviceStatus, NetworkData},
    ledger::{ClaimUid, DeviceRecord, Phase, Record},
    slice::NodePool,
};

const RETRY: Duration = Duration::from_secs(2);
const ATTEMPTS: u32 = 5;

/// Runs until the sender is gone.
pub(super) async fn run(
    cluster: Arc<dyn Cluster>,
    engine: Arc<Engine>,
    mut changes: UnboundedReceiver<Change>,
) {
    while let Some(change) = changes.recv().await {
        let mut claims = BTreeSet::from([change.claim()]);
        while let Ok(change) = changes.try_recv() {
            claims.insert(change.claim());
        }
        for uid in claims {
            publish(&*cluster, &engine, &uid).await;
        }
    }
}

/// Writes the state of a claim that is prepared; one that is not (any more) has nothing to publish,
/// and of devices of another node that node's agent reports.
pub(super) async fn publish(cluster: &dyn Cluster, engine: &Arc<Engine>, uid: &ClaimUid) {
    for attempt in 1..=ATTEMPTS {
        let Some(record) = prepared(engine, uid).await else {
            return;
        };
        match report(cluster, &record, engine.identity().pool()).await {
            Ok(()) => return,
            Err(error) if attempt == ATTEMPTS => {
                tracing::warn!(claim = %record.owner.claim, error, "claim status")
            }
            Err(_) => tokio::time::sleep(RETRY).await,
        }
    }
}

async fn prepared(engine: &Arc<Engine>, uid: &ClaimUid) -> Option<Record> {
    let identity = engine.identity();
    let (engine, uid) = (Arc::clone(engine), uid.clone());
    let record = super::blocking(move || engine.store().load(&uid))
        .await
        .ok()
        .flatten();
    let node = &identity.node_name;
    record.filter(|record| record.phase == Phase::Prepared && record.not_of(node).is_none())
}

async fn report(cluster: &dyn Cluster, record: &Record, here: NodePool<'_>) -> Result<(), String> {
    let devices = record.devices.iter().map(|device| status(device, here));
    let devices: Vec<DeviceStatus> = devices.collect();
    cluster
        .report(&record.owner.claim, &devices)
        .await
        .map_err(|error| error.to_string())
}

fn status(device: &DeviceRecord, here: NodePool<'_>) -> DeviceStatus {
    let mut conditions = vec![Condition::ready(Ok(()))];
    let to_pod = device
        .netdev
        .as_ref()
        .filter(|plan| plan.attach == AttachMode::Pod);
    let there = device
        .attachment
        .as_ref()
        .filter(|attachment| attachment.done);
    if to_pod.is_some() {
        let result = there
            .map(|_| ())
            .ok_or_else(|| "the netdev is not in its pod".to_owned());
        conditions.push(Condition::network_ready(result));
    }
    let network = to_pod.zip(there).map(|(plan, attachment)| NetworkData {
        interface_name: attachment.if_name.to_string(),
        hardware_address: attachment
            .mac
            .map(|mac| mac.to_string())
            .unwrap_or_default(),
        ips: plan.addresses.clone(),
    });
    DeviceStatus {
        device: here.name(&device.id),
        share_id: device.share_id.clone(),
        conditions,
        network,
    }
}
