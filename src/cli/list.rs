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

use std::{collections::BTreeMap, env, path::Path};

use anyhow::{Context, ensure};
use serde::Serialize;

use crate::{
    args::{ListArgs, Output},
    convert,
    device::{DeviceId, Function},
    files::Disk,
    host::{Kernel, Recording, linux::Linux},
    inventory::Inventory,
    ledger::{Entry, Store},
    paths::Paths,
};

pub(crate) use table::table;

/// The claim that holds a device, and the pod that its netdev is attached to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Holder {
    /// `namespace/name` of the claim, or the error of its record.
    pub(crate) claim: String,
    /// `namespace/name` of the pod.
    pub(crate) pod: Option<String>,
}

/// The holders by device.
pub(crate) type Holders = BTreeMap<DeviceId, Holder>;

/// The pools by device, as `prefix/name`.
pub(crate) type PoolNames = BTreeMap<DeviceId, String>;

/// A function with its pool and holder: an element of `-o json`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    function: &'a Function,
    pool: Option<&'a str>,
    claim: Option<&'a str>,
    pod: Option<&'a str>,
}

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
    let pools = pools::pools_of_host(args, &inventory, &records);
    render(&inventory, &pools, &holders(&records), args.output)
}

/// A recorded host, with the pools of `--config-file`: its cluster is not known.
fn recorded(args: &ListArgs, recording: &Recording) -> anyhow::Result<String> {
    ensure!(
        args.node.is_none(),
        "--node applies to clusters, but the file is the recording of one host"
    );
    let inventory = Inventory::of_recording(recording).context("recorded sysfs")?;
    let node = args.node_name.as_deref().unwrap_or_default();
    let pools = pools::configured(args, node, &inventory, &[]).unwrap_or_default();
    render(&inventory, &pools, &Holders::new(), args.output)
}

fn render(
    inventory: &Inventory,
    pools: &PoolNames,
    holders: &Holders,
    output: Output,
) -> anyhow::Result<String> {
    match output {
        Output::Table | Output::Wide => {
            Ok(table(inventory, pools, holders, output == Output::Wide))
        }
        Output::Json | Output::Yaml => {
            structured(&rows(&inventory.functions, pools, holders), output)
        }
    }
}

/// Machine-readable rows.
fn structured(rows: &[impl Serialize], output: Output) -> anyhow::Result<String> {
    match output {
        Output::Yaml => Ok(convert::yaml(&[serde_json::to_value(rows)?])),
        _ => Ok(serde_json::to_string_pretty(rows)? + "\n"),
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
                    },
                )
            })),
        }
    }
    holders
}

fn rows<'a>(functions: &'a [Function], pools: &'a PoolNames, holders: &'a Holders) -> Vec<Row<'a>> {
    let row = |function: &'a Function| {
        let holder = holders.get(&function.id);
        Row {
            function,
            pool: pools.get(&function.id).map(String::as_str),
            claim: holder.map(|held| &*held.claim),
            pod: holder.and_then(|held| held.pod.as_deref()),
        }
    };
    functions.iter().map(row).collect()
}
