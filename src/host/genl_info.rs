//! What the kernel reports about functions over generic netlink (devlink, vDPA) and not in sysfs.
//! Small enough to be part of a recording.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::device::{Bdf, DeviceId, EswitchMode, Function};

/// Keyed by device handle, bus and name (`pci/0000:3b:00.0`, `auxiliary/mlx5_core.sf.4`).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct GenlInfo {
    /// PFs that support devlink.
    pub devlink: BTreeMap<String, Devlink>,
    /// vDPA management devices: parents on which vDPA devices can be created.
    pub vdpa_management: BTreeSet<String>,
}

/// What devlink reports about a PF.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Devlink {
    /// Mode of the embedded switch (`devlink dev eswitch show`).
    pub eswitch: Option<EswitchMode>,
    /// `fw.app.name` of `devlink dev info`: the loaded DDP package.
    pub ddp_profile: Option<String>,
}

/// The devlink handle of a PCI function.
#[must_use]
pub(super) fn handle(bdf: &Bdf) -> String {
    format!("pci/{bdf}")
}

impl GenlInfo {
    /// Adds these fields to functions that were read from sysfs.
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
