//! The pools of this host's devices: as published, or else as config.json assigns them.

use std::{fs, time::Duration};

use super::PoolNames;
use crate::{
    args::ListArgs,
    cluster::{Cluster, Kube},
    device::DeviceId,
    inventory::Inventory,
    ledger::Entry,
    node::config_file::ConfigFile,
    pool::{Candidate, Config},
    slice::Device,
};

/// Short, since the list is useful without the API server.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The known pools. Errors are printed on standard error.
pub(super) fn pools_of_host(
    args: &ListArgs,
    inventory: &Inventory,
    records: &[Entry],
) -> PoolNames {
    let node = args
        .node_name
        .clone()
        .or_else(host_name)
        .unwrap_or_default();
    published(args, &node)
        .or_else(|| configured(args, &node, inventory, records))
        .unwrap_or_default()
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

/// As `--config-file` assigns them; `None`: there is no file, or it is invalid.
pub(super) fn configured(
    args: &ListArgs,
    node: &str,
    inventory: &Inventory,
    records: &[Entry],
) -> Option<PoolNames> {
    let file = ConfigFile::new(args.config_file.clone()?, node);
    let config = file
        .read()
        .and_then(|text| Config::read(&text, &args.resource_prefix).map_err(|e| e.to_string()));
    match config {
        Ok((config, _)) => Some(assigned(&config, inventory, records)),
        Err(why) => unknown(&format!("{file}: {why}")),
    }
}

/// Assigns the devices to pools as the agent does.
pub(super) fn assigned(config: &Config, inventory: &Inventory, records: &[Entry]) -> PoolNames {
    let candidate = |function| {
        Candidate::of(
            function,
            &inventory.functions,
            resting(records, function.id),
        )
    };
    let candidates: Vec<Candidate> = inventory.offered().map(candidate).collect();
    let devices = config.assign(&candidates).devices;
    devices
        .into_iter()
        .map(|(id, assigned)| (id, assigned.pool.to_string()))
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
