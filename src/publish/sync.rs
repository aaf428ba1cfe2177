//! Our view of the server's slices, and the writing of what differs.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Published,
    gate::{Gate, Stop},
    plan::{Write, is_followed, plan, with_times},
};
use crate::{
    cluster::{Cluster, ClusterError, ErrorKind, Result},
    slice::{Features, Placed, Slice, SliceChange, StoredSlice},
};

/// What is known of the server.
#[derive(Debug, Default)]
pub(super) struct View {
    /// By name, as last read or written by us.
    stored: BTreeMap<String, StoredSlice>,
    /// Slices that the server did not keep as they were sent, by index: sent again it would drop
    /// the same again.
    dropped: BTreeMap<usize, Dropped>,
    /// The server adds something to whatever we write, so that finding it is no reason to write
    /// again.
    adds: bool,
    /// The highest generation seen, even if all slices have gone since.
    generation: i64,
    /// Anything may be there: list before the next plan.
    stale: bool,
    /// The server has dropped fields since [`View::has_dropped`] was last asked.
    drops: bool,
}

/// What was written.
#[derive(Debug)]
pub(super) struct Round {
    pub(super) writes: Vec<String>,
    /// Why not all of it.
    pub(super) stopped: Option<Stop>,
}

#[derive(Debug)]
struct Dropped {
    sent: Slice,
    kept: Slice,
}

impl View {
    pub(super) fn unread() -> Self {
        Self {
            stale: true,
            ..Self::default()
        }
    }

    /// Whether this change is news: neither written by this agent, nor older than what it has
    /// written since.
    pub(super) fn is_news(&self, change: &SliceChange) -> bool {
        match change {
            SliceChange::Applied { name, version } => self
                .stored
                .get(name)
                .is_none_or(|slice| older(&slice.version, version)),
            SliceChange::Deleted { name } => self.stored.contains_key(name),
            SliceChange::Unknown => true,
        }
    }

    /// Whether this change undoes something: of a slice that is known to be there.
    pub(super) fn is_rewrite(&self, change: &SliceChange) -> bool {
        match change {
            SliceChange::Applied { name, .. } | SliceChange::Deleted { name } => {
                self.stored.contains_key(name)
            }
            SliceChange::Unknown => false,
        }
    }

    /// Whether the server has dropped anything since the last question.
    pub(super) fn has_dropped(&mut self) -> bool {
        std::mem::take(&mut self.drops)
    }

    /// The server keeps more than it did: all is sent again.
    pub(super) fn forget_dropped(&mut self) {
        self.dropped.clear();
        self.adds = false;
        self.stale = true;
    }

    pub(super) fn doubt(&mut self) {
        self.stale = true;
    }

    /// Lists, if there is doubt.
    pub(super) async fn read(&mut self, cluster: &dyn Cluster) -> Result<()> {
        if self.stale {
            let all = cluster.slices().await?;
            self.stored = all
                .into_iter()
                .map(|slice| (slice.name.clone(), self.tolerated(slice)))
                .collect();
            self.stale = false;
        }
        self.generation = self
            .stored
            .values()
            .map(|slice| slice.generation)
            .filter(|generation| is_followed(*generation))
            .max()
            .unwrap_or(0)
            .max(self.generation);
        Ok(())
    }

    fn tolerated(&self, slice: StoredSlice) -> StoredSlice {
        StoredSlice {
            foreign: slice.foreign && !self.adds,
            ..slice
        }
    }

    pub(super) fn published(&self, features: Features) -> Published {
        let devices = self
            .stored
            .values()
            .filter(|slice| slice.own_pool)
            .flat_map(|slice| slice.content.devices());
        Published {
            devices: devices
                .map(|device| (device.name.clone(), device.clone()))
                .collect(),
            features,
        }
    }

    /// Makes the server hold what is desired, as far as the gate lets it.
    pub(super) async fn write(
        &mut self,
        cluster: &dyn Cluster,
        desired: &[Slice],
        gate: &mut Gate,
    ) -> Result<Round> {
        self.dropped
            .retain(|index, dropped| desired.get(*index) == Some(&dropped.sent));
        let stored: Vec<StoredSlice> = self.stored.values().cloned().collect();
        let (mut writes, mut refused) = (Vec::new(), None);
        for write in plan(&stored, &self.expected(desired), self.generation) {
            if let stopped @ Some(_) = gate.stop() {
                return Ok(Round { writes, stopped });
            }
            let of_counters = write.is_of_counters();
            if refused.is_some() && of_counters {
                // What consumes from them may be as it was.
                break;
            }
            gate.wrote();
            match self.one(cluster, write, desired, gate).await {
                Ok(text) => writes.push(text),
                Err(error) if is_refusal(&error) && !of_counters => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        if let Some(error) = refused {
            return Err(error);
        }
        gate.settled();
        let stopped = None;
        Ok(Round { writes, stopped })
    }

    /// What the server can be brought to hold: where it dropped fields of the very same slice,
    /// without them.
    fn expected(&self, desired: &[Slice]) -> Vec<Slice> {
        let kept = |(index, slice): (usize, &Slice)| match self.dropped.get(&index) {
            Some(dropped) => dropped.kept.clone(),
            None => slice.clone(),
        };
        desired.iter().enumerate().map(kept).collect()
    }

    async fn one(
        &mut self,
        cluster: &dyn Cluster,
        write: Write,
        desired: &[Slice],
        gate: &mut Gate,
    ) -> Result<String> {
        let (verb, placed, now) = match write {
            Write::Delete(slice) => {
                cluster.delete_slice(&slice).await?;
                self.stored.remove(&slice.name);
                return Ok(format!("delete {}", slice.name));
            }
            Write::Update(old, placed) => (
                "update",
                placed.clone(),
                cluster.update_slice(&old, &placed).await?,
            ),
            Write::Create(placed) => (
                "create",
                placed.clone(),
                cluster.create_slice(&placed).await?,
            ),
        };
        if verb == "create" {
            gate.created(&now.name);
        }
        self.compare(&placed, &now, &desired[placed.index]);
        self.adds |= now.foreign;
        let now = self.tolerated(now);
        self.generation = self.generation.max(now.generation);
        let text = format!("{verb} {} generation {}", now.name, now.generation);
        self.stored.insert(now.name.clone(), now);
        Ok(text)
    }

    /// Remembers what the server has not kept.
    fn compare(&mut self, placed: &Placed, now: &StoredSlice, desired: &Slice) {
        let sent = with_times(&placed.content, &now.content);
        if sent == now.content {
            return;
        }
        tracing::warn!(
            slice = now.name,
            dropped = differences(&sent, &now.content),
            "the server has not kept all of a slice: its feature gates are off"
        );
        self.drops = true;
        self.dropped.insert(
            placed.index,
            Dropped {
                sent: desired.clone(),
                kept: now.content.clone(),
            },
        );
    }
}

/// Whether one slice was refused, which says nothing of the others.
fn is_refusal(error: &ClusterError) -> bool {
    matches!(error.kind, ErrorKind::Invalid | ErrorKind::Forbidden)
}

/// Versions are numbers since Kubernetes 1.35, and always were; should they not be, whatever
/// differs is news.
fn older(ours: &str, theirs: &str) -> bool {
    match (ours.parse::<u64>(), theirs.parse::<u64>()) {
        (Ok(ours), Ok(theirs)) => ours < theirs,
        _ => ours != theirs,
    }
}

/// The names of the fields that are missing.
fn differences(sent: &Slice, kept: &Slice) -> String {
    let (Slice::Devices(sent), Slice::Devices(kept)) = (sent, kept) else {
        return "sharedCounters".into();
    };
    let mut fields = BTreeSet::new();
    for (sent, kept) in sent.iter().zip(kept) {
        let pairs = [
            ("attributes", sent.attributes != kept.attributes),
            ("consumesCounters", sent.consumes != kept.consumes),
            ("taints", sent.taints != kept.taints),
        ];
        fields.extend(
            pairs
                .into_iter()
                .filter(|(_, differs)| *differs)
                .map(|(field, _)| field),
        );
    }
    if sent.len() != kept.len() {
        fields.insert("devices");
    }
    fields.into_iter().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slice::Device;

    #[test]
    fn only_what_others_did_is_news() {
        let stored = StoredSlice {
            name: "ours".into(),
            uid: "u".into(),
            version: "9".into(),
            index: Some(0),
            own_pool: true,
            generation: 1,
            count: 1,
            content: Slice::Devices(Vec::new()),
            foreign: false,
        };
        let view = View {
            stored: [("ours".into(), stored)].into(),
            ..View::default()
        };
        let applied = |name: &str, version: &str| SliceChange::Applied {
            name: name.into(),
            version: version.into(),
        };
        assert!(!view.is_news(&applied("ours", "9")), "our own write");
        assert!(!view.is_news(&applied("ours", "8")), "before our own write");
        assert!(view.is_news(&applied("ours", "10")) && view.is_news(&applied("theirs", "1")));
        assert!(view.is_news(&SliceChange::Deleted {
            name: "ours".into()
        }));
        assert!(!view.is_news(&SliceChange::Deleted {
            name: "deleted by us".into()
        }));
        assert!(view.is_news(&SliceChange::Unknown));
    }

    /// A slice of this driver on this node that somebody has put into another pool.
    #[test]
    fn a_name_in_another_pool_is_no_device_of_this_node() {
        let slice = |name: &str, own_pool: bool, kind: &str| StoredSlice {
            name: name.into(),
            uid: "u".into(),
            version: "9".into(),
            index: None,
            own_pool,
            generation: 1,
            count: 1,
            content: Slice::Devices(vec![Device {
                name: "0000-3b-02-1".into(),
                attributes: [("pool".to_owned(), kind.into())].into(),
                ..Device::default()
            }]),
            foreign: false,
        };
        for (ours, theirs) in [("1", "2"), ("2", "1")] {
            let stored = [slice(ours, true, "ours"), slice(theirs, false, "theirs")];
            let view = View {
                stored: stored.map(|slice| (slice.name.clone(), slice)).into(),
                ..View::default()
            };
            let features = Features {
                counters: true,
                taints: true,
            };
            let published = view.published(features);
            assert_eq!(published.devices["0000-3b-02-1"].text("pool"), "ours");
        }
    }
}
