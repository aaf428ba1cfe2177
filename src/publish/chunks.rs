//! Which device is in which slice: never a matter of how many others there are, so that a newcomer moves nobody.

use std::collections::BTreeMap;

use super::{Device, MAX_DEVICES};

/// The order of the slices.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Chunk {
    /// VFs by their PF's address, and which 64 of their indices.
    Vfs(String, usize),
    /// VFs without a PF on this host.
    Alone,
    /// The scheduler takes the first that fits, so a whole PF comes last.
    Pfs,
}

pub(super) fn chunks(devices: Vec<Device>) -> Vec<Vec<Device>> {
    let mut chunks = BTreeMap::<Chunk, Vec<Device>>::new();
    for device in devices {
        chunks.entry(chunk(&device)).or_default().push(device);
    }
    chunks.into_values().flat_map(ordered).collect()
}

fn chunk(device: &Device) -> Chunk {
    match (device.text("type"), usize::try_from(device.number("index"))) {
        ("pf", _) => Chunk::Pfs,
        (_, Ok(index)) => Chunk::Vfs(device.text("pfPciAddress").to_owned(), index / MAX_DEVICES),
        _ => Chunk::Alone,
    }
}

fn ordered(mut devices: Vec<Device>) -> Vec<Vec<Device>> {
    devices.sort_by(|one, two| (one.number("index"), &one.name).cmp(&(two.number("index"), &two.name)));
    devices.chunks(MAX_DEVICES).map(<[_]>::to_vec).collect()
}
