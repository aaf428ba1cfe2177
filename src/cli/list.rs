//! `list`: functions, PFs with their VFs and SFs under them, and who holds each.
//!
//! ```text
//!  list            this host: kernel, records ─► table     pools: the cluster's slices, else config.json
//!  list --cluster  slices, claims, taint rules ─► table    list -f FILE: the same, from manifests
//! ```

mod cluster;
mod pools;
mod table;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, env, path::Path};

use serde::Serialize;

use crate::{
    args::{ListArgs, Output},
    convert,
    device::{DeviceId, Function},
    files::Disk,
    host::{Kernel, linux::Linux},
    inventory::Inventory,
    ledger::{Entry, Store},
    paths::Paths,
};

pub(crate) use table::table;

/// Which claim holds a device, and in which pod its netdev is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Holder {
    /// `namespace/name` of the claim, or what is wrong with its record.
    pub(crate) claim: String,
    /// `namespace/name` of the pod that has the netdev.
    pub(crate) pod: Option<String>,
}

/// Who holds what.
pub(crate) type Holders = BTreeMap<DeviceId, Holder>;

/// Which device is in which pool, as `prefix/name`.
pub(crate) type Pools = BTreeMap<DeviceId, String>;

/// One function, its pool and its holder: the element of `-o json`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    function: &'a Function,
    pool: Option<&'a str>,
    claim: Option<&'a str>,
    pod: Option<&'a str>,
}

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let text = if args.cluster || !args.file.is_empty() {
        cluster::answer(args)?
    } else {
        of_host(args)?
    };
    super::print(&text)
}

fn of_host(args: &ListArgs) -> anyhow::Result<String> {
    let paths = Paths {
        run: args.state_dir.clone(),
        ..Paths::default()
    };
    let linux = Linux::new(paths.clone());
    let functions = linux.functions()?;
    if functions.is_empty() && matches!(args.output, Output::Table | Output::Wide) {
        return Ok(nothing_here(has_kubeconfig()));
    }
    let records = Store::new(&paths, Disk::default()).all()?;
    // Whoever may not look at all that the host uses sees the functions nevertheless.
    let inventory = Inventory {
        host_used: linux.host_used().unwrap_or_default().into_iter().collect(),
        functions,
    };
    let pools = pools::of_host(args, &inventory, &records);
    form(
        &inventory.functions,
        &pools,
        &holders(&records),
        args.output,
    )
}

fn form(
    functions: &[Function],
    pools: &Pools,
    holders: &Holders,
    form: Output,
) -> anyhow::Result<String> {
    match form {
        Output::Table | Output::Wide => Ok(table(functions, pools, holders, form == Output::Wide)),
        Output::Json | Output::Yaml => structured(&rows(functions, pools, holders), form),
    }
}

/// Rows for programs.
fn structured(rows: &[impl Serialize], form: Output) -> anyhow::Result<String> {
    match form {
        Output::Yaml => Ok(convert::yaml(&[serde_json::to_value(rows)?])),
        _ => Ok(serde_json::to_string_pretty(rows)? + "\n"),
    }
}

fn nothing_here(kubeconfig: bool) -> String {
    let hint = if kubeconfig {
        "; those of the cluster: sriov-dra list --cluster"
    } else {
        ""
    };
    format!("no SR-IOV functions on this host{hint}\n")
}

fn has_kubeconfig() -> bool {
    let home = env::var_os("HOME").map(|home| Path::new(&home).join(".kube/config"));
    env::var_os("KUBECONFIG").is_some() || home.is_some_and(|file| file.exists())
}

/// Reads the holders out of the records. Who only observes a device does not hold it.
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

fn rows<'a>(functions: &'a [Function], pools: &'a Pools, holders: &'a Holders) -> Vec<Row<'a>> {
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
