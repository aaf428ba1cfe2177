//! The recorded hosts of `e2e/fixtures`, for tests.

use std::{fs, path::Path};

use super::Recording;
use crate::{device::Function, inventory::Inventory};

/// File name without ending, and recording, sorted.
pub(crate) fn all() -> Vec<(String, Recording)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/fixtures");
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let hosts = files.filter_map(|file| {
        let name = file.file_stem()?.to_str()?.to_owned();
        let is_host = file.extension()? == "json" && name != "claim-configs";
        is_host.then(|| (name, read(&fs::read_to_string(&file).unwrap())))
    });
    let mut hosts: Vec<_> = hosts.collect();
    hosts.sort_by(|one, two| one.0.cmp(&two.0));
    hosts
}

fn read(text: &str) -> Recording {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// One of them.
pub(crate) fn host(name: &str) -> Inventory {
    let (_, recording) = all().into_iter().find(|(file, _)| file == name).unwrap();
    Inventory::of_recording(&recording).unwrap()
}

/// All functions of all hosts, each with its host's.
pub(crate) fn inventories() -> Vec<(String, Inventory)> {
    let inventory = |(name, recording): (String, Recording)| (name, Inventory::of_recording(&recording).unwrap());
    all().into_iter().map(inventory).collect()
}

/// The function of that name in slices.
pub(crate) fn function<'a>(inventory: &'a Inventory, name: &str) -> &'a Function {
    inventory.functions.iter().find(|function| function.id.name() == name).unwrap_or_else(|| panic!("no {name}"))
}
