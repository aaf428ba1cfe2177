//! What the server keeps of slices.

use kube::api::PostParams;

use super::{Kube, unreachable};
use crate::{
    api::Attribute,
    cluster::{ErrorKind, Result},
    slice::{CounterSet, Device, Features, Placed, Reason, Slice, Taint},
};

/// The first minor version of Kubernetes 1 that has counters in slices of their own.
const COUNTER_SLICES: u32 = 35;

impl Kube {
    pub(super) async fn kept_features(&self) -> Result<Features> {
        let taints = vec![Taint::no_schedule(&self.driver, Reason::Gone)];
        // One attribute, since a device without any would not distinguish the one answer from the
        // other.
        let attributes = [("type".to_owned(), Attribute::from("vf"))].into();
        let device = Device {
            name: "probe".into(),
            attributes,
            taints,
            ..Device::default()
        };
        let set = CounterSet {
            name: "probe".into(),
            counters: [("vfs".to_owned(), 1)].into(),
        };
        Ok(Features {
            counters: self.minor_version().await? >= COUNTER_SLICES
                && self.keeps(Slice::SharedCounters(vec![set])).await?,
            taints: self.keeps(Slice::Devices(vec![device])).await?,
        })
    }

    async fn minor_version(&self) -> Result<u32> {
        let info = self
            .request("server version", self.client.apiserver_version())
            .await?;
        // "35+" is a version too.
        let digits: String = info
            .minor
            .chars()
            .take_while(char::is_ascii_digit)
            .collect();
        digits.parse().map_err(|_| {
            unreachable(
                "server version",
                format!("minor version {:?} is no number", info.minor),
            )
        })
    }

    /// Whether the server would store this as it is. Nothing is written.
    async fn keeps(&self, content: Slice) -> Result<bool> {
        let probe = Placed {
            index: 0,
            generation: 0,
            count: 1,
            content,
        };
        let object = self.object(&probe).await?;
        let dry = PostParams {
            dry_run: true,
            ..PostParams::default()
        };
        match self
            .request(
                "slice, as a dry run",
                self.slice_api().create(&dry, &object),
            )
            .await
        {
            Ok(kept) => {
                let kept = self.stored(kept).content;
                Ok(without_times(kept) == probe.content)
            }
            Err(error) if error.kind == ErrorKind::Invalid => {
                tracing::info!(%error, "the server refuses what it does not know");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// The server adds since when a taint is there.
fn without_times(mut slice: Slice) -> Slice {
    if let Slice::Devices(devices) = &mut slice {
        devices
            .iter_mut()
            .flat_map(|device| &mut device.taints)
            .for_each(|taint| taint.time_added = None);
    }
    slice
}
