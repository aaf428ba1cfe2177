//! Whoever attaches: what it needs, and what it does when the runtime reports.

use std::{sync::Arc, time::Duration};

use ipnet::IpNet;

use super::{
    carry::Carrier,
    error::AttachError,
    sandbox::{ContainerView, Sandbox},
    underway::Underway,
};
use crate::{
    claim::{ClaimRef, DeviceRecord, Locks, Record, Store, home::host_netns},
    deadline::Deadline,
    device::{DeviceId, IfName, Mac},
    host::{HostError, Kernel},
    paths::Paths,
};

/// How long a release may wait for locks and for a namespace to die. Nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which claims a pod uses, from a watch of this node's pods: a shared claim is prepared once, for its first pod.
pub trait PodClaims: Send + Sync {
    /// Namespace and name of the claims of the pod with this UID, in the pod's order. Empty when it is not known (yet):
    /// claims that were prepared for the pod are found without.
    fn of(&self, pod_uid: &str) -> Vec<(String, String)>;
}

/// A netdev is in its pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Whose.
    pub claim: ClaimRef,
    /// Which.
    pub device: DeviceId,
    /// The request, `req` or `req/sub`.
    pub request: String,
    /// The slices' pool.
    pub pool: String,
    /// Which share.
    pub share_id: Option<String>,
    /// The name in the pod.
    pub if_name: IfName,
    /// The address in the pod.
    pub mac: Option<Mac>,
    /// Network addresses that it was given.
    pub addresses: Vec<IpNet>,
    /// `namespace/name` of the pod.
    pub pod: String,
}

/// A netdev is not in its pod any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    /// Whose.
    pub claim: ClaimRef,
    /// Which.
    pub device: DeviceId,
    /// The request, `req` or `req/sub`.
    pub request: String,
    /// The slices' pool.
    pub pool: String,
    /// Which share.
    pub share_id: Option<String>,
}

/// What has happened, for whoever writes claim status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A netdev came into its pod; also told for those that are there, when the runtime has told all sandboxes.
    Attached(Attached),
    /// It left.
    Detached(Detached),
}

/// Is told of changes, on the hook's thread: it must not wait.
pub type Report = Box<dyn Fn(Change) + Send + Sync>;

/// Attaches prepared netdevs to pods.
pub struct Attacher {
    pub(super) kernel: Arc<dyn Kernel>,
    pub(super) store: Store,
    pub(super) locks: Locks,
    pub(super) paths: Paths,
    /// The driver's name.
    pub(super) driver: String,
    pub(super) pods: Arc<dyn PodClaims>,
    pub(super) report: Report,
    pub(super) underway: Arc<Underway>,
}

impl Attacher {
    /// For the claims whose records are in `store`, at the same paths as the claims' engine. `driver` is the driver's name.
    pub fn new(
        kernel: Arc<dyn Kernel>,
        store: Store,
        paths: Paths,
        driver: &str,
        pods: Arc<dyn PodClaims>,
        report: Report,
    ) -> Self {
        let (locks, driver) = (Locks::new(&paths), driver.to_owned());
        Self {
            kernel,
            store,
            locks,
            paths,
            driver,
            pods,
            report,
            underway: Arc::default(),
        }
    }

    pub(super) fn carrier(&self) -> Result<Carrier<'_>, HostError> {
        Ok(Carrier {
            kernel: &*self.kernel,
            home: host_netns(&*self.kernel, &self.paths)?,
        })
    }

    pub(super) fn report_attached(&self, record: &Record, device: &DeviceRecord) {
        let (Some(plan), Some(attachment)) = (&device.netdev, &device.attachment) else {
            return;
        };
        (self.report)(Change::Attached(Attached {
            claim: record.claim.clone(),
            device: device.id,
            request: device.request.clone(),
            pool: device.pool.clone(),
            share_id: device.share_id.clone(),
            if_name: attachment.if_name.clone(),
            mac: attachment.mac,
            addresses: plan.addresses.clone(),
            pod: attachment.pod.clone(),
        }));
    }

    pub(super) fn report_detached(&self, record: &Record, device: &DeviceRecord) {
        (self.report)(Change::Detached(Detached {
            claim: record.claim.clone(),
            device: device.id,
            request: device.request.clone(),
            pool: device.pool.clone(),
            share_id: device.share_id.clone(),
        }));
    }

    fn attach_late(&self, sandbox: &Sandbox) {
        match self.attach(sandbox, Deadline::after(PATIENCE)) {
            Ok(()) => self.report_all(sandbox),
            Err(error) => tracing::warn!("{}", told(sandbox)(error)),
        }
    }

    fn let_go(&self, sandbox: &str) {
        self.underway.end(sandbox);
        if let Err(error) = self.release(sandbox, Deadline::after(PATIENCE)) {
            tracing::warn!(sandbox, "detach: {error}; the claim's release will do it");
        }
    }
}

/// What the runtime reports of a sandbox, as it comes. Errors are texts for the pod's events.
impl Attacher {
    /// The sandbox has its network: its netdevs go into it.
    ///
    /// # Errors
    /// A netdev could not be attached, or not by the deadline.
    pub fn run(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), String> {
        self.attach(sandbox, deadline).map_err(told(sandbox))
    }

    /// All its containers have ended: its netdevs are released.
    pub fn stop(&self, sandbox: &Sandbox) {
        self.let_go(&sandbox.id);
    }

    /// It is gone: what was not released is.
    pub fn remove(&self, sandbox: &Sandbox) {
        self.let_go(&sandbox.id);
    }

    /// A container may be created: all netdevs of the claims that it uses are in its pod.
    ///
    /// # Errors
    /// One is not.
    pub fn create_container(
        &self,
        sandbox: &Sandbox,
        container: &ContainerView,
        deadline: Deadline,
    ) -> Result<(), String> {
        self.may_start(sandbox, container, deadline)
            .map_err(told(sandbox))
    }

    /// A container was refused: what the sandbox lacks is attached late.
    pub fn refused(&self, sandbox: &Sandbox) {
        self.attach_late(sandbox);
    }

    /// Ids of the sandboxes that have a netdev.
    #[must_use]
    pub fn holding(&self) -> Vec<String> {
        self.sandboxes().unwrap_or_else(|error| {
            tracing::warn!(%error, "records");
            Vec::new()
        })
    }

    /// All sandboxes that there are, and those of [`Attacher::holding`] that are no more.
    pub fn synchronize(&self, living: Vec<Sandbox>, lost: Vec<String>) {
        lost.iter().for_each(|sandbox| self.let_go(sandbox));
        for sandbox in living {
            match sandbox.netns {
                Some(_) => self.attach_late(&sandbox),
                // A pod on the host's network, or a sandbox that was stopped and not yet removed.
                None if self.has_left(&sandbox.id) => self.let_go(&sandbox.id),
                None => {}
            }
        }
    }
}

/// The text for the pod's events.
fn told(sandbox: &Sandbox) -> impl Fn(AttachError) -> String {
    let pod = sandbox.to_string();
    move |error| format!("pod {pod}: {error}")
}
