//! The real API server, by kube.

mod connection;
mod features;
mod in_use;
mod nads;
mod objects;
mod owner;
mod policies;
mod policy_status;
mod pools;
mod recorder;
mod watches;

use std::{fmt::Debug, future::Future, sync::Mutex, time::Duration};

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use k8s_openapi::{
    api::resource::v1::{ResourceClaim, ResourceSlice},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::{
    Api, Client,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions},
    core::Status,
};
use tokio::time::timeout;

use super::{
    Cluster, ClusterError, DeviceStatus, ErrorKind, Event, Nad, Pods, Policies, Result, claims,
    convert, slice_name,
    status::{self, Update},
};
use crate::{
    claim::AllocatedClaim,
    cni::NadRef,
    errors::with_sources,
    ledger::ClaimRef,
    slice::{Features, NodePool, Placed, SliceChange, StoredSlice},
};

use connection::Server;
use recorder::Recorder;

pub use connection::Access;
pub use in_use::InUse;

/// No single answer may take longer; kube itself waits for ever on a connection that has silently
/// died.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The API server, for one driver on one node.
pub struct Kube {
    client: Client,
    server: Server,
    driver: String,
    node: String,
    recorder: Recorder,
    /// As last read; none: to be read.
    node_uid: Mutex<Option<String>>,
}

impl Kube {
    /// With a client that is there already.
    #[must_use]
    pub fn new(client: Client, driver: &str, node: &str) -> Self {
        Self::of(client, Server::unnamed(), driver, node)
    }

    fn of(client: Client, server: Server, driver: &str, node: &str) -> Self {
        Self {
            client,
            server,
            driver: driver.into(),
            node: node.into(),
            recorder: Recorder::new(driver, node),
            node_uid: Mutex::default(),
        }
    }

    async fn request<T: Debug>(
        &self,
        subject: &str,
        answer: impl Future<Output = kube::Result<T>>,
    ) -> Result<T> {
        match timeout(TIMEOUT, answer).await {
            Ok(answer) => answer.map_err(|error| cluster_error(subject, error)),
            Err(_) => Err(unreachable(subject, self.no_answer(TIMEOUT))),
        }
    }

    fn slice_api(&self) -> Api<ResourceSlice> {
        Api::all(self.client.clone())
    }

    fn claim_api(&self, namespace: &str) -> Api<ResourceClaim> {
        Api::namespaced(self.client.clone(), namespace)
    }

    fn selector(&self) -> String {
        format!("spec.driver={},spec.nodeName={}", self.driver, self.node)
    }

    fn stored(&self, slice: ResourceSlice) -> StoredSlice {
        convert::stored(slice, &self.driver, &self.node)
    }

    async fn object(&self, slice: &Placed) -> Result<ResourceSlice> {
        let metadata = ObjectMeta {
            generate_name: Some(slice_name::prefix(slice.index, &self.driver, &self.node)),
            owner_references: Some(vec![self.owner().await?]),
            ..Default::default()
        };
        Ok(ResourceSlice {
            metadata,
            spec: convert::spec(slice, &self.driver, &self.node),
        })
    }
}

#[async_trait]
impl Cluster for Kube {
    async fn claim(&self, namespace: &str, name: &str) -> Result<Option<AllocatedClaim>> {
        let subject = format!("claim {namespace}/{name}");
        let api = self.claim_api(namespace);
        let read = async {
            match api.get(name).await {
                Err(kube::Error::Api(status)) if is_absent(&status) => Ok(None),
                read => read.map(Some),
            }
        };
        let read = self.request(&subject, read).await.map_err(not_served)?;
        let Some(claim) = read else {
            return Ok(None);
        };
        claims::allocated(claim, &self.driver).map_err(|error| ClusterError {
            kind: ErrorKind::Invalid,
            subject,
            text: error.to_string(),
        })
    }

    async fn report(&self, claim: &ClaimRef, devices: &[DeviceStatus]) -> Result<()> {
        let subject = format!("status of claim {claim}");
        let api = self.claim_api(&claim.namespace);
        let stored = self.request(&subject, api.get(&claim.name)).await?;
        let here = NodePool {
            driver: &self.driver,
            node: &self.node,
        };
        let body = match status::update(&stored, (claim, devices), here, Timestamp::now()) {
            Update::Same => return Ok(()),
            Update::Apply(body) => Patch::Apply(body),
            Update::NotOurs => return Err(not_ours(subject)),
        };
        let params = PatchParams::apply(&self.driver).force();
        self.request(&subject, api.patch_status(&claim.name, &params, &body))
            .await?;
        Ok(())
    }

    async fn event(&self, event: &Event) -> Result<()> {
        self.record(event).await
    }

    async fn features(&self) -> Result<Features> {
        self.kept_features().await
    }

    async fn slices(&self) -> Result<Vec<StoredSlice>> {
        let params = ListParams::default().fields(&self.selector());
        let all = self
            .request("slices of this node", self.slice_api().list(&params))
            .await?;
        // The Node may have been made anew since the last list.
        let node = self.read_node_uid().await?;
        Ok(all
            .items
            .into_iter()
            .map(|slice| self.owned(slice, node.as_deref()))
            .collect())
    }

    async fn create_slice(&self, slice: &Placed) -> Result<StoredSlice> {
        let object = self.object(slice).await?;
        let subject = format!("slice {} of this node", slice.index);
        let made = self
            .request(
                &subject,
                self.slice_api().create(&PostParams::default(), &object),
            )
            .await?;
        Ok(self.stored(made))
    }

    async fn update_slice(&self, stored: &StoredSlice, slice: &Placed) -> Result<StoredSlice> {
        let mut object = self.object(slice).await?;
        object.metadata.name = Some(stored.name.clone());
        object.metadata.uid = Some(stored.uid.clone());
        object.metadata.resource_version = Some(stored.version.clone());
        let subject = format!("slice {}", stored.name);
        let now = self
            .request(
                &subject,
                self.slice_api()
                    .replace(&stored.name, &PostParams::default(), &object),
            )
            .await?;
        Ok(self.stored(now))
    }

    async fn delete_slice(&self, stored: &StoredSlice) -> Result<()> {
        let (uid, resource_version) = (Some(stored.uid.clone()), Some(stored.version.clone()));
        let params = DeleteParams::default().preconditions(Preconditions {
            resource_version,
            uid,
        });
        match self
            .request(
                &format!("slice {}", stored.name),
                self.slice_api().delete(&stored.name, &params),
            )
            .await
        {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn slice_changes(&self) -> BoxStream<'static, SliceChange> {
        watches::slices(self.slice_api(), &self.selector())
    }

    async fn network(&self, nad: &NadRef) -> Result<Option<Nad>> {
        self.read_network(nad).await
    }

    fn pods(&self) -> Pods {
        watches::pods(Api::all(self.client.clone()), &self.node)
    }

    fn policies(&self, namespace: &str) -> Policies {
        policies::follow(self.client.clone(), namespace, Some(&self.node))
    }
}

/// Whether the server says that there is no object of that name. One that does not serve the kind (an
/// older version of it, an API that was switched off) answers 404 as well, and says nothing of the
/// object.
fn is_absent(status: &Status) -> bool {
    const UNSERVED: [&str; 2] = [
        "the server could not find the requested resource",
        "404 page not found",
    ];
    let is_unserved = UNSERVED.iter().any(|text| status.message.contains(text));
    status.is_not_found() && !is_unserved
}

fn not_served(error: ClusterError) -> ClusterError {
    match error.kind {
        ErrorKind::NotFound => ClusterError {
            kind: ErrorKind::Unreachable,
            text: format!("{}; it may serve no resource.k8s.io/v1", error.text.trim()),
            ..error
        },
        _ => error,
    }
}

fn not_ours(subject: String) -> ClusterError {
    ClusterError {
        kind: ErrorKind::NotFound,
        subject,
        text: "was replaced, or is not allocated on this node any more".into(),
    }
}

fn cluster_error(subject: &str, error: kube::Error) -> ClusterError {
    let kube::Error::Api(status) = error else {
        return unreachable(subject, without_prefix(&with_sources(&error)));
    };
    let kind = match status.code {
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        400 | 413 | 422 => ErrorKind::Invalid,
        401 | 403 => ErrorKind::Forbidden,
        _ => ErrorKind::Unreachable,
    };
    let text = if status.message.is_empty() {
        status.reason
    } else {
        status.message
    };
    ClusterError {
        kind,
        subject: subject.to_owned(),
        text,
    }
}

/// kube's name of its variant says nothing to a user.
fn without_prefix(text: &str) -> String {
    text.trim_start_matches("ServiceError: ").to_owned()
}

fn unreachable(subject: &str, text: String) -> ClusterError {
    ClusterError {
        kind: ErrorKind::Unreachable,
        subject: subject.to_owned(),
        text,
    }
}
