//! A container is about to be created: what it mounts tells its claims, and their netdevs must be in its pod.

use std::{ffi::OsStr, path::Path};

use super::{
    Attacher,
    door::hooked,
    error::{AttachError, Reason},
};
use crate::{
    claim::{DeviceRecord, view::claim_of_mount},
    nri::{ContainerView, Sandbox},
};

impl Attacher {
    /// Whether the container may be created. Containers that use no claim with a netdev may.
    pub(super) fn may_start(&self, sandbox: &Sandbox, container: &ContainerView) -> Result<(), AttachError> {
        let attached = self.paths.attached();
        container.sources_below(&attached).try_for_each(|source| self.check(sandbox, &container.name, source))
    }

    /// `source` is the document of one request of a claim.
    fn check(&self, sandbox: &Sandbox, container: &str, source: &Path) -> Result<(), AttachError> {
        let path = source.display().to_string();
        let record = match claim_of_mount(&self.paths, &path) {
            Some(uid) => self.store.load(&uid)?,
            None => None,
        };
        let record = record.ok_or_else(|| AttachError::NoClaim { container: container.to_owned(), path })?;
        let request = source.file_stem().and_then(OsStr::to_str);
        let mut devices = hooked(&record).filter(|device| Some(device.base_request()) == request);
        match devices.find_map(|device| fault(device, sandbox)) {
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
    let pod = sandbox.to_string();
    Some(Reason::NotAttached { device: device.id, pod, why })
}
