//! `-o json` and `-o yaml`: one form for the host and for the cluster, described by
//! `docs/schema/device-list.json`. What only one of them knows is null in the other.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{Holders, PoolNames};
use crate::{
    args::Output,
    cli::document::Document,
    convert,
    device::{Bdf, DeviceId, Function, FunctionKind, LinkType},
    explain::{DeviceView, EmptyPoolView},
    inventory::{HostUse, Inventory},
};

/// All devices, and the pools that take none.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeviceList {
    pub(super) devices: Vec<Device>,
    pub(super) empty_pools: Vec<EmptyPoolView>,
}

impl DeviceList {
    /// As JSON or YAML.
    pub(super) fn text(&self, output: Output) -> anyhow::Result<String> {
        let document = Document::new("DeviceList", self);
        match output {
            Output::Yaml => Ok(convert::yaml(&[serde_json::to_value(document)?])),
            _ => Ok(document.json()?),
        }
    }
}

/// One device. Null: none, or not known.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    node: Option<String>,
    /// As in the table's column DEVICE.
    device: String,
    /// As in ResourceSlices.
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    index: Option<i64>,
    pci_address: Option<String>,
    pf_pci_address: Option<String>,
    pf_name: Option<String>,
    #[serde(rename = "totalVFs")]
    total_vfs: Option<i64>,
    #[serde(rename = "numVFs")]
    num_vfs: Option<i64>,
    /// As in the table's column IDS.
    ids: Option<String>,
    netdev: Option<String>,
    driver: Option<String>,
    link_type: Option<String>,
    link_up: Option<bool>,
    /// Mb/s.
    link_speed: Option<i64>,
    numa_node: Option<i64>,
    pcie_root: Option<String>,
    iommu_group: Option<u32>,
    pool: Option<String>,
    claim: Option<String>,
    pods: Vec<String>,
    /// Seconds since the claim was unprepared.
    releasing: Option<u64>,
    /// The host uses it, or a part of it: it is not published.
    used_by_host: Option<bool>,
    /// In a slice.
    published: Option<bool>,
    taints: Option<Vec<String>>,
    /// All that are published.
    attributes: Option<BTreeMap<String, Value>>,
}

/// The devices of a host.
pub(super) fn of_host(
    inventory: &Inventory,
    pools: &PoolNames,
    holders: &Holders,
    node: Option<&str>,
) -> Vec<Device> {
    let netdevs: BTreeMap<Bdf, String> = inventory
        .functions
        .iter()
        .filter_map(|function| match (function.id, &function.netdev) {
            (DeviceId::Pci(address), Some(netdev)) => Some((address, netdev.to_string())),
            _ => None,
        })
        .collect();
    let device = |function: &Function| {
        let holder = holders.get(&function.id);
        let used = inventory.host_use(function.id);
        Device {
            node: node.map(str::to_owned),
            pf_name: function.pf().and_then(|pf| netdevs.get(&pf).cloned()),
            pool: pools.get(&function.id).cloned(),
            claim: holder.map(|holder| holder.claim.clone()),
            pods: holder
                .and_then(|holder| holder.pod.clone())
                .into_iter()
                .collect(),
            releasing: holder.and_then(|holder| holder.releasing),
            used_by_host: Some(matches!(used, Some(HostUse::Whole | HostUse::Part))),
            ..of_function(function)
        }
    };
    inventory.functions.iter().map(device).collect()
}

fn of_function(function: &Function) -> Device {
    let (total_vfs, num_vfs) = function.vfs().unzip();
    Device {
        device: function.id.to_string(),
        name: function.id.name(),
        kind: Some(kind(&function.kind).to_owned()),
        index: function.index().map(i64::from),
        pci_address: Some(function.id.pci().to_string()),
        pf_pci_address: function.pf().map(|pf| pf.to_string()),
        total_vfs: total_vfs.map(i64::from),
        num_vfs: num_vfs.map(i64::from),
        ids: Some(ids(function)),
        netdev: function.netdev.as_ref().map(ToString::to_string),
        driver: function.binding.driver.clone(),
        link_type: function
            .link_type
            .map(|kind| LinkType::as_str(kind).to_owned()),
        link_up: function.carrier,
        link_speed: function.link_speed.map(i64::from),
        numa_node: function.numa_node.map(i64::from),
        pcie_root: function.pcie_root.clone(),
        iommu_group: function.iommu_group,
        ..Device::default()
    }
}

/// `8086:154c`, as `lspci -n` has it.
pub(super) fn ids(function: &Function) -> String {
    format!("{:04x}:{:04x}", function.ids.vendor, function.ids.device)
}

/// As in the attribute `type`.
fn kind(kind: &FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Pf { .. } => "pf",
        FunctionKind::Vf { .. } => "vf",
        FunctionKind::Sf { .. } => "sf",
        FunctionKind::Accelerator { .. } => "accelerator",
    }
}

/// A device of a cluster. Its attributes have neutral values where there is none.
pub(super) fn of_cluster(view: &DeviceView) -> Device {
    let text = |name: &str| Some(view.text(name).to_owned()).filter(|text| !text.is_empty());
    let number = |name: &str| view.number(name).filter(|number| *number >= 0);
    let of_pf = |name: &str| number(name).filter(|_| !view.is_part() && view.published);
    Device {
        node: view.node.clone(),
        device: view.device.clone(),
        name: view.device.clone(),
        kind: text("type"),
        index: number("index"),
        pci_address: text("pciAddress"),
        pf_pci_address: text("pfPciAddress"),
        pf_name: text("pfName"),
        total_vfs: of_pf("totalVFs"),
        num_vfs: of_pf("numVFs"),
        ids: text("vendor").and_then(|vendor| Some(format!("{vendor}:{}", text("deviceID")?))),
        driver: text("driver"),
        link_type: text("linkType"),
        link_speed: number("linkSpeed").filter(|speed| *speed > 0),
        numa_node: number("resource.kubernetes.io/numaNode"),
        pcie_root: text("resource.kubernetes.io/pcieRoot"),
        pool: text("pool"),
        claim: view.claim.clone(),
        pods: view.pods.clone(),
        published: Some(view.published),
        taints: Some(view.taints.clone()),
        attributes: Some(view.attributes.clone()),
        ..Device::default()
    }
}
