//! What should be published: planned again whenever something may have changed.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

use super::{
    link_debounce::LinkDebounce,
    policies::Policies,
    pool_config::{self, PoolConfig},
    pool_defaults,
    status::Reports,
};
use crate::{
    claim::{self, Engine},
    cluster::{Cluster, Event, Subject},
    device::{DeviceId, Function},
    inventory::{self, Inventory, PfNames},
    ledger::{DeviceRecord, Entry},
    publish::{self, Desired, PublishInput, Published},
    slice::{Device, Features, Reason, Slice, Taint},
    telemetry::{Metrics, Task},
};

/// Kernel events come in bursts.
const SETTLE: Duration = Duration::from_millis(200);
/// But a device that was added or removed waits no longer than this.
const LONGEST_SETTLE: Duration = Duration::from_secs(2);
/// The host is scanned at least this often, also without an event.
const RESCAN: Duration = Duration::from_mins(1);

/// From the host to the desired slices.
pub(super) struct Publication {
    pub(super) driver: String,
    pub(super) engine: Arc<Engine>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) published: watch::Receiver<Option<Published>>,
    pub(super) desire: watch::Sender<Option<Desired>>,
    pub(super) links: LinkDebounce,
    pub(super) pools: PoolConfig,
    pub(super) policies: Policies,
    pub(super) cluster: Arc<dyn Cluster>,
    pub(super) node: String,
    /// For claims that are prepared.
    pub(super) pool_defaults: watch::Sender<Arc<claim::PoolDefaults>>,
    /// The features of the server that the last plan was for.
    pub(super) planned_for: Option<Features>,
    /// What was last published of devices that were tainted then and have not been published
    /// since: a server that keeps no taints has none of them.
    pub(super) last_known: BTreeMap<String, Device>,
    /// Who holds a device learns of its taints.
    pub(super) reports: Reports,
}

/// How long a burst may settle: where a scan is slow (many functions, a busy host), scans take a
/// fifth of the time.
fn settle(scan: Duration) -> Duration {
    (scan * 4).clamp(SETTLE, LONGEST_SETTLE)
}

/// One scan of the host and the records.
struct Scan {
    inventory: Inventory,
    claimed: BTreeMap<DeviceId, Option<String>>,
    /// What was published of claimed devices before their claim.
    recorded: Vec<Device>,
    taints: BTreeMap<DeviceId, Vec<Taint>>,
    records: usize,
}

impl Publication {
    /// Runs until the task is dropped. `starting` is dropped when the inventory is known for the
    /// first time.
    pub(super) async fn run(mut self, changed: Arc<Notify>, starting: Task) {
        let mut starting = Some(starting);
        loop {
            let mut pause = RESCAN;
            let begun = Instant::now();
            let scan = self.scan().await;
            let settle = settle(begun.elapsed());
            match scan {
                Ok(mut scan) => {
                    pause = self
                        .taint_links_down(&mut scan)
                        .map_or(RESCAN, |again| again.min(RESCAN));
                    self.reports.taints(&scan.taints);
                    self.read_pools().await;
                    self.desire(&scan).await;
                    drop(starting.take());
                }
                Err(error) => tracing::error!(error, "inventory: keeping what is published"),
            }
            // Either something changed, or it is time to scan anyway.
            tokio::select! {
                _ = timeout(pause, changed.notified()) => {}
                Ok(()) = other_features(self.published.clone(), self.planned_for) => {}
            }
            sleep(settle).await;
        }
    }

    async fn scan(&self) -> Result<Scan, String> {
        let (engine, driver) = (Arc::clone(&self.engine), self.driver.clone());
        super::blocking(move || scan(&engine, &driver)).await
    }

    /// Adds the taints of ports whose link is down; returns after what time to scan again.
    fn taint_links_down(&mut self, scan: &mut Scan) -> Option<Duration> {
        let functions = &scan.inventory.functions;
        let settled = self
            .links
            .settle(&publish::ports(functions), Instant::now());
        for (device, taints) in publish::link_down(&self.driver, functions, &settled.down) {
            scan.taints.entry(device).or_default().extend(taints);
        }
        settled.again
    }

    /// A bad configuration is reported where administrators look: log, metric, an event of the
    /// node.
    async fn read_pools(&mut self) {
        let Some(why) = self.pools.reload() else {
            return self.metrics.config_is_bad(self.pools.is_bad());
        };
        tracing::error!("{why}");
        self.metrics.config_is_bad(true);
        let subject = Subject::Node(self.node.clone());
        let event = Event {
            subject,
            warning: true,
            reason: "BadConfiguration",
            action: "ReadPools",
            note: why,
        };
        if let Err(error) = self.cluster.event(&event).await {
            tracing::warn!(%error, "event");
        }
    }

    async fn desire(&mut self, scan: &Scan) {
        // What the server holds is needed for last-known values: nothing is desired before.
        let Ok(published) = self.published.wait_for(Option::is_some).await else {
            return;
        };
        let Some(published) = published.as_ref() else {
            return;
        };
        self.planned_for = Some(published.features);
        remember(&mut self.last_known, &published.devices, &scan.taints);
        let unpublished: Vec<Device> = self.last_known.values().cloned().collect();
        let published = &with_recorded(published, &scan.recorded);
        let published = &with_recorded(published, &unpublished);
        let resting = |id: &DeviceId| scan.claimed.get(id).cloned().flatten();
        let candidates = pool_config::candidates(&scan.inventory, resting, published);
        let pools = self.pools.assign(&candidates);
        if let Some(pools) = &pools {
            let withheld = pool_config::withheld(&scan.inventory);
            for line in self.pools.newly_empty(&candidates, &withheld, pools) {
                tracing::warn!("{line}");
            }
        }
        self.policies.reload();
        let (pools, policy_attributes) = self.policies.join(&candidates, pools);
        self.metrics
            .policies(self.policies.bad(), self.policies.dropped());
        let defaults = match (&pools, &policy_attributes) {
            (Some(known), Some(_)) => {
                pool_defaults::by_assignment(known, &self.pool_defaults.borrow(), &scan.claimed)
            }
            (Some(known), None) => pool_defaults::without_policies(
                known,
                &self.pool_defaults.borrow(),
                &scan.claimed,
                published,
            ),
            (None, _) => {
                pool_defaults::without_config(published, self.pools.fault().unwrap_or_default())
            }
        };
        self.pool_defaults.send_replace(Arc::new(defaults));
        let desired = publish::slices(&PublishInput {
            driver: &self.driver,
            inventory: &scan.inventory,
            claimed: &scan.claimed,
            taints: &scan.taints,
            pools: pools.as_ref(),
            policy_attributes: policy_attributes.as_ref(),
            published,
        });
        self.metrics.prepared(scan.records);
        self.metrics.published(
            desired
                .slices
                .iter()
                .map(|slice| slice.devices().len())
                .sum(),
        );
        for warning in &desired.warnings {
            tracing::warn!("{warning}");
        }
        self.desire.send_if_modified(|now| {
            let other = now.as_ref().is_none_or(|now| now.slices != desired.slices);
            if other {
                tracing::info!(
                    slices = desired.slices.len(),
                    devices = count(&desired.slices),
                    "desired slices"
                );
                *now = Some(desired);
            }
            other
        });
    }
}

/// Ends when the server keeps something else than was planned for: it is another version now.
async fn other_features(
    mut published: watch::Receiver<Option<Published>>,
    planned_for: Option<Features>,
) -> Result<(), watch::error::RecvError> {
    let differs = |now: &Option<Published>| now.as_ref().map(|now| now.features) != planned_for;
    published.wait_for(differs).await.map(drop)
}

/// Keeps what is published of tainted devices until they are published without taints.
fn remember(
    last_known: &mut BTreeMap<String, Device>,
    published: &BTreeMap<String, Device>,
    taints: &BTreeMap<DeviceId, Vec<Taint>>,
) {
    last_known.retain(|name, _| !published.contains_key(name));
    let tainted = taints.keys().filter_map(|id| published.get(&id.name()));
    last_known.extend(tainted.map(|device| (device.name.clone(), device.clone())));
}

fn count(slices: &[Slice]) -> usize {
    slices.iter().map(|slice| slice.devices().len()).sum()
}

fn scan(engine: &Engine, driver: &str) -> Result<Scan, String> {
    let mut inventory =
        inventory::observe(&**engine.kernel()).map_err(|error| error.to_string())?;
    let records = engine.records().map_err(|error| error.to_string())?;
    inventory.withhold(engine.choice(), &names_in_pods(&records));
    let claimed = claimed(&records);
    let mut taints = taints(engine, driver)?;
    // A claimed device has the driver that its claim requests.
    for device in engine
        .driverless(&inventory.functions)
        .into_iter()
        .filter(|id| !claimed.contains_key(id))
    {
        taints
            .entry(device)
            .or_default()
            .push(Taint::no_schedule(driver, Reason::DriverMissing));
    }
    for device in in_use(engine, &inventory)? {
        if !claimed.contains_key(&device) {
            let taint = Taint::no_schedule(driver, Reason::InUse);
            taints.entry(device).or_default().push(taint);
        }
    }
    Ok(Scan {
        taints,
        claimed,
        recorded: recorded(&records),
        records: records.len(),
        inventory,
    })
}

/// Devices that a pod has without a claim: by the CNI binary, whose entry says so, or by a program
/// of others, in whose namespace the netdev is.
fn in_use(engine: &Engine, inventory: &Inventory) -> Result<Vec<DeviceId>, String> {
    let entries = engine.attachments().titles();
    let entries = entries.map_err(|error| error.to_string())?;
    let attached = entries.into_iter().flat_map(|entry| entry.devices);
    let elsewhere = |function: &&Function| function.yields.netdev_elsewhere;
    let taken = inventory.functions.iter().filter(elsewhere);
    let mut all: Vec<DeviceId> = attached.chain(taken.map(|function| function.id)).collect();
    all.sort();
    all.dedup();
    Ok(all)
}

/// Devices that the records have attributes of.
fn recorded(records: &[Entry]) -> Vec<Device> {
    let device = |device: &DeviceRecord| {
        let attributes = device.published.clone();
        (!attributes.is_empty()).then(|| Device {
            name: device.id.name(),
            attributes,
            ..Device::default()
        })
    };
    devices(records).filter_map(device).collect()
}

/// Last-known values: what the server has, else what the records have. The kubelet wipes slices
/// when it starts, and a claim hides what its device is when it rests.
fn with_recorded<'a>(published: &'a Published, recorded: &[Device]) -> Cow<'a, Published> {
    let mut all = Cow::Borrowed(published);
    for device in recorded
        .iter()
        .filter(|device| !published.devices.contains_key(&device.name))
    {
        all.to_mut()
            .devices
            .insert(device.name.clone(), device.clone());
    }
    all
}

/// The names that claimed PFs have in the host's network namespace: in a pod they have others, or
/// none.
fn names_in_pods(records: &[Entry]) -> PfNames {
    let name = |device: &DeviceRecord| {
        let DeviceId::Pci(address) = device.id else {
            return None;
        };
        let state = device.resting_netdev()?;
        Some((address, vec![state.name.clone()]))
    };
    devices(records).filter_map(name).collect()
}

fn devices(records: &[Entry]) -> impl Iterator<Item = &DeviceRecord> {
    records.iter().flat_map(Entry::devices)
}

/// Devices under a claim, with the driver that they have when they rest. Who only observes a device
/// has not given it another.
fn claimed(records: &[Entry]) -> BTreeMap<DeviceId, Option<String>> {
    let mut claimed = BTreeMap::new();
    for entry in records {
        match entry {
            Entry::Readable(record) => {
                let held = record.devices.iter().filter(|device| !device.admin_access);
                claimed.extend(
                    held.map(|device| (device.id, device.resting_driver().map(str::to_owned))),
                );
            }
            Entry::Unreadable { devices, .. } => {
                claimed.extend(devices.iter().map(|id| (*id, None)))
            }
        }
    }
    claimed
}

fn taints(engine: &Engine, driver: &str) -> Result<BTreeMap<DeviceId, Vec<Taint>>, String> {
    let mut taints: BTreeMap<DeviceId, Vec<Taint>> = BTreeMap::new();
    let mut taint = |id, reason| {
        taints
            .entry(id)
            .or_default()
            .push(Taint::no_schedule(driver, reason))
    };
    for (device, _) in engine.vanished().map_err(|error| error.to_string())? {
        taint(device, Reason::Gone);
    }
    for damage in engine.damaged().map_err(|error| error.to_string())? {
        damage
            .devices
            .into_iter()
            .for_each(|device| taint(device, Reason::UndoFailed));
    }
    Ok(taints)
}

#[cfg(test)]
mod tests;
