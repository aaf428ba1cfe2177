//! Which device is in which slice: independent of how many others there are, so that a new device
//! moves no other.

use std::collections::BTreeMap;

use crate::slice::{Device, MAX_DEVICES};

/// The order of the slices.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Chunk {
    /// VFs or SFs (the latter are true) by their PF's address, and which 64 of their indices.
    Parts(String, bool, usize),
    /// VFs without a PF on this host.
    Alone,
    /// The scheduler takes the first that fits, so a whole PF comes last.
    Wholes,
}

pub(super) fn chunks(devices: Vec<Device>) -> Vec<Vec<Device>> {
    let mut chunks = BTreeMap::<Chunk, Vec<Device>>::new();
    for device in devices {
        chunks.entry(chunk(&device)).or_default().push(device);
    }
    chunks.into_values().flat_map(ordered).collect()
}

fn chunk(device: &Device) -> Chunk {
    let kind = device.text("type");
    match usize::try_from(device.number("index")) {
        _ if is_whole(device) => Chunk::Wholes,
        Ok(index) => Chunk::Parts(
            device.text("pfPciAddress").to_owned(),
            kind == "sf",
            index / MAX_DEVICES,
        ),
        Err(_) => Chunk::Alone,
    }
}

/// A PF, of a network card or an accelerator.
pub(super) fn is_whole(device: &Device) -> bool {
    match device.text("type") {
        "pf" => true,
        "accelerator" => device.number("index") < 0,
        _ => false,
    }
}

fn ordered(mut devices: Vec<Device>) -> Vec<Vec<Device>> {
    devices.sort_by(|one, two| {
        (one.number("index"), &one.name).cmp(&(two.number("index"), &two.name))
    });
    devices.chunks(MAX_DEVICES).map(<[_]>::to_vec).collect()
}
