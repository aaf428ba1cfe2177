//! Functions without a driver that no claim could get one for.

use super::Engine;
use crate::{
    claim::{wanted::nameable, yields::is_handed_over},
    device::{DeviceId, Function},
};

impl Engine {
    /// Functions without a driver to which no configuration could bind one on this node: no driver
    /// that a claim may name is loaded, and the one that `driver: default` would mean is not known,
    /// or not loaded either. A function that a claim could bind, say to vfio-pci, is not among
    /// them.
    #[must_use]
    pub fn driverless(&self, functions: &[Function]) -> Vec<DeviceId> {
        let bare = |function: &&Function| {
            function.binding.driver.is_none() && matches!(function.id, DeviceId::Pci(_))
        };
        let bare: Vec<&Function> = functions.iter().filter(bare).collect();
        if bare.is_empty() || self.has_named_driver() {
            return Vec::new();
        }
        bare.into_iter()
            .filter(|function| !self.has_default_driver(function, functions))
            .map(|f| f.id)
            .collect()
    }

    fn has_named_driver(&self) -> bool {
        nameable(&self.identity.drivers).any(|driver| self.kernel.has_driver(driver))
    }

    fn has_default_driver(&self, function: &Function, all: &[Function]) -> bool {
        let native = self.kernel.native_driver(&function.id).ok().flatten();
        native
            .or_else(|| of_alike(function, all))
            .is_some_and(|driver| self.kernel.has_driver(&driver))
    }
}

/// The driver of a function of the same make that is not handed to a process.
pub(super) fn of_alike(function: &Function, all: &[Function]) -> Option<String> {
    let mut alike = all
        .iter()
        .filter(|other| other.ids == function.ids && !is_handed_over(other));
    alike.find_map(|other| other.binding.driver.clone())
}
