//! A host as one reviewable file: what discovery and plans see of it.

#[cfg(test)]
pub(crate) mod fixtures;
pub mod large;
mod tree;

use serde::{Deserialize, Serialize};

use super::{ErrorKind, GenlInfo, Kernel, Result};
use crate::device::{DeviceId, Observed};

pub use tree::SysfsTree;

/// A host at one moment: its functions as this driver reads them, or the sysfs that it would read,
/// or both.
///
/// Seeds the [`super::fake::Fake`] with the functions; `sriov-dra record` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Recording {
    /// Where it is from.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Functions with all that plans need, sorted by address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<Observed>,
    /// Functions that the host itself uses.
    pub host_used: Vec<DeviceId>,
    /// What devlink and vDPA report.
    #[serde(rename = "told")]
    pub genl: GenlInfo,
    /// sysfs, as far as discovery reads it.
    #[serde(skip_serializing_if = "SysfsTree::is_empty")]
    pub sysfs: SysfsTree,
}

impl Recording {
    /// Records a kernel. A function that goes away meanwhile is left out.
    ///
    /// # Errors
    /// The kernel's.
    pub fn of(kernel: &dyn Kernel) -> Result<Self> {
        let mut functions = Vec::new();
        for function in kernel.functions()? {
            match kernel.observe(&function.id) {
                Err(error) if error.kind() == ErrorKind::Gone => {}
                // The scan knows more of the function: what devlink and vDPA report.
                observed => functions.push(Observed {
                    function,
                    ..observed?
                }),
            }
        }
        Ok(Self {
            functions,
            host_used: kernel.host_used()?,
            ..Self::default()
        })
    }
}
