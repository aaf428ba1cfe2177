//! PFs whose driver cannot be restarted on release without a loss.

use super::Engine;
use crate::{
    claim::ClaimError,
    device::{FunctionKind, Observed},
    inventory::{Loss, losses},
};

impl Engine {
    /// Refuses a PF whose release would lose what is not recorded: its driver is restarted then, and
    /// comes back in legacy mode, with no sub-functions.
    pub(super) fn check_restart(&self, observed: &Observed) -> Result<(), ClaimError> {
        let function = &observed.function;
        if !matches!(function.kind, FunctionKind::Pf { .. }) {
            return Ok(());
        }
        let all = self.kernel.functions();
        let all = all.map_err(ClaimError::host("prepare"))?;
        match losses(&all).get(&function.id) {
            Some(loss) => Err(ClaimError::refused(function.id, text(*loss))),
            None => Ok(()),
        }
    }
}

fn text(loss: Loss) -> &'static str {
    match loss {
        Loss::SubFunctions => {
            "has sub-functions, which its release would remove: its driver is restarted then; claim the sub-functions, or remove them first"
        }
        Loss::Switchdev => {
            "is in switchdev mode, which its release would end: its driver is restarted then; set it to legacy mode first, or claim its VFs"
        }
    }
}
