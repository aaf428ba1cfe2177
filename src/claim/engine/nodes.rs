//! The character devices that a device's containers get.

use std::time::Duration;

use super::Engine;
use crate::{
    claim::{
        ClaimError,
        plan::check_single,
        yields::{hands_over, is_handed_over, nodes},
    },
    deadline::Deadline,
    device::{Binding, Observed, RdmaDevice},
    ledger::{Demand, DeviceRecord, Step},
};

/// How long the kernel may take to make the nodes of a driver that it has just bound.
const NODES: Duration = Duration::from_secs(2);
/// Both or none, as the device plugin has it; and the kernel modules that make them.
const VHOST_NET: [(&str, &str); 2] = [("/dev/vhost-net", "vhost_net"), ("/dev/net/tun", "tun")];
/// The connection manager's, which all RDMA devices share.
pub(super) const RDMA_CM: &str = "/dev/infiniband/rdma_cm";

impl Engine {
    /// Refuses what class or claim requests and the host does not have, as far as that shows before
    /// anything is changed.
    pub(super) fn check_extras(
        &self,
        device: &DeviceRecord,
        observed: &Observed,
    ) -> Result<(), ClaimError> {
        let vhost = self.vhost_net(device.extras.vhost_net).map(drop);
        let rdma = rdma_fault(device, observed).map_or(Ok(()), Err);
        vhost
            .and(rdma)
            .map_err(|reason| ClaimError::refused(device.id, reason))
    }

    /// Notes the nodes that the device has now, after its steps.
    pub(super) fn note_nodes(
        &self,
        device: &mut DeviceRecord,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        if device.admin_access {
            return Ok(());
        }
        let observed = self.observe(&device.id)?;
        if device.netdev.is_some() {
            // A driver that has just been bound may have made more of them than expected.
            check_single(&observed.function)
                .map_err(|reason| ClaimError::refused(device.id, reason))?;
        }
        let (name, rdma) = self.rdma(device, &observed, deadline)?;
        let vhost = self.vhost_net(device.extras.vhost_net);
        let vhost = vhost.map_err(|reason| ClaimError::refused(device.id, reason))?;
        device.nodes = [self.vfio(device, &observed, deadline)?, rdma, vhost].concat();
        device.extras.rdma_device = name;
        Ok(())
    }

    /// The node of the function's IOMMU group, which may come with the driver. Two devices of one
    /// group have the same; each has it, since a container may get only one of them.
    fn vfio(
        &self,
        device: &mut DeviceRecord,
        observed: &Observed,
        deadline: Deadline,
    ) -> Result<Vec<String>, ClaimError> {
        if !observed.function.yields.vfio {
            return Ok(vec![]);
        }
        let wait = Deadline::after(NODES.min(deadline.left()));
        let id = device.id;
        let function = wait.poll(|| {
            let function = self.observe(&id)?.function;
            Ok::<_, ClaimError>(function.iommu_group.map(|_| function))
        })?;
        let function = function.ok_or_else(|| ClaimError::refused(id, WITHOUT_IOMMU))?;
        let group = nodes(&function).into_iter().take(1);
        let group: Vec<(String, String)> = group.collect();
        let elsewhere = group.iter().filter(|(host, inside)| host != inside);
        device.extras.host_nodes = elsewhere
            .map(|(host, inside)| (inside.clone(), host.clone()))
            .collect();
        let inside = group.into_iter().map(|(_, inside)| inside);
        Ok(inside.chain(["/dev/vfio/vfio".to_owned()]).collect())
    }

    fn vhost_net(&self, demand: Demand) -> Result<Vec<String>, String> {
        let missing = VHOST_NET
            .iter()
            .find(|(node, _)| !self.kernel.has_node(node));
        match (demand, missing) {
            (Demand::No, _) | (Demand::IfAvailable, Some(_)) => Ok(vec![]),
            (Demand::Required, Some((node, module))) => Err(format!(
                "vhostNet: this node has no {node}: load the kernel module {module}"
            )),
            (_, None) => Ok(VHOST_NET.map(|(node, _)| node.to_owned()).to_vec()),
        }
    }

    /// The first RDMA device, and the nodes of all.
    fn rdma(
        &self,
        device: &DeviceRecord,
        observed: &Observed,
        deadline: Deadline,
    ) -> Result<(Option<String>, Vec<String>), ClaimError> {
        let demand = device.extras.rdma;
        let possible = !is_handed_over(&observed.function) && observed.function.capabilities.rdma;
        if demand == Demand::No || (demand == Demand::IfAvailable && !possible) {
            return Ok((None, vec![]));
        }
        let wait = Deadline::after(NODES.min(deadline.left()));
        let found = wait.poll(|| {
            let all = self
                .kernel
                .rdma(&device.id)
                .map_err(ClaimError::host("prepare"))?;
            Ok::<_, ClaimError>((!all.is_empty() && all.iter().all(is_open)).then_some(all))
        })?;
        match found {
            Some(all) => {
                let shared = [RDMA_CM]
                    .into_iter()
                    .filter(|node| self.kernel.has_node(node))
                    .map(str::to_owned);
                let name = all.first().map(|rdma| rdma.name.clone());
                Ok((
                    name,
                    all.into_iter()
                        .flat_map(|rdma| rdma.nodes)
                        .chain(shared)
                        .collect(),
                ))
            }
            None if demand == Demand::Required => {
                Err(ClaimError::refused(device.id, NO_RDMA_NODES))
            }
            None => {
                tracing::warn!(device = %device.id, "its pool wants RDMA: {NO_RDMA_NODES}");
                Ok((None, vec![]))
            }
        }
    }
}

/// Why VFIO does not serve a device.
pub(super) const WITHOUT_IOMMU: &str = "has no IOMMU group, which VFIO needs: switch the IOMMU on \
                                        (firmware, and intel_iommu=on or amd_iommu=on on the \
                                        kernel's command line)";

/// Whether a process can reach it.
fn is_open(rdma: &RdmaDevice) -> bool {
    rdma.nodes
        .iter()
        .any(|node| node.starts_with("/dev/infiniband/uverbs"))
}

const NO_RDMA_NODES: &str = "rdma: the host sees no /dev/infiniband/uverbs of it: load the kernel module ib_uverbs, and \
                             see that no other network namespace has its RDMA device (rdma link)";

/// Why the device will have no RDMA; what depends on its next driver is checked later.
fn rdma_fault(device: &DeviceRecord, observed: &Observed) -> Option<String> {
    let now = &observed.function.binding;
    let to = target(device).unwrap_or(now);
    let driver = to.driver.as_deref().unwrap_or("no driver");
    if device.extras.rdma != Demand::Required {
        None
    } else if to.driver.as_deref().is_none_or(hands_over) {
        Some(format!(
            "rdma: there is none with {driver}; leave rdma out, or set driver: default"
        ))
    } else if to.driver == now.driver && !observed.function.capabilities.rdma {
        let right = "leave rdma out, or select devices whose attribute rdma is true";
        Some(format!(
            "rdma: the driver {driver} has made no RDMA device of it; {right}"
        ))
    } else {
        None
    }
}

fn target(device: &DeviceRecord) -> Option<&Binding> {
    device.steps.iter().find_map(|step| match step {
        Step::Driver { to, .. } => Some(&**to),
        _ => None,
    })
}
