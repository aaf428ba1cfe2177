//! `list`: PFs, each followed by its VFs and SFs, and the claims that hold them.
//!
//! ```text
//!  list            this host: kernel, records ─► table
//!                  pools: from the cluster's slices, else from config.json
//!  list --cluster  slices, claims, taint rules ─► table
//!  list -f FILE    the same from manifests, or a recorded host
//! ```

mod cluster;
mod files;
mod pools;
mod table;
#[cfg(test)]
mod tests;
mod view;

use std::{collections::BTreeMap, env, path::Path};

use anyhow::{Context, ensure};

use crate::{
    args::{ListArgs, Output},
    claim::release_age,
    device::DeviceId,
    explain::EmptyPoolView,
    files::Disk,
    host::{Kernel, Recording, linux::Linux},
    inventory::Inventory,
    ledger::{Entry, Phase, Record, Store},
    paths::Paths,
    pool::EmptyPool,
};

pub(crate) use table::table;
use view::DeviceList;

/// The claim that holds a device, and the pod that its netdev is attached to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    /// `namespace/name` of the claim, or the error of its record.
    pub(crate) claim: String,
    /// `namespace/name` of the pod.
    pub(crate) pod: Option<String>,
    /// For how many seconds the claim has been releasing it.
    pub(crate) releasing: Option<u64>,
}

impl Holder {
    /// As in a table.
    pub(crate) fn text(&self) -> String {
        match self.releasing {
            Some(seconds) => format!("{}, releasing for {seconds} s", self.claim),
            None => self.claim.clone(),
        }
    }
}

/// The holders by device.
pub(crate) type Holders = BTreeMap<DeviceId, Holder>;

/// The pools by device, as `prefix/name`.
pub(crate) type PoolNames = BTreeMap<DeviceId, String>;

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let text = if !args.file.is_empty() {
        match files::read(&args.file)? {
            files::Content::Cluster(objects) => cluster::render(args, objects)?,
            files::Content::Host(recording) => recorded(args, &recording)?,
        }
    } else if args.cluster {
        cluster::output(args)?
    } else {
        host_output(args)?
    };
    super::print(&text)
}

fn host_output(args: &ListArgs) -> anyhow::Result<String> {
    let paths = Paths {
        run: args.state_dir.clone(),
        ..Paths::default()
    };
    let linux = Linux::new(paths.clone());
    let functions = linux.functions()?;
    if functions.is_empty() && matches!(args.output, Output::Table | Output::Wide) {
        return Ok(no_functions(has_kubeconfig()));
    }
    let records = Store::new(&paths, Disk::default()).all()?;
    // Best effort: which functions the host uses can only be read by root.
    let inventory = Inventory {
        host_used: linux.host_used().unwrap_or_default().into_iter().collect(),
        functions,
    };
    let (pools, empty) = pools::pools_of_host(args, &inventory, &records)?;
    let host = Host {
        node: Some(pools::node_name(args)),
        inventory,
        pools,
        holders: holders(&records),
        empty,
    };
    host.render(args.output)
}

/// A recorded host, with the pools of `--config-file`: its cluster is not known.
fn recorded(args: &ListArgs, recording: &Recording) -> anyhow::Result<String> {
    ensure!(
        args.node.is_none(),
        "--node applies to clusters, but the file is the recording of one host"
    );
    let inventory = Inventory::of_recording(recording).context("recorded sysfs")?;
    let node = args.node_name.as_deref().unwrap_or_default();
    let config = pools::config(args, node);
    let (pools, empty) = config
        .map(|config| pools::assigned(&config, &inventory, &[]))
        .unwrap_or_default();
    let host = Host {
        node: args.node_name.clone(),
        inventory,
        pools,
        holders: Holders::new(),
        empty,
    };
    host.render(args.output)
}

/// What is known of a host.
#[derive(Default)]
struct Host {
    node: Option<String>,
    inventory: Inventory,
    pools: PoolNames,
    holders: Holders,
    /// Pools that take none of its devices.
    empty: Vec<EmptyPool>,
}

impl Host {
    fn render(&self, output: Output) -> anyhow::Result<String> {
        let Self {
            inventory,
            pools,
            holders,
            ..
        } = self;
        if matches!(output, Output::Json | Output::Yaml) {
            let list = DeviceList {
                devices: view::of_host(inventory, pools, holders, self.node.as_deref()),
                empty_pools: self
                    .empty
                    .iter()
                    .map(|pool| self.empty_pool(pool))
                    .collect(),
            };
            return list.text(output);
        }
        let mut text = table(inventory, pools, holders, output == Output::Wide);
        for pool in &self.empty {
            text += &format!("{pool}\n");
        }
        Ok(text)
    }

    fn empty_pool(&self, pool: &EmptyPool) -> EmptyPoolView {
        EmptyPoolView {
            pool: pool.pool.to_string(),
            node: self.node.clone(),
            reason: pool.nearest.to_string(),
        }
    }
}

fn no_functions(kubeconfig: bool) -> String {
    let hint = if kubeconfig {
        "; to list those of the cluster: sriov-dra list --cluster"
    } else {
        ""
    };
    format!("no SR-IOV functions found on this host{hint}\n")
}

fn has_kubeconfig() -> bool {
    let default = env::var_os("HOME").map(|home| Path::new(&home).join(".kube/config"));
    env::var_os("KUBECONFIG").is_some() || default.is_some_and(|file| file.exists())
}

/// The holders from the records. A claim with admin access does not hold its device.
pub(crate) fn holders(entries: &[Entry]) -> Holders {
    let releasing = |record: &Record| {
        (record.phase == Phase::Unpreparing).then(|| release_age(record).as_secs())
    };
    let mut holders = Holders::new();
    for entry in entries {
        match entry {
            Entry::Readable(record) => {
                holders.extend(
                    record
                        .devices
                        .iter()
                        .filter(|device| !device.admin_access)
                        .map(|device| {
                            let pod = device
                                .attachment
                                .as_ref()
                                .map(|attachment| attachment.pod.clone());
                            (
                                device.id,
                                Holder {
                                    claim: record.owner.claim.to_string(),
                                    pod,
                                    releasing: releasing(record),
                                },
                            )
                        }),
                );
            }
            Entry::Unreadable { key, devices, why } => holders.extend(devices.iter().map(|id| {
                (
                    *id,
                    Holder {
                        claim: format!("unreadable record {key}: {why}"),
                        pod: None,
                        releasing: None,
                    },
                )
            })),
        }
    }
    holders
}
