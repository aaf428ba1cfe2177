//! The pools of this host's devices: as published, or else as config.json assigns them.

use std::{fs, time::Duration};

use super::PoolNames;
use crate::{
    args::ListArgs,
    cluster::{Cluster, Kube},
    device::{DeviceId, Function},
    errors::print_error,
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
) -> anyhow::Result<(PoolNames, Vec<EmptyPool>)> {
    let node = node_name(args);
    let configured = config(args, &node).map(|config| assigned(&config, inventory, records));
    let (names, empty) = configured.unwrap_or_default();
    Ok((published(args, &node)?.unwrap_or(names), empty))
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
///
/// # Errors
/// A cluster that the flags name is not described where they say.
fn published(args: &ListArgs, node: &str) -> anyhow::Result<Option<PoolNames>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let access = args.kubeconfig.access();
    let is_named = access.kubeconfig.is_some() || access.context.is_some();
    runtime.block_on(async {
        match Kube::connect_by(&access, &args.driver_name, node).await {
            Ok(kube) => Ok(of_slices(&kube).await),
            Err(error) if is_named => Err(error.into()),
            Err(_) => Ok(None),
        }
    })
}

async fn of_slices(kube: &Kube) -> Option<PoolNames> {
    let slices = match tokio::time::timeout(TIMEOUT, kube.slices()).await {
        Ok(Ok(slices)) => slices,
        Ok(Err(error)) => return unknown(&error.to_string()),
        Err(_) => return unknown(&kube.no_answer(TIMEOUT)),
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
            print_error(&format!("pools: {file}: {why}"));
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
    print_error(&format!("pools: {why}"));
    None
}
