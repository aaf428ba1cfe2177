//! An API server in memory, for tests and the demo: it numbers versions, refuses stale writes,
//! drops fields of features that it lacks, and can fail.

mod node;
mod policies;
mod pools;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::{
    Cluster, ClusterError, DeviceStatus, ErrorKind, Event, Nad, Pod, Pods, Policies, PolicyView,
    Result, slice_name,
};
use crate::{
    claim::AllocatedClaim,
    cni::NadRef,
    ledger::ClaimRef,
    slice::{Features, Placed, Slice, SliceChange, StoredSlice},
};

/// The server.
#[derive(Debug)]
pub struct Memory(Mutex<State>);

#[derive(Debug)]
struct State {
    features: Features,
    claims: BTreeMap<String, AllocatedClaim>,
    statuses: BTreeMap<String, Vec<DeviceStatus>>,
    events: Vec<Event>,
    pods: Vec<Pod>,
    networks: BTreeMap<NadRef, Result<Nad>>,
    slices: BTreeMap<String, StoredSlice>,
    version: u64,
    writes: Vec<String>,
    failures: Vec<ErrorKind>,
    refused: BTreeMap<usize, ErrorKind>,
    report_failures: Vec<ErrorKind>,
    report_takes: Duration,
    watchers: Vec<mpsc::UnboundedSender<SliceChange>>,
    controller: pools::ControllerObjects,
    policies: watch::Sender<PolicyView>,
    node: node::NodeObject,
}

impl Default for Memory {
    fn default() -> Self {
        Self::with(Features {
            counters: true,
            taints: true,
        })
    }
}

impl Memory {
    /// A server that has these features; fields of others are dropped in silence.
    #[must_use]
    pub fn with(features: Features) -> Self {
        Self(Mutex::new(State {
            features,
            claims: BTreeMap::new(),
            statuses: BTreeMap::new(),
            events: Vec::new(),
            pods: Vec::new(),
            networks: BTreeMap::new(),
            slices: BTreeMap::new(),
            version: 0,
            writes: Vec::new(),
            failures: Vec::new(),
            refused: BTreeMap::new(),
            report_failures: Vec::new(),
            report_takes: Duration::ZERO,
            watchers: Vec::new(),
            controller: pools::ControllerObjects::default(),
            policies: policies::none(),
            node: node::NodeObject::default(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The scheduler has allocated a claim.
    pub fn allocate(&self, claim: AllocatedClaim) {
        self.state().claims.insert(claim.claim.to_string(), claim);
    }

    /// Somebody deletes a claim.
    pub fn forget(&self, claim: &ClaimRef) {
        self.state().claims.remove(&claim.to_string());
    }

    /// A pod is bound to this node; only a view that is opened afterwards has it.
    pub fn bind(&self, pod: Pod) {
        self.state().pods.push(pod);
    }

    /// Somebody creates or changes a NetworkAttachmentDefinition, or it cannot be read.
    pub fn define(&self, network: NadRef, read: Result<Nad>) {
        self.state().networks.insert(network, read);
    }

    /// What was last reported of a claim.
    #[must_use]
    pub fn reported(&self, claim: &ClaimRef) -> Vec<DeviceStatus> {
        self.state()
            .statuses
            .get(&claim.to_string())
            .cloned()
            .unwrap_or_default()
    }

    /// All events so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    /// All slices as they are, in the order of their names; without the failures of
    /// [`Memory::fail`].
    #[must_use]
    pub fn stored(&self) -> Vec<StoredSlice> {
        self.state().slices.values().cloned().collect()
    }

    /// Writes of slices since the last question: `create 0`, `update 0`, `delete 0`.
    pub fn writes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().writes)
    }

    /// The server is another version from now on; what it holds stays as it is.
    pub fn upgrade(&self, features: Features) {
        self.state().features = features;
    }

    /// The watches of slices begin, or were interrupted.
    pub fn interrupt(&self) {
        self.state().notify(&SliceChange::Unknown);
    }

    /// The next calls about slices fail, in this order.
    pub fn fail(&self, failures: &[ErrorKind]) {
        self.state().failures = failures.iter().rev().copied().collect();
    }

    /// Updates of the slice with this index are refused so, or not any more.
    pub fn refuse_update(&self, index: usize, kind: Option<ErrorKind>) {
        let refused = &mut self.state().refused;
        match kind {
            Some(kind) => drop(refused.insert(index, kind)),
            None => drop(refused.remove(&index)),
        }
    }

    /// The next statuses and events fail, in this order.
    pub fn fail_reports(&self, failures: &[ErrorKind]) {
        self.state().report_failures = failures.iter().rev().copied().collect();
    }

    /// From now on each status takes so long.
    pub fn slow_reports(&self, takes: Duration) {
        self.state().report_takes = takes;
    }

    /// What the kubelet does when it starts.
    pub fn wipe(&self) {
        let mut state = self.state();
        for name in std::mem::take(&mut state.slices).into_keys() {
            state.notify(&SliceChange::Deleted { name });
        }
    }

    /// Somebody edits a slice by hand.
    pub fn edit(&self, index: usize, edit: impl FnOnce(&mut StoredSlice)) {
        let mut state = self.state();
        let found = state
            .slices
            .values()
            .find(|slice| slice.index == Some(index))
            .cloned();
        let Some(mut slice) = found else { return };
        edit(&mut slice);
        state.store(slice);
    }
}

impl State {
    fn notify(&mut self, change: &SliceChange) {
        self.watchers
            .retain(|watcher| watcher.send(change.clone()).is_ok());
    }

    fn store(&mut self, mut slice: StoredSlice) -> StoredSlice {
        self.version += 1;
        slice.version = self.version.to_string();
        slice.content = kept(slice.content, self.features);
        self.slices.insert(slice.name.clone(), slice.clone());
        self.notify(&SliceChange::Applied {
            name: slice.name.clone(),
            version: slice.version.clone(),
        });
        slice
    }

    fn trip(&mut self, subject: &str) -> Result<()> {
        self.failures.pop().map_or(Ok(()), injected(subject))
    }

    fn trip_report(&mut self, subject: &str) -> Result<()> {
        self.report_failures.pop().map_or(Ok(()), injected(subject))
    }

    /// The stored slice, if it is still the one that was read.
    fn same(&self, read: &StoredSlice) -> Result<()> {
        let (kind, text) = match self.slices.get(&read.name) {
            None => (ErrorKind::NotFound, "not found"),
            Some(now) if now.version != read.version || now.uid != read.uid => {
                (ErrorKind::Conflict, "was changed")
            }
            Some(_) => return Ok(()),
        };
        Err(ClusterError {
            kind,
            subject: format!("slice {}", read.name),
            text: text.into(),
        })
    }
}

fn injected(subject: &str) -> impl Fn(ErrorKind) -> Result<()> {
    move |kind| {
        Err(ClusterError {
            kind,
            subject: subject.into(),
            text: "a failure that the test injects".into(),
        })
    }
}

/// What a server with these features stores.
fn kept(content: Slice, features: Features) -> Slice {
    let mut devices = match content {
        Slice::SharedCounters(sets) if features.counters => return Slice::SharedCounters(sets),
        Slice::SharedCounters(_) => Vec::new(),
        Slice::Devices(devices) => devices,
    };
    for device in &mut devices {
        if !features.counters {
            device.consumes.clear();
        }
        if !features.taints {
            device.taints.clear();
        }
        let now = Timestamp::from_second(Timestamp::now().as_second()).ok();
        for taint in &mut device.taints {
            taint.time_added = taint.time_added.or(now);
        }
    }
    Slice::Devices(devices)
}

#[async_trait]
impl Cluster for Memory {
    async fn claim(&self, namespace: &str, name: &str) -> Result<Option<AllocatedClaim>> {
        Ok(self
            .state()
            .claims
            .get(&format!("{namespace}/{name}"))
            .cloned())
    }

    async fn report(&self, claim: &ClaimRef, devices: &[DeviceStatus]) -> Result<()> {
        let takes = self.state().report_takes;
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        let mut state = self.state();
        state.trip_report(&format!("status of claim {claim}"))?;
        state.statuses.insert(claim.to_string(), devices.to_vec());
        Ok(())
    }

    async fn event(&self, event: &Event) -> Result<()> {
        let mut state = self.state();
        state.trip_report(event.reason)?;
        state.events.push(event.clone());
        Ok(())
    }

    async fn features(&self) -> Result<Features> {
        let mut state = self.state();
        state.trip("features")?;
        Ok(state.features)
    }

    async fn slices(&self) -> Result<Vec<StoredSlice>> {
        let mut state = self.state();
        state.trip("slices")?;
        state.node.read();
        let all = state.slices.values().cloned();
        Ok(all.map(|slice| state.node.owned(slice)).collect())
    }

    async fn create_slice(&self, slice: &Placed) -> Result<StoredSlice> {
        let mut state = self.state();
        state.trip("create")?;
        state.node.owner()?;
        state.writes.push(format!("create {}", slice.index));
        let number = state.version + 1;
        Ok(state.write(StoredSlice {
            name: format!(
                "{}{number:05}",
                slice_name::prefix(slice.index, "driver", "node")
            ),
            uid: format!("uid-{number}"),
            version: String::new(),
            index: Some(slice.index),
            own_pool: true,
            generation: slice.generation,
            count: i64::try_from(slice.count).unwrap_or(i64::MAX),
            content: slice.content.clone(),
            foreign: false,
        }))
    }

    async fn update_slice(&self, stored: &StoredSlice, slice: &Placed) -> Result<StoredSlice> {
        let mut state = self.state();
        state.trip("update")?;
        let refused = state.refused.get(&slice.index).copied();
        refused.map_or(Ok(()), injected("update"))?;
        state.same(stored)?;
        state.node.owner()?;
        state.writes.push(format!("update {}", slice.index));
        Ok(state.write(StoredSlice {
            generation: slice.generation,
            count: i64::try_from(slice.count).unwrap_or(i64::MAX),
            content: slice.content.clone(),
            foreign: false,
            ..stored.clone()
        }))
    }

    async fn delete_slice(&self, stored: &StoredSlice) -> Result<()> {
        let mut state = self.state();
        state.trip("delete")?;
        match state.same(stored) {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            same => same?,
        }
        let index = stored.index.map_or("?".into(), |index| index.to_string());
        state.writes.push(format!("delete {index}"));
        state.slices.remove(&stored.name);
        state.notify(&SliceChange::Deleted {
            name: stored.name.clone(),
        });
        Ok(())
    }

    fn slice_changes(&self) -> BoxStream<'static, SliceChange> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.state().watchers.push(sender);
        UnboundedReceiverStream::new(receiver)
            .chain(futures::stream::pending())
            .boxed()
    }

    async fn network(&self, nad: &NadRef) -> Result<Option<Nad>> {
        self.state().networks.get(nad).cloned().transpose()
    }

    fn pods(&self) -> Pods {
        Pods::of(self.state().pods.clone())
    }

    fn policies(&self, _: &str) -> Policies {
        self.state().policies.subscribe()
    }
}
