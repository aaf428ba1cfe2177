//! What a kernel tells of functions beside sysfs, by devlink and vDPA: small enough to be a part of a recording.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::device::{Bdf, DeviceId, EswitchMode, Function};

/// Answers by the handle of a device, bus and name (`pci/0000:3b:00.0`, `auxiliary/mlx5_core.sf.4`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct GenlInfo {
    /// Of PFs; those without devlink are left out.
    pub devlink: BTreeMap<String, Devlink>,
    /// Devices on which vDPA devices can be made.
    pub vdpa_management: BTreeSet<String>,
}

/// What devlink tells of a PF.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Devlink {
    /// Mode of the embedded switch.
    pub eswitch: Option<EswitchMode>,
    /// `fw.app.name`: the DDP package that is loaded.
    pub ddp_profile: Option<String>,
}

/// The handle of a PCI function.
#[must_use]
pub(super) fn handle(bdf: &Bdf) -> String {
    format!("pci/{bdf}")
}

impl GenlInfo {
    /// Completes what sysfs shows.
    pub(super) fn apply_to(&self, functions: &mut [Function]) {
        for function in functions {
            let own = match (&function.id, function.auxiliary()) {
                (DeviceId::Pci(bdf), _) => handle(bdf),
                (_, auxiliary) => format!("auxiliary/{}", auxiliary.unwrap_or_default()),
            };
            let devlink = function.pf().and_then(|pf| self.devlink.get(&handle(&pf)));
            function.eswitch = devlink.and_then(|devlink| devlink.eswitch);
            function.capabilities.ddp_profile =
                devlink.and_then(|devlink| devlink.ddp_profile.clone());
            function.capabilities.vdpa_capable = self.vdpa_management.contains(&own);
        }
    }
}
