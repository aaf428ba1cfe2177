//! PFs whose driver cannot be restarted without a loss: it comes back in legacy mode, with no
//! sub-functions.

use std::collections::BTreeMap;

use crate::device::{DeviceId, EswitchMode, Function, FunctionKind};

/// What a restart would lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// The PF's sub-functions.
    SubFunctions,
    /// Its switchdev mode.
    Switchdev,
}

/// The PFs that no claim gets, since its release would restart their driver.
#[must_use]
pub fn losses(functions: &[Function]) -> BTreeMap<DeviceId, Loss> {
    let loss = |function: &Function| match function.kind {
        FunctionKind::Sf { .. } => Some((DeviceId::Pci(function.pf()?), Loss::SubFunctions)),
        FunctionKind::Pf { .. } => (function.eswitch == Some(EswitchMode::Switchdev))
            .then_some((function.id, Loss::Switchdev)),
        _ => None,
    };
    let mut all: Vec<(DeviceId, Loss)> = functions.iter().filter_map(loss).collect();
    // Of both, the sub-functions.
    all.sort_by_key(|(_, loss)| std::cmp::Reverse(*loss));
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Recording;

    #[test]
    fn a_pf_keeps_its_sub_functions_and_its_switch() {
        let recording = Recording::igb().functions.into_iter();
        let mut all: Vec<Function> = recording.map(|observed| observed.function).collect();
        let pf = DeviceId::from_name("0000-01-00-0").unwrap();
        let lost = |all: &[Function]| losses(all).get(&pf).copied();
        assert_eq!(losses(&all), BTreeMap::new());
        all[0].eswitch = Some(EswitchMode::Legacy);
        assert_eq!(lost(&all), None);
        all[0].eswitch = Some(EswitchMode::Switchdev);
        assert_eq!(lost(&all), Some(Loss::Switchdev));
        let mut sf = all[0].clone();
        sf.id = DeviceId::from_name("0000-01-00-0-sf88").unwrap();
        sf.kind = FunctionKind::Sf {
            auxiliary: "mlx5_core.sf.4".into(),
        };
        all.push(sf);
        assert_eq!(lost(&all), Some(Loss::SubFunctions));
    }
}
