//! How a prepared netdev is in the host's namespace, outside any pod.

use super::properties::set;
use crate::{
    device::{Mac, NetdevState, VfSetting},
    ledger::{DeviceRecord, Step},
};

/// The netdev's state after prepare: as it was found, with the claim's own steps on it. None for
/// devices without netdev.
pub(crate) fn resting(device: &DeviceRecord) -> Option<NetdevState> {
    let mut found = None;
    for step in &device.steps {
        match (step, found.as_mut()) {
            (Step::Netdev(state), _) => found = Some((**state).clone()),
            (Step::Link { to, .. }, Some(state)) => set(state, to),
            // The VF's driver takes the administrator's address when it starts.
            (
                Step::Vf {
                    to: VfSetting::Mac(mac),
                    ..
                },
                Some(state),
            ) if *mac != Mac::ZERO => state.mac = Some(*mac),
            _ => {}
        }
    }
    found
}
