//! PFs whose driver cannot be restarted on release without a loss.

use super::Engine;
use crate::{
    claim::ClaimError,
    device::{DeviceId, EswitchMode, Function, FunctionKind, Observed},
};

impl Engine {
    /// Refuses a PF whose release would lose what is not recorded: its driver is restarted then, and
    /// comes back in legacy mode, with no sub-functions.
    pub(super) fn check_restart(&self, observed: &Observed) -> Result<(), ClaimError> {
        let function = &observed.function;
        if !matches!(function.kind, FunctionKind::Pf { .. }) {
            return Ok(());
        }
        let all = self
            .kernel
            .functions()
            .map_err(ClaimError::host("prepare"))?;
        match lost(&function.id, &all) {
            Some(reason) => Err(ClaimError::refused(function.id, reason)),
            None => Ok(()),
        }
    }
}

fn lost(pf: &DeviceId, all: &[Function]) -> Option<&'static str> {
    let is_its_sf = |function: &&Function| {
        matches!(function.kind, FunctionKind::Sf { .. }) && function.pf() == Some(pf.pci())
    };
    if all.iter().any(|function| is_its_sf(&function)) {
        return Some(
            "has sub-functions, which its release would remove: its driver is restarted then; claim the sub-functions, or remove them first",
        );
    }
    let seen = all.iter().find(|function| function.id == *pf)?;
    (seen.eswitch == Some(EswitchMode::Switchdev)).then_some(
        "is in switchdev mode, which its release would end: its driver is restarted then; set it to legacy mode first, or claim its VFs",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Recording;

    #[test]
    fn a_pf_keeps_its_sub_functions_and_its_switch() {
        let recording = Recording::igb();
        let mut all: Vec<Function> = recording
            .functions
            .into_iter()
            .map(|observed| observed.function)
            .collect();
        let pf: DeviceId = DeviceId::from_name("0000-01-00-0").unwrap();
        assert_eq!(lost(&pf, &all), None);
        let mut sf = all[0].clone();
        sf.id = DeviceId::from_name("0000-01-00-0-sf88").unwrap();
        sf.kind = FunctionKind::Sf {
            auxiliary: "mlx5_core.sf.4".into(),
        };
        all.push(sf);
        assert!(lost(&pf, &all).unwrap().contains("sub-functions"));
        all.pop();
        all[0].eswitch = Some(EswitchMode::Switchdev);
        assert!(lost(&pf, &all).unwrap().contains("switchdev"));
        all[0].eswitch = Some(EswitchMode::Legacy);
        assert_eq!(lost(&pf, &all), None);
    }
}
