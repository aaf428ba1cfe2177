//! A container is about to be created: what it mounts tells its claims, and their netdevs must be in its pod.

use super::{
    Attacher,
    door::{claim_of, hooked},
    error::{AttachError, Reason},
};
use crate::{
    claim::{ClaimUid, DeviceRecord},
    nri::{ContainerView, Sandbox},
};

impl Attacher {
    /// Whether the container may be created. Containers that use no claim with a netdev may.
    pub(super) fn may_start(&self, sandbox: &Sandbox, container: &ContainerView) -> Result<(), AttachError> {
        let attached = self.paths.attached();
        for source in container.sources_below(&attached) {
            let unknown =
                || AttachError::NoClaim { container: container.name.clone(), path: source.display().to_string() };
            let uid = claim_of(&attached, source).ok_or_else(unknown)?;
            self.check(sandbox, &uid, unknown)?;
        }
        Ok(())
    }

    fn check(
        &self,
        sandbox: &Sandbox,
        uid: &ClaimUid,
        unknown: impl FnOnce() -> AttachError,
    ) -> Result<(), AttachError> {
        let record = self.store.load(uid)?.ok_or_else(unknown)?;
        match hooked(&record).find_map(|device| fault(device, sandbox)) {
            Some(reason) => Err(reason.of(&record.claim)),
            None => Ok(()),
        }
    }
}

fn fault(device: &DeviceRecord, sandbox: &Sandbox) -> Option<Reason> {
    let why = match &device.attachment {
        None => "yet".to_owned(),
        Some(has) if has.pod_uid != sandbox.pod_uid => format!("but to pod {}", has.pod),
        Some(has) if has.sandbox != sandbox.id => "but to an earlier sandbox of it".to_owned(),
        Some(has) if !has.done => "yet, only begun".to_owned(),
        Some(_) => return None,
    };
    let pod = format!("{}/{}", sandbox.namespace, sandbox.name);
    Some(Reason::NotAttached { device: device.id, pod, why })
}
