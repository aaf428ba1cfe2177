//! A Prepare whose device is still being released for another claim helps with that.

use super::{Engine, report::release_age};
use crate::{
    claim::{ClaimError, Conflict, error::Releasing},
    deadline::Deadline,
    ledger::{ClaimUid, Phase},
};

impl Engine {
    /// Whether the release of that claim has begun.
    pub(super) fn is_releasing(&self, uid: &ClaimUid) -> bool {
        let record = self.store.load(uid).ok().flatten();
        record.is_some_and(|record| record.phase == Phase::Unpreparing)
    }

    /// Helps to release the claim that is in the way: its tenant is cut off, and nobody else has
    /// its devices.
    pub(super) fn join(&self, conflict: Conflict, deadline: Deadline) -> Result<(), ClaimError> {
        let mut last = None;
        let done = deadline.poll(|| match self.finish(&conflict.other.uid, deadline) {
            Ok(()) => Ok::<_, ClaimError>(Some(())),
            Err(error) => {
                last = Some(error);
                Ok(None)
            }
        })?;
        let (None, Some(error)) = (done, last) else {
            return Ok(());
        };
        let record = self.store.load(&conflict.other.uid).ok().flatten();
        Err(ClaimError::Releasing(Box::new(Releasing {
            asked: conflict.asked,
            other: conflict.other,
            since: record.map(|record| release_age(&record).as_secs()),
            error,
        })))
    }
}
