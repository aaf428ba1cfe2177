//! DEL: what its ADD has done is undone, by the entry and not by the input.

use super::{Plugin, entry::key_of};
use crate::{
    cni::{protocol::CniError, request::Call},
    deadline::Deadline,
};

impl Plugin {
    /// Repeating it is success, and so is one without an ADD.
    pub(super) fn del(&self, call: &Call<()>, deadline: Deadline) -> Result<(), CniError> {
        let key = key_of(&call.attachment)?;
        // An ADD of the same attachment may be at work: it is waited for.
        let _lock = self.lock(&key, "delete", deadline)?;
        match self.load(&key)? {
            Some(entry) => {
                let held = self.hold(entry, deadline)?;
                self.undo(held, deadline)
            }
            None => self.take_over(call, key, deadline),
        }?;
        self.forget_go(call)
    }
}
