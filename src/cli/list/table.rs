//! The human-readable table.

use super::{Holder, Holders, PoolNames, view};
use crate::cli::columns::columns;
use crate::device::{Function, FunctionKind, IfName};
use crate::inventory::{HostUse, Inventory};

const PLAIN: [&str; 8] = [
    "DEVICE", "TYPE", "NETDEV", "DRIVER", "LINK", "POOL", "CLAIM", "POD",
];
const WIDE: [&str; 4] = ["IDS", "NUMA", "PCIE ROOT", "IOMMU"];

/// PFs by address, each followed by its VFs and SFs by index; then VFs without a PF. What is not
/// published because the host uses it is marked in place of a claim.
pub(crate) fn table(
    inventory: &Inventory,
    pools: &PoolNames,
    holders: &Holders,
    wide: bool,
) -> String {
    let header: Vec<&str> = PLAIN
        .iter()
        .chain(if wide { &WIDE[..] } else { &[] })
        .copied()
        .collect();
    columns(
        &header,
        sorted(&inventory.functions)
            .into_iter()
            .map(|function| row(inventory, function, pools, holders, wide)),
    )
}

fn sorted(functions: &[Function]) -> Vec<&Function> {
    let mut sorted: Vec<&Function> = functions.iter().collect();
    sorted.sort_by_key(|function| {
        let is_sf = function.auxiliary().is_some();
        (
            function.pf().is_none(),
            function.pf(),
            function.is_part(),
            is_sf,
            function.index(),
            function.id,
        )
    });
    sorted
}

fn row(
    inventory: &Inventory,
    function: &Function,
    pools: &PoolNames,
    holders: &Holders,
    wide: bool,
) -> Vec<String> {
    let holder = holders.get(&function.id);
    let host = || inventory.host_use(function.id).map(host_use);
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let mut cells = vec![
        device(function),
        kind(&function.kind),
        dash(netdevs(function)),
        dash(function.binding.driver.clone()),
        link(function),
        dash(pools.get(&function.id).cloned()),
        dash(holder.map(Holder::text).or_else(host)),
        dash(holder.and_then(|holder| holder.pod.clone())),
    ];
    if wide {
        cells.extend([
            view::ids(function),
            dash(function.numa_node.map(|node| node.to_string())),
            dash(function.pcie_root.clone()),
            dash(function.iommu_group.map(|group| group.to_string())),
        ]);
    }
    cells
}

fn netdevs(function: &Function) -> Option<String> {
    let names: Vec<&str> = function.netdevs().map(IfName::as_str).collect();
    (!names.is_empty()).then(|| names.join(","))
}

fn device(function: &Function) -> String {
    let indent = if function.is_part() { "  " } else { "" };
    format!("{indent}{}", function.id)
}

fn host_use(of: HostUse) -> String {
    let text = match of {
        HostUse::Whole => "used by the host",
        HostUse::Part => "used by the host in part",
    };
    text.to_owned()
}

fn kind(kind: &FunctionKind) -> String {
    match kind {
        FunctionKind::Pf { total_vfs, num_vfs } => format!("pf, {num_vfs} of {total_vfs} VFs"),
        FunctionKind::Vf { address: Some(vf) } => format!("vf {}", vf.index),
        FunctionKind::Vf { address: None } => "vf".to_owned(),
        FunctionKind::Sf { auxiliary } => format!("sf, {auxiliary}"),
        FunctionKind::Accelerator {
            address: Some(vf), ..
        } => format!("accelerator vf {}", vf.index),
        FunctionKind::Accelerator {
            total_vfs, num_vfs, ..
        } => format!("accelerator, {num_vfs} of {total_vfs} VFs"),
    }
}

fn link(function: &Function) -> String {
    // The speed of a VF is that of its PF.
    let speed = function
        .link_speed
        .filter(|_| matches!(function.kind, FunctionKind::Pf { .. }));
    match (function.carrier, speed) {
        (Some(true), Some(speed)) => format!("up, {speed} Mb/s"),
        (Some(true), None) => "up".to_owned(),
        (Some(false), _) => "no carrier".to_owned(),
        (None, _) => "-".to_owned(),
    }
}
