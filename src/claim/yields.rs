//! What a container gets of a function with a driver: a netdev, its IOMMU group, or neither. Pure.
//!
//! With the driver that is bound, it is what was observed. Only for a driver that is going to be
//! bound its name decides, and what other functions of the same make have with it.

use crate::{
    api::{DriverChoice, Settings},
    device::{Binding, Function, FunctionKind, Observed},
    ledger::{DeviceRecord, Step},
};

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// A netdev.
    Netdev,
    /// Its IOMMU group, by VFIO.
    Group,
    /// Neither: RDMA devices only, a UIO device, an accelerator.
    Neither,
}

/// Drivers that hand a function to a process by UIO.
const UIO: [&str; 2] = ["uio_pci_generic", "igb_uio"];
/// Kernel drivers of network functions that make no netdev: `drivers/infiniband/hw/{efa,erdma}`,
/// `drivers/pci/pci-pf-stub.c`, `drivers/net/ethernet/amd/pds_core`.
const WITHOUT_NETDEV: [&str; 4] = ["efa", "erdma", "pci-pf-stub", "pds_core"];

/// Whether the name is that of a VFIO driver. vfio-pci has variants for single makes, all named so.
pub(super) fn is_vfio(driver: &str) -> bool {
    driver.contains("vfio")
}

/// Whether a driver that hands functions to processes is bound: none of the kernel's own.
pub(super) fn is_handed_over(function: &Function) -> bool {
    let yields = &function.yields;
    let driver = function.binding.driver.as_deref();
    yields.vfio || !yields.uio.is_empty() || driver.is_some_and(hands_over)
}

/// Whether the driver hands functions to processes.
pub(super) fn hands_over(driver: &str) -> bool {
    is_vfio(driver) || UIO.contains(&driver)
}

/// What the function gives with that driver.
pub(super) fn gives(observed: &Observed, to: &Binding) -> Gives {
    match observed.function.binding.driver == to.driver {
        true => gives_now(observed),
        false => will_give(&observed.function, to),
    }
}

/// What it gives with its present driver.
pub(super) fn gives_now(observed: &Observed) -> Gives {
    let Observed {
        function, netdev, ..
    } = observed;
    if function.yields.vfio {
        Gives::Group
    } else if netdev.is_some() || function.yields.netdev_elsewhere {
        Gives::Netdev
    } else {
        Gives::Neither
    }
}

fn will_give(function: &Function, to: &Binding) -> Gives {
    let accelerator = matches!(function.kind, FunctionKind::Accelerator { .. });
    match to.driver.as_deref() {
        Some(driver) if is_vfio(driver) => Gives::Group,
        None => Gives::Neither,
        Some(driver) if UIO.contains(&driver) || WITHOUT_NETDEV.contains(&driver) => Gives::Neither,
        Some(_) if accelerator => Gives::Neither,
        Some(_) => Gives::Netdev,
    }
}

/// Whether the configuration gives the function's IOMMU group to the containers.
pub(super) fn gives_group(settings: &Settings, function: &Function) -> bool {
    match &settings.driver {
        None => function.yields.vfio,
        Some(DriverChoice::Default) => false,
        Some(DriverChoice::Named(name)) => is_vfio(name),
    }
}

/// Whether a device of a claim gives its IOMMU group, by its record: from before the first change
/// on.
pub(super) fn has_group(device: &DeviceRecord) -> bool {
    let is_vfio_step = |step: &Step| match step {
        Step::Driver { to, .. } => to.driver.as_deref().is_some_and(is_vfio),
        _ => false,
    };
    let is_group = |node: &String| node.starts_with("/dev/vfio/") && node != "/dev/vfio/vfio";
    device.nodes.iter().any(is_group) || device.steps.iter().any(is_vfio_step)
}

/// Whether a function without netdev should have one: another of the same make and kind has one
/// with the same driver. Some drivers make theirs some time after they were bound.
pub(super) fn expects_netdev<'a>(
    function: &Function,
    mut others: impl Iterator<Item = &'a Function>,
) -> bool {
    let driver = &function.binding.driver;
    let alike = |other: &Function| {
        other.ids == function.ids
            && other.binding.driver == *driver
            && other.link_type == function.link_type
            && other.is_part() == function.is_part()
    };
    let has_one = |other: &Function| other.netdev.is_some() || other.yields.netdev_elsewhere;
    driver.is_some()
        && !is_handed_over(function)
        && others.any(|other| alike(other) && has_one(other))
}

/// The node of the function's IOMMU group on the host, which is there once VFIO has a member of it.
pub(super) fn group_node(function: &Function) -> Option<String> {
    let confined = function.yields.group.is_some_and(|group| !group.no_iommu);
    let group = function.iommu_group.filter(|_| confined)?;
    Some(format!("/dev/vfio/{group}"))
}

/// The nodes through which a process has the function now: on the host, and in a container.
///
/// VFIO without IOMMU has a name of its own on the host. In a container the group's node has the
/// name that it has with an IOMMU, as the device plugin gives it.
pub(super) fn nodes(function: &Function) -> Vec<(String, String)> {
    let group = function.iommu_group.filter(|_| function.yields.vfio);
    let no_iommu = function.yields.group.is_some_and(|group| group.no_iommu);
    let vfio = group.map(|group| {
        let inside = format!("/dev/vfio/{group}");
        match no_iommu {
            true => (format!("/dev/vfio/noiommu-{group}"), inside),
            false => (inside.clone(), inside),
        }
    });
    let uio = function
        .yields
        .uio
        .iter()
        .map(|name| format!("/dev/{name}"));
    vfio.into_iter()
        .chain(uio.map(|node| (node.clone(), node)))
        .collect()
}
