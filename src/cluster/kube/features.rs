//! What the server keeps of slices.

use kube::{api::PostParams, core::Status};
use tokio::time::timeout;

use super::{Kube, TIMEOUT, cluster_error, unreachable};
use crate::{
    api::Attribute,
    cluster::Result,
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
        let counters = Slice::SharedCounters(vec![set]);
        Ok(Features {
            counters: self.minor_version().await? >= COUNTER_SLICES
                && self.keeps(counters, "spec.sharedCounters").await?,
            taints: self
                .keeps(Slice::Devices(vec![device]), "spec.devices")
                .await?,
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

    /// Whether the server would store this as it is. Nothing is written. Only what its validation
    /// says about the field counts as a refusal: a proxy, a webhook or a policy may refuse anything.
    async fn keeps(&self, content: Slice, field: &str) -> Result<bool> {
        const SUBJECT: &str = "slice, as a dry run";
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
        match timeout(TIMEOUT, self.slice_api().create(&dry, &object)).await {
            Err(_) => Err(unreachable(SUBJECT, self.no_answer(TIMEOUT))),
            Ok(Ok(kept)) => Ok(without_times(self.stored(kept).content) == probe.content),
            Ok(Err(kube::Error::Api(status))) if is_invalid(&status, field) => {
                let error = status.message;
                tracing::info!(error, field, "the server refuses what it does not know");
                Ok(false)
            }
            Ok(Err(error)) => Err(cluster_error(SUBJECT, error)),
        }
    }
}

/// Whether the server's own validation refuses the field. Policies answer 422 as well; their causes
/// name no field.
fn is_invalid(status: &Status, field: &str) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let mut fields = causes.map(|cause| &cause.field).peekable();
    let named = match fields.peek() {
        None => status.message.contains(field) && !status.message.contains("denied"),
        Some(_) => fields.any(|named| named.starts_with(field)),
    };
    status.code == 422 && status.reason == "Invalid" && named
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
