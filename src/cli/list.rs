//! `list`: the node's functions, PFs with their VFs under them, and who holds each.

mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::Serialize;

use super::options::{ListArgs, Output};
use crate::{
    claim::{Entry, Store},
    device::{DeviceId, Function},
    files::Disk,
    host::{Kernel, linux::Linux},
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

/// One function and its holder: the element of `-o json`.
#[derive(Debug, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    function: &'a Function,
    claim: Option<&'a str>,
    pod: Option<&'a str>,
}

pub(super) fn run(args: &ListArgs) -> anyhow::Result<()> {
    let paths = Paths { run: args.state_dir.clone(), ..Paths::default() };
    let functions = Linux::new(paths.clone()).functions()?;
    let holders = holders(&Store::new(paths.records(), Disk::default()).all()?);
    super::print(&match args.output {
        Output::Json => json(&functions, &holders)?,
        form => table(&functions, &holders, form == Output::Wide),
    })
}

/// Reads the holders out of the records.
pub(crate) fn holders(entries: &[Entry]) -> Holders {
    let mut holders = Holders::new();
    for entry in entries {
        match entry {
            Entry::Readable(record) => holders.extend(record.devices.iter().map(|device| {
                let pod = device.attachment.as_ref().map(|attachment| attachment.pod.clone());
                (device.id, Holder { claim: record.claim.to_string(), pod })
            })),
            Entry::Unreadable { uid, devices, why } => holders.extend(
                devices.iter().map(|id| (*id, Holder { claim: format!("unreadable record {uid}: {why}"), pod: None })),
            ),
        }
    }
    holders
}

fn json(functions: &[Function], holders: &Holders) -> anyhow::Result<String> {
    let rows: Vec<Row<'_>> = functions
        .iter()
        .map(|function| {
            let holder = holders.get(&function.id);
            Row { function, claim: holder.map(|held| &*held.claim), pod: holder.and_then(|held| held.pod.as_deref()) }
        })
        .collect();
    Ok(serde_json::to_string_pretty(&rows)? + "\n")
}
