//! GC, STATUS, and the sweep of entries whose pod is no more.

use std::time::Duration;

use super::{IpamAt, Plugin, entry::Entry, error, ipam};
use crate::{
    cni::{
        protocol::{CniError, Code, Command},
        request::{GcCall, StatusCall},
    },
    deadline::Deadline,
    ledger::{AttachmentId, NetworkCall, Phase, StoreError},
};

/// How long a sweep waits for locks: whoever has them is at work with that attachment.
const AT_ONCE: Duration = Duration::ZERO;

impl Plugin {
    /// Releases the attachments of this network that are not listed and whose namespace is gone.
    pub(super) fn gc(&self, call: &GcCall, deadline: Deadline) -> Result<(), CniError> {
        let is_listed = |made: &NetworkCall| {
            call.valid.iter().any(|valid| {
                valid.container.as_str() == made.container && valid.if_name == made.if_name.as_str()
            })
        };
        let is_ours = |made: &NetworkCall| made.network == call.network.name && !is_listed(made);
        error::all(self.release_where(&is_ours, deadline)?)
    }

    /// Releases what no DEL has come for: entries whose namespace is gone, or whose claim has been
    /// released and which only an IPAM plugin still has to hear of. What does not work is logged,
    /// and tried again at the next one.
    ///
    /// # Errors
    /// The entries cannot be listed.
    pub fn sweep(&self, deadline: Deadline) -> Result<(), StoreError> {
        if self.engine.attachments().titles()?.is_empty() {
            return Ok(());
        }
        let swept = self.release_where(&|_| true, deadline);
        match swept.and_then(error::all) {
            Ok(()) => {}
            Err(error) if error.code == Code::TRY_AGAIN_LATER => tracing::debug!("{error}"),
            Err(error) => tracing::warn!(%error, "attachments without a pod"),
        }
        Ok(())
    }

    fn release_where(
        &self,
        is_wanted: &dyn Fn(&NetworkCall) -> bool,
        deadline: Deadline,
    ) -> Result<Vec<CniError>, CniError> {
        let entries = self.engine.attachments().all().map_err(error::failed)?;
        let entries = entries.into_iter().filter_map(|entry| entry.record());
        let wanted = entries.filter(|entry| entry.owner.call.as_deref().is_some_and(is_wanted));
        let dead = wanted.filter(|entry| self.is_orphan(entry));
        let keys: Vec<AttachmentId> = dead.map(|entry| entry.owner.attachment).collect();
        let released = keys.iter().map(|key| self.release_dead(key, deadline));
        Ok(released.filter_map(Result::err).collect())
    }

    /// Under its lock it is looked at again: somebody else may have been faster.
    fn release_dead(&self, key: &AttachmentId, deadline: Deadline) -> Result<(), CniError> {
        let Ok(_lock) = self.lock(key, "sweep", Deadline::after(AT_ONCE)) else {
            return Ok(());
        };
        match self.load(key)?.filter(|entry| self.is_orphan(entry)) {
            Some(entry) => {
                let held = self.hold(entry, deadline)?;
                self.undo(held, deadline)
            }
            None => Ok(()),
        }
    }

    fn is_orphan(&self, entry: &Entry) -> bool {
        let Some(call) = entry.owner.call.as_deref() else {
            return false;
        };
        self.is_dead(call) || (entry.phase != Phase::Preparing && self.is_released(entry, call))
    }

    /// Whether the device is not this attachment's any more.
    fn is_released(&self, entry: &Entry, call: &NetworkCall) -> bool {
        let Some(claim) = &call.claim else {
            return entry.devices.is_empty();
        };
        let Ok(record) = self.engine.store().load(&claim.uid) else {
            return false;
        };
        let layers = record.iter().flat_map(|record| &record.devices);
        !layers
            .filter_map(|device| device.network.as_ref())
            .any(|layer| layer.attachment == entry.owner.attachment)
    }

    /// Whether an ADD could be served: the ledger can be read, and the IPAM plugin says so too.
    pub(super) fn status(&self, call: &StatusCall) -> Result<(), CniError> {
        let unavailable = |text: String| CniError::new(Code::NOT_AVAILABLE, text);
        let listed = self.engine.attachments().titles();
        listed.map_err(|error| unavailable(error.to_string()))?;
        let functions = self.engine.kernel().functions();
        functions.map_err(|error| unavailable(error.to_string()))?;
        match ipam::of_status(call) {
            Some(ipam) => self
                .ipam
                .run(Command::Status, &ipam, &IpamAt::default())
                .map(drop),
            None => Ok(()),
        }
    }
}
