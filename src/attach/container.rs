//! A container is about to be created: what it mounts says which claims it uses, and their netdevs
//! must be in its pod.

use std::{ffi::OsStr, path::Path, time::Duration};

use super::{
    Attacher, ContainerView, Sandbox,
    error::{AttachError, Reason},
    start_gate::{into_pod, is_hooked},
};
use crate::{claim::view::claim_of_mount, deadline::Deadline, ledger::DeviceRecord};

/// How long a container waits whose sandbox has been waited for before.
const ONCE_MORE: Duration = Duration::from_millis(50);

impl Attacher {
    /// Whether the container may be created. While the sandbox is being attached none may, also
    /// none that uses no claim: the pod's network comes first. It is waited for, since the kubelet
    /// would only ask again some ten seconds later, but only by the sandbox's first container: the
    /// runtime holds a lock for the whole node while it waits for this answer. Afterwards containers
    /// that use no claim with a netdev may.
    pub(super) fn may_start(
        &self,
        sandbox: &Sandbox,
        container: &ContainerView,
        deadline: Deadline,
    ) -> Result<(), AttachError> {
        self.wait_for(sandbox, deadline)?;
        let attached = self.paths.attached();
        container
            .sources_below(&attached)
            .try_for_each(|source| self.check(sandbox, &container.name, source))
    }

    fn wait_for(&self, sandbox: &Sandbox, deadline: Deadline) -> Result<(), AttachError> {
        if !self.underway.is_at_work(&sandbox.id) {
            return Ok(());
        }
        let timeout = match self.underway.may_wait(&sandbox.id) {
            true => deadline,
            false => Deadline::after(deadline.left().min(ONCE_MORE)),
        };
        let settled =
            || Ok::<_, AttachError>((!self.underway.is_at_work(&sandbox.id)).then_some(()));
        timeout.poll(settled)?.ok_or(AttachError::Underway)
    }

    /// `source` is the document of one request of a claim.
    fn check(&self, sandbox: &Sandbox, container: &str, source: &Path) -> Result<(), AttachError> {
        let path = source.display().to_string();
        let record = match claim_of_mount(&self.paths, &path) {
            Some(uid) => self.store.load(&uid)?,
            None => None,
        };
        let record = record.ok_or_else(|| AttachError::NoClaim {
            container: container.to_owned(),
            path,
        })?;
        self.check_node(&record)
            .map_err(|reason| reason.of(&record.owner.claim))?;
        let request = source.file_stem().and_then(OsStr::to_str);
        let mut devices = into_pod(&record).filter(|device| Some(device.base_request()) == request);
        match devices.find_map(|device| self.fault(device, sandbox)) {
            Some(reason) => Err(reason.of(&record.owner.claim)),
            None => Ok(()),
        }
    }

    fn fault(&self, device: &DeviceRecord, sandbox: &Sandbox) -> Option<Reason> {
        let why = match &device.attachment {
            Some(has) if has.pod_uid != sandbox.pod_uid => format!("but to pod {}", has.pod),
            Some(has) if has.sandbox != sandbox.id => "but to an earlier sandbox of it".to_owned(),
            Some(has) if has.done => return None,
            _ if is_hooked(device) => self.not_yet(sandbox),
            _ => self.by_none(sandbox),
        };
        let pod = sandbox.to_string();
        Some(Reason::NotAttached {
            device: device.id,
            pod,
            why,
        })
    }

    /// No CNI plugin was called for it, which the runtime does only where Multus is.
    fn by_none(&self, sandbox: &Sandbox) -> String {
        let networks = self.pods.networks(&sandbox.pod_uid);
        format!(
            "by the CNI plugin: no network of its annotation k8s.v1.cni.cncf.io/networks has attached \
             it; is Multus on this node? The annotation is {networks:?}"
        )
    }

    fn not_yet(&self, sandbox: &Sandbox) -> String {
        match self.underway.failure(&sandbox.id) {
            Some(failure) => format!("yet: {failure}"),
            None => "yet".to_owned(),
        }
    }
}
