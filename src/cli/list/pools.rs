//! The pools of this host's devices: as published, or else as config.json assigns them.

use std::{fs, time::Duration};

use super::PoolNames;
use crate::{
    args::ListArgs,
    cluster::{Cluster, Kube},
    device::{DeviceId, Function},
    inventory::Inventory,
    ledger::Entry,
    node::config_file::ConfigFile,
    pool::{Assignment, Candidate, Config, EmptyPool},
    slice::Device,
};

/// Short, since the list is useful without the API server.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The known pools of the devices, and the pools that take none. Errors are printed on standard
/// error.
pub(super) fn pools_of_host(
    args: &ListArgs,
    inventory: &Inventory,
    records: &[Entry],
) -> (PoolNames, Vec<EmptyPool>) {
    let node = node_name(args);
    let configured = config(args, &node).map(|config| assigned(&config, inventory, records));
    let (names, empty) = configured.unwrap_or_default();
    (published(args, &node).unwrap_or(names), empty)
}

/// `--node-name`, or the host's name.
pub(super) fn node_name(args: &ListArgs) -> String {
    let name = args.node_name.clone();
    name.or_else(host_name).unwrap_or_default()
}

fn host_name() -> Option<String> {
    Some(
        fs::read_to_string("/proc/sys/kernel/hostname")
            .ok()?
            .trim()
            .to_lowercase(),
    )
}

/// `None`: the cluster cannot be reached, or has no slices of this node.
fn published(args: &ListArgs, node: &str) -> Option<PoolNames> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .ok()?;
    let result = runtime.block_on(async {
        let kube = Kube::connect_by(&args.kubeconfig.access(), &args.driver_name, node)
            .await
            .ok()?;
        let slices = tokio::time::timeout(TIMEOUT, kube.slices()).await;
        Some(slices.map_err(|_| kube.no_answer(TIMEOUT)))
    })?;
    let slices = match result {
        Ok(Ok(slices)) => slices,
        Ok(Err(error)) => return unknown(&error.to_string()),
        Err(why) => return unknown(&why),
    };
    let own = || slices.iter().filter(|slice| slice.own_pool);
    let devices = own().flat_map(|slice| slice.content.devices());
    own()
        .next()
        .is_some()
        .then(|| devices.filter_map(pool).collect())
}

pub(super) fn pool(device: &Device) -> Option<(DeviceId, String)> {
    let pool = device.text("pool");
    (!pool.is_empty()).then_some((DeviceId::from_name(&device.name).ok()?, pool.to_owned()))
}

/// The pools of `--config-file`; `None`: there is no file, or it is invalid.
pub(super) fn config(args: &ListArgs, node: &str) -> Option<Config> {
    let file = ConfigFile::new(args.config_file.clone()?, node);
    let config = file
        .read()
        .and_then(|text| Config::read(&text, &args.resource_prefix).map_err(|e| e.to_string()));
    match config {
        Ok((config, _)) => Some(config),
        Err(why) => {
            eprintln!("pools: {file}: {why}");
            None
        }
    }
}

/// The pools that `config` gives the devices, and those that take none.
pub(super) fn assigned(
    config: &Config,
    inventory: &Inventory,
    records: &[Entry],
) -> (PoolNames, Vec<EmptyPool>) {
    let candidate = |function: &Function| {
        let resting = resting(records, function.id);
        Candidate::of(function, &inventory.functions, resting)
    };
    let candidates: Vec<Candidate> = inventory.offered().map(candidate).collect();
    let withheld: Vec<Candidate> = inventory.withheld().map(candidate).collect();
    let assignment = config.assign(&candidates);
    let empty = config.empty_pools(&candidates, &withheld, &assignment);
    (names(&assignment), empty)
}

fn names(assignment: &Assignment) -> PoolNames {
    let devices = assignment.devices.iter();
    devices
        .map(|(id, assigned)| (*id, assigned.pool.to_string()))
        .collect()
}

fn resting(records: &[Entry], id: DeviceId) -> Option<&str> {
    records
        .iter()
        .flat_map(Entry::devices)
        .find(|device| device.id == id)?
        .resting_driver()
}

fn unknown(why: &str) -> Option<PoolNames> {
    eprintln!("pools: {why}");
    None
}
