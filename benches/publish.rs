//! Figures of discovery and publication on a host with 2,048 VFs on 16 PFs, without thresholds:
//! `cargo bench`.
//!
//! ```text
//!  a tree of sysfs on tmpfs ─► discovery ─► slices ─► writes and bytes: at start, for a link flap, for a VF that goes
//!                                                  └► resident memory with all of it, in a process of its own
//! ```

use std::{
    collections::BTreeMap,
    env,
    io::{self, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use sriov_dra::{
    cluster::slice_bytes,
    device::{DeviceId, Function},
    host::{Kernel, linux::Linux, recording::large},
    inventory::Inventory,
    paths::Paths,
    pool::Assignment,
    publish::{Desired, PublishInput, Published, link_down, slices, writes},
    slice::{Features, Placed, StoredSlice, Taint},
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
        let published = Published {
            devices: BTreeMap::new(),
            features: Features {
                counters: true,
                taints: true,
            },
        };
        slices(&PublishInput {
            driver: DRIVER,
            inventory: &self.inventory,
            claimed: &BTreeMap::new(),
            taints: &self.taints,
            pools: Some(&Assignment::default()),
            policy_attributes: Some(&BTreeMap::new()),
            published: &published,
        })
    }

    /// Writes what differs, and prints how much that was.
    fn publish(&mut self, what: &str) -> io::Result<()> {
        let written = writes(&self.stored, &self.desired());
        let bytes: usize = written
            .iter()
            .map(|slice| slice_bytes(slice, DRIVER, "node"))
            .sum();
        for slice in &written {
            self.stored
                .retain(|stored| stored.index != Some(slice.index));
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
        own_pool: true,
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

/// A host of so many cards, on tmpfs.
fn host(cards: u32) -> io::Result<(tempfile::TempDir, Linux)> {
    let tmpfs = Path::new("/dev/shm");
    let dir = if tmpfs.is_dir() {
        tempfile::tempdir_in(tmpfs)?
    } else {
        tempfile::tempdir()?
    };
    let kernel = large::host(cards).unpack(dir.path())?;
    Ok((dir, kernel))
}

fn node(functions: Vec<Function>) -> Node {
    let inventory = Inventory {
        functions,
        ..Inventory::default()
    };
    Node {
        inventory,
        taints: BTreeMap::new(),
        stored: vec![],
    }
}

fn main() -> io::Result<()> {
    match env::var_os(SYSFS) {
        Some(dir) => hold(dir.into()),
        None => measure(),
    }
}

/// In this variable, the sysfs whose functions a process is to hold.
const SYSFS: &str = "SRIOV_DRA_BENCH_SYSFS";

/// What an agent holds that has nothing to do: the last look, what is desired of it, and what the
/// server has.
fn hold(sys: PathBuf) -> io::Result<()> {
    let kernel = Linux::new(Paths {
        sys,
        ..Paths::default()
    });
    let mut node = node(kernel.functions().map_err(io::Error::other)?);
    let desired = node.desired();
    node.stored = writes(&[], &desired).iter().map(stored).collect();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap_or_default();
    writeln!(io::stdout(), "{}", resident.trim_end_matches("kB").trim())?;
    drop((node, desired));
    Ok(())
}

/// Of a process that holds so many cards, KiB.
fn resident(cards: u32) -> io::Result<u64> {
    let (dir, _) = host(cards)?;
    std::fs::create_dir_all(dir.path().join("bus/pci/devices"))?;
    let output = Command::new(env::current_exe()?)
        .env(SYSFS, dir.path())
        .output()?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .map_err(io::Error::other)
}

fn measure() -> io::Result<()> {
    let (_dir, kernel) = host(8)?;
    let functions = timed("discovery", || kernel.functions())?.map_err(io::Error::other)?;
    figure("functions", functions.len())?;
    let mut node = node(functions);
    timed("slices", || node.desired())?;
    node.publish("start")?;
    node.publish("nothing changed")?;
    let without_carrier = node
        .inventory
        .functions
        .first()
        .map(|pf| pf.id.pci())
        .into_iter()
        .collect();
    node.taints = link_down(DRIVER, &node.inventory.functions, &without_carrier);
    node.publish("a port loses its carrier")?;
    node.taints.clear();
    node.publish("the carrier is back")?;
    node.inventory.functions.retain(|function| {
        function.index() != Some(5) || function.pf() != without_carrier.first().copied()
    });
    node.publish("a VF goes")?;
    let (empty, full) = (resident(0)?, resident(8)?);
    figure("resident with no functions, KiB", empty)?;
    figure("resident with all of them, KiB", full)
}
