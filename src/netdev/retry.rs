//! Work on what somebody else is using.

use crate::{
    deadline::Deadline,
    host::{ErrorKind, HostError, Result},
};

/// Does it again while the kernel says that something is in use, until time is over.
pub(crate) fn retry<T>(deadline: Deadline, mut act: impl FnMut() -> Result<T>) -> Result<T> {
    let mut busy = None;
    let done = deadline.poll(|| match act() {
        Err(error) if error.kind() == ErrorKind::Busy => {
            busy = Some(error);
            Ok(None)
        }
        done => done.map(Some),
    })?;
    let unsaid = || HostError::of_kind(ErrorKind::Busy, "deadline", "wait", "time is over");
    done.ok_or_else(|| busy.unwrap_or_else(unsaid))
}
