//! What the administrator keeps from this driver is kept from every claim, since a slice may be
//! older than the choice.

use super::{Engine, prepare::held_by};
use crate::{
    claim::{ClaimError, Wanted},
    device::{DeviceId, Function},
    inventory::{DeviceFilter, PfNames},
};

impl Engine {
    /// The same engine, which prepares no more than this.
    #[must_use]
    pub fn choosing(mut self, choice: DeviceFilter) -> Self {
        self.choice = choice;
        self
    }

    /// What may be prepared.
    #[must_use]
    pub fn choice(&self) -> &DeviceFilter {
        &self.choice
    }

    /// Whether the driver may prepare the devices, with all that would go with them.
    pub(super) fn check_choice(&self, wanted: &[Wanted]) -> Result<(), ClaimError> {
        if self.choice.is_all() {
            return Ok(());
        }
        for device in held_by(wanted) {
            let function = self.observe(&device)?.function;
            let names = self.names(&function);
            if let Some(reason) = self.choice.refusal(&function, &names) {
                return Err(ClaimError::refused(device, reason));
            }
            if !function.is_part() {
                self.check_parts(&device, &names)?;
            }
        }
        Ok(())
    }

    pub(super) fn names(&self, function: &Function) -> PfNames {
        let names = |pf| {
            let observed = self.kernel.observe(&DeviceId::Pci(pf)).ok()?;
            let names = observed.function.netdevs().cloned();
            Some(names.collect::<Vec<_>>()).filter(|names| !names.is_empty())
        };
        function
            .pf()
            .and_then(|pf| Some((pf, names(pf)?)))
            .into_iter()
            .collect()
    }

    /// A PF goes with its VFs and SFs.
    fn check_parts(&self, pf: &DeviceId, names: &PfNames) -> Result<(), ClaimError> {
        let parts = self.parts_of(pf)?;
        let refused = parts
            .iter()
            .find_map(|part| Some((part.id, self.choice.refusal(part, names)?)));
        match refused {
            Some((part, reason)) => Err(ClaimError::refused(
                *pf,
                format!("its {part} {reason}, and would go with it"),
            )),
            None => Ok(()),
        }
    }
}
