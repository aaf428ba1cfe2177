//! Figures of discovery and publication on a host with 2,048 VFs on 16 PFs, without thresholds: `cargo bench`.
//!
//! ```text
//!  a tree of sysfs on tmpfs ─► discovery ─► slices ─► writes and bytes: at start, for a link flap, for a VF that goes
//! ```

use std::{
    collections::BTreeMap,
    io::{self, Write},
    path::Path,
    time::Instant,
};

use sriov_dra::{
    cluster::{Placed, StoredSlice},
    device::DeviceId,
    host::{Kernel, recording::large},
    inventory::Inventory,
    pool::Assignment,
    publish::{Desired, Features, PublishInput, Published, Taint, link_down, slices, writes},
};

const DRIVER: &str = "sriov-dra.io";
const ROUNDS: usize = 10;

/// A node, and what its server holds.
struct Node {
    inventory: Inventory,
    taints: BTreeMap<DeviceId, Vec<Taint>>,
    stored: Vec<StoredSlice>,
}

impl Node {
    fn desired(&self) -> Desired {
        let published = Published { devices: BTreeMap::new(), features: Features { counters: true, taints: true } };
        slices(&PublishInput {
            driver: DRIVER,
            inventory: &self.inventory,
            claimed: &BTreeMap::new(),
            taints: &self.taints,
            pools: Some(&Assignment::default()),
            given: Some(&BTreeMap::new()),
            published: &published,
        })
    }

    /// Writes what differs, and tells how much that was.
    fn publish(&mut self, what: &str) -> io::Result<()> {
        let written = writes(&self.stored, &self.desired());
        let bytes: usize = written.iter().map(|slice| slice.bytes(DRIVER, "node")).sum();
        for slice in &written {
            self.stored.retain(|stored| stored.index != Some(slice.index));
            self.stored.push(stored(slice));
        }
        figure(&format!("{what}: writes"), written.len())?;
        figure(&format!("{what}: bytes"), bytes)
    }
}

fn stored(slice: &Placed) -> StoredSlice {
    StoredSlice {
        name: format!("slice-{}", slice.index),
        uid: String::new(),
        version: String::new(),
        index: Some(slice.index),
        generation: slice.generation,
        count: i64::try_from(slice.count).unwrap_or(i64::MAX),
        content: slice.content.clone(),
        foreign: false,
    }
}

fn figure(what: &str, value: impl std::fmt::Display) -> io::Result<()> {
    writeln!(io::stdout(), "{what:<48} {value:>12}")
}

/// The median of some rounds.
fn timed<T>(what: &str, mut work: impl FnMut() -> T) -> io::Result<T> {
    let mut micros = Vec::new();
    let mut result = work();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        result = work();
        micros.push(begun.elapsed().as_micros());
    }
    micros.sort_unstable();
    figure(&format!("{what}, µs"), micros[ROUNDS / 2])?;
    Ok(result)
}

fn main() -> io::Result<()> {
    let tmpfs = Path::new("/dev/shm");
    let dir = if tmpfs.is_dir() { tempfile::tempdir_in(tmpfs)? } else { tempfile::tempdir()? };
    let kernel = large::host(8).unpack(dir.path())?;
    let functions = timed("discovery", || kernel.functions())?.map_err(io::Error::other)?;
    figure("functions", functions.len())?;
    let (inventory, taints, stored) = (Inventory { functions, ..Inventory::default() }, BTreeMap::new(), vec![]);
    let mut node = Node { inventory, taints, stored };
    timed("slices", || node.desired())?;
    node.publish("start")?;
    node.publish("nothing changed")?;
    let dark = node.inventory.functions.first().map(|pf| pf.id.pci()).into_iter().collect();
    node.taints = link_down(DRIVER, &node.inventory.functions, &dark);
    node.publish("a port goes dark")?;
    node.taints.clear();
    node.publish("it is lit again")?;
    node.inventory.functions.retain(|function| function.index() != Some(5) || function.pf() != dark.first().copied());
    node.publish("a VF goes")
}
