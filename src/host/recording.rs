//! A host as one reviewable file: what discovery and plans see of it.

use serde::{Deserialize, Serialize};

use super::{ErrorKind, Kernel, Result};
use crate::device::{Bdf, Observed};

/// All functions of a host at one moment. Seeds the [`super::fake::Fake`]; `sriov-dra record` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Recording {
    /// Functions with all that plans need, sorted by address.
    pub functions: Vec<Observed>,
    /// Functions that the host itself uses.
    #[serde(default)]
    pub host_used: Vec<Bdf>,
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
                observed => functions.push(observed?),
            }
        }
        Ok(Self { functions, host_used: kernel.host_used()? })
    }
}
