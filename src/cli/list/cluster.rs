//! The devices of all nodes, from slices, claims and taint rules.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::ensure;
use serde_json::Value;

use super::view::{self, DeviceList};
use crate::{
    args::{ListArgs, Output},
    cli::columns::columns,
    cluster::Kube,
    explain::{DeviceView, EmptyPoolView, Snapshot, devices, empty_pools},
};

const PLAIN: [&str; 9] = [
    "NODE", "DEVICE", "TYPE", "PF", "DRIVER", "POOL", "TAINTS", "CLAIM", "PODS",
];
const WIDE: [&str; 4] = ["IDS", "NUMA", "PCIE ROOT", "SPEED"];

/// The output, from the cluster.
pub(super) fn output(args: &ListArgs) -> anyhow::Result<String> {
    render(args, from_cluster(args)?)
}

pub(super) fn render(args: &ListArgs, objects: Vec<Value>) -> anyhow::Result<String> {
    let snapshot = Snapshot::read(objects)?;
    let mut all = devices(&snapshot, &args.driver_name);
    if let Some(node) = &args.node {
        let mut known = snapshot.all_nodes();
        known.extend(all.iter().filter_map(|device| device.node.as_deref()));
        ensure!(known.contains(&**node), unknown(node, &known));
        all.retain(|device| device.node.as_ref().is_none_or(|of| of == node));
    }
    let mut empty = empty_pools(&snapshot, &args.driver_name, &args.resource_prefix);
    empty.retain(|pool| args.node.is_none() || pool.node == args.node);
    match args.output {
        Output::Json | Output::Yaml => {
            let devices = all.iter().map(view::of_cluster).collect();
            let empty_pools = empty;
            DeviceList {
                devices,
                empty_pools,
            }
            .text(args.output)
        }
        _ if all.is_empty() => Ok(no_devices(args)),
        output => Ok(table(&all, output == Output::Wide) + &lines(&empty)),
    }
}

fn from_cluster(args: &ListArgs) -> anyhow::Result<Vec<Value>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let access = args.kubeconfig.access();
    Ok(runtime.block_on(async {
        Kube::connect_by(&access, &args.driver_name, "")
            .await?
            .device_objects()
            .await
    })?)
}

fn no_devices(args: &ListArgs) -> String {
    let place = match &args.node {
        Some(node) => format!("on node {node}"),
        None => "in slices or claims".to_owned(),
    };
    format!("no devices of {} found {place}\n", args.driver_name)
}

/// A cluster may have thousands of nodes; those that are listed show how the names are formed.
fn unknown(node: &str, known: &BTreeSet<&str>) -> String {
    const MOST: usize = 10;
    let names: Vec<&str> = known.iter().take(MOST).copied().collect();
    let more = match known.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let known = match names.is_empty() {
        true => "no slice or claim is of a node".to_owned(),
        false => format!("slices and claims are of {}{more}", names.join(", ")),
    };
    format!("node {node} is unknown: {known}")
}

/// A line for each pool and reason: most nodes of a cluster are alike.
fn lines(empty: &[EmptyPoolView]) -> String {
    let mut by_pool: BTreeMap<(&str, &str), Vec<&EmptyPoolView>> = BTreeMap::new();
    for pool in empty {
        by_pool
            .entry((&pool.pool, &pool.reason))
            .or_default()
            .push(pool);
    }
    let line = |pools: &Vec<&EmptyPoolView>| match pools.len() - 1 {
        0 => format!("{}\n", pools[0].line()),
        1 => format!("{}; the same on 1 more node\n", pools[0].line()),
        more => format!("{}; the same on {more} more nodes\n", pools[0].line()),
    };
    by_pool.values().map(line).collect()
}

fn table(devices: &[DeviceView], wide: bool) -> String {
    let header: Vec<&str> = PLAIN
        .iter()
        .chain(if wide { &WIDE[..] } else { &[] })
        .copied()
        .collect();
    columns(&header, devices.iter().map(|device| row(device, wide)))
}

fn row(view: &DeviceView, wide: bool) -> Vec<String> {
    let indent = if view.is_part() { "  " } else { "" };
    let mut cells = vec![
        dash(view.node.as_deref().unwrap_or_default()),
        format!("{indent}{}", view.device),
        kind(view),
        dash(view.text("pfName")),
        dash(view.text("driver")),
        dash(view.text("pool")),
        dash(&view.taints.join(", ")),
        dash(view.claim.as_deref().unwrap_or_default()),
        dash(&view.pods.join(", ")),
    ];
    if wide {
        let number = |name: &str| {
            view.number(name)
                .map(|number| number.to_string())
                .unwrap_or_default()
        };
        let speed = view.number("linkSpeed").filter(|speed| *speed > 0);
        cells.extend([
            dash(&[view.text("vendor"), view.text("deviceID")].join(":")),
            dash(&number("resource.kubernetes.io/numaNode")),
            dash(view.text("resource.kubernetes.io/pcieRoot")),
            dash(
                &speed
                    .map(|speed| format!("{speed} Mb/s"))
                    .unwrap_or_default(),
            ),
        ]);
    }
    cells
}

fn kind(view: &DeviceView) -> String {
    match (view.published, view.number("index")) {
        (false, _) => "in no slice".to_owned(),
        (true, Some(index)) if index >= 0 => format!("{} {index}", view.text("type")),
        (true, _) => dash(view.text("type")),
    }
}

fn dash(text: &str) -> String {
    if text.is_empty() || text == ":" {
        "-".to_owned()
    } else {
        text.to_owned()
    }
}
