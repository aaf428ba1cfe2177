//! Whoever attaches: what it needs, and what it does on each event of a sandbox.

use std::{sync::Arc, time::Duration};

use super::{ContainerView, Sandbox, error::AttachError, underway::Underway};
use crate::{
    deadline::Deadline,
    host::{HostError, Kernel},
    ledger::{ClaimRef, ClaimUid, Locks, Store},
    netdev::{Mover, host_netns},
    paths::Paths,
    slice::NodePool,
};

/// How long a release may wait for locks and for a namespace to die. Nobody waits for it.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Which claims a pod uses, from a watch of this node's pods: a shared claim is prepared once, for
/// its first pod.
pub trait PodClaims: Send + Sync {
    /// Namespace and name of the claims of the pod with this UID, in the pod's order. Empty when it
    /// is not known (yet): claims that were prepared for the pod are found without.
    fn of(&self, pod_uid: &str) -> Vec<(String, String)>;

    /// The networks that it asks for by annotation, as the text has them; empty: none, or not known.
    fn networks(&self, pod_uid: &str) -> String {
        let _ = pod_uid;
        String::new()
    }
}

/// What has happened to a netdev of a claim, for whoever writes claim status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It came into its pod; also reported for those that are there, when the runtime has listed
    /// its sandboxes.
    Attached(ClaimUid),
    /// It left.
    Detached(ClaimUid),
}

impl Change {
    /// The claim whose status is another now.
    #[must_use]
    pub fn claim(self) -> ClaimUid {
        match self {
            Self::Attached(claim) | Self::Detached(claim) => claim,
        }
    }
}

/// Is called for each change, on the hook's thread: it must not wait.
pub type Report = Box<dyn Fn(Change) + Send + Sync>;

/// Attaches prepared netdevs to pods.
pub struct Attacher {
    pub(super) kernel: Arc<dyn Kernel>,
    pub(super) store: Store,
    pub(super) locks: Locks,
    pub(super) paths: Paths,
    /// The driver's name.
    pub(super) driver: String,
    /// This node's name.
    pub(super) node: String,
    pub(super) pods: Arc<dyn PodClaims>,
    pub(super) report: Report,
    pub(super) underway: Arc<Underway>,
}

impl Attacher {
    /// For the claims whose records are in `store`, at the same paths as the claims' engine. `here`
    /// is this node's pool.
    pub fn new(
        kernel: Arc<dyn Kernel>,
        store: Store,
        paths: Paths,
        here: NodePool<'_>,
        pods: Arc<dyn PodClaims>,
        report: Report,
    ) -> Self {
        let locks = Locks::new(&paths);
        Self {
            driver: here.driver.to_owned(),
            node: here.node.to_owned(),
            kernel,
            store,
            locks,
            paths,
            pods,
            report,
            underway: Arc::default(),
        }
    }

    pub(super) fn mover(&self) -> Result<Mover<'_>, HostError> {
        Ok(Mover {
            kernel: &*self.kernel,
            host: host_netns(&*self.kernel, &self.paths)?,
        })
    }

    pub(super) fn report_attached(&self, claim: &ClaimRef) {
        (self.report)(Change::Attached(claim.uid.clone()));
    }

    pub(super) fn report_detached(&self, claim: &ClaimRef) {
        (self.report)(Change::Detached(claim.uid.clone()));
    }
}

/// The events of a sandbox. Each of these blocks, and two may run at once. An error's text is what
/// a person reads in the pod's events.
impl Attacher {
    /// The sandbox has its network; containers do not run yet. Repeated calls for a sandbox are
    /// success.
    ///
    /// # Errors
    /// Nothing of the sandbox's claims is in it.
    pub fn run(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), String> {
        self.attach(sandbox, deadline).map_err(event_text(sandbox))
    }

    /// All its containers have ended: its netdevs are released.
    pub fn stop(&self, sandbox: &Sandbox) {
        self.release_sandbox(&sandbox.id);
    }

    /// It is gone: what was not released is.
    pub fn remove(&self, sandbox: &Sandbox) {
        self.release_sandbox(&sandbox.id);
    }

    /// A container of the sandbox is about to be created.
    ///
    /// # Errors
    /// It must not be: a netdev of its claims is not in the sandbox.
    pub fn create_container(
        &self,
        sandbox: &Sandbox,
        container: &ContainerView,
        deadline: Deadline,
    ) -> Result<(), String> {
        self.may_start(sandbox, container, deadline)
            .map_err(event_text(sandbox))
    }

    /// A container was refused: what the sandbox lacks is attached late.
    pub fn refused(&self, sandbox: &Sandbox) {
        self.attach_late(sandbox);
    }

    /// Ids of the sandboxes that a netdev is recorded for.
    #[must_use]
    pub fn holding(&self) -> Vec<String> {
        self.sandboxes().unwrap_or_else(|error| {
            tracing::warn!(%error, "records");
            Vec::new()
        })
    }

    /// All sandboxes there are, and those of [`Attacher::holding`] that are no more.
    pub fn synchronize(&self, living: Vec<Sandbox>, lost: Vec<String>) {
        lost.iter()
            .for_each(|sandbox| self.release_sandbox(sandbox));
        for sandbox in living {
            match sandbox.netns {
                Some(_) => self.attach_late(&sandbox),
                // A pod on the host's network, or a sandbox that was stopped and not yet removed.
                None if self.has_left(&sandbox.id) => self.release_sandbox(&sandbox.id),
                None => {}
            }
        }
    }

    /// Attaches what no call has attached, and reports all that the sandbox has.
    fn attach_late(&self, sandbox: &Sandbox) {
        match self.attach(sandbox, Deadline::after(TIMEOUT)) {
            Ok(()) => self.report_all(sandbox),
            Err(error) => tracing::warn!("{}", event_text(sandbox)(error)),
        }
    }

    fn release_sandbox(&self, sandbox: &str) {
        self.underway.end(sandbox);
        if let Err(error) = self.release(sandbox, Deadline::after(TIMEOUT)) {
            tracing::warn!(sandbox, "detach: {error}; the claim's release will do it");
        }
    }
}

/// The text for the pod's events.
fn event_text(sandbox: &Sandbox) -> impl Fn(AttachError) -> String {
    let pod = sandbox.to_string();
    move |error| format!("pod {pod}: {error}")
}
