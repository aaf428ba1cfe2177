//! The inventories of the recorded hosts of `e2e/fixtures`, for tests.

use std::sync::LazyLock;

use super::Inventory;
use crate::{
    device::Function,
    host::{Recording, recording::fixtures},
};

/// The host of this name.
pub(crate) fn host(name: &str) -> Inventory {
    INVENTORIES
        .iter()
        .find(|(file, _)| file == name)
        .map(|(_, host)| host.clone())
        .unwrap()
}

/// All hosts, by name.
pub(crate) fn inventories() -> Vec<(String, Inventory)> {
    INVENTORIES.clone()
}

/// Discovered once: writing trees of sysfs takes time.
static INVENTORIES: LazyLock<Vec<(String, Inventory)>> = LazyLock::new(|| {
    let inventory = |(name, recording): (String, Recording)| {
        (name, Inventory::of_recording(&recording).unwrap())
    };
    fixtures::all().into_iter().map(inventory).collect()
});

/// The function of that name in slices.
pub(crate) fn function<'a>(inventory: &'a Inventory, name: &str) -> &'a Function {
    inventory
        .functions
        .iter()
        .find(|function| function.id.name() == name)
        .unwrap_or_else(|| panic!("no {name}"))
}
