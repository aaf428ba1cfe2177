//! The character devices that a device's containers get.

use std::time::Duration;

use super::Engine;
use crate::{
    claim::{ClaimError, plan::makes_netdev},
    deadline::Deadline,
    device::{Binding, Observed, RdmaDevice},
    ledger::{Demand, DeviceRecord, Step},
};

/// How long the kernel may take to make the nodes of a driver that it has just bound.
const NODES: Duration = Duration::from_secs(2);
/// Both or none, as the device plugin has it; and the kernel modules that make them.
const VHOST_NET: [(&str, &str); 2] = [("/dev/vhost-net", "vhost_net"), ("/dev/net/tun", "tun")];
/// The connection manager's, which all RDMA devices share.
const RDMA_CM: &str = "/dev/infiniband/rdma_cm";

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
        let (name, rdma) = self.rdma(device, &observed, deadline)?;
        let vhost = self.vhost_net(device.extras.vhost_net);
        let vhost = vhost.map_err(|reason| ClaimError::refused(device.id, reason))?;
        device.nodes = [self.vfio(device, &observed, deadline)?, rdma, vhost].concat();
        device.extras.rdma_device = name;
        Ok(())
    }

    /// The node of the function's IOMMU group, which may come with the driver.
    fn vfio(
        &self,
        device: &DeviceRecord,
        observed: &Observed,
        deadline: Deadline,
    ) -> Result<Vec<String>, ClaimError> {
        if observed.function.binding.driver.as_deref() != Some("vfio-pci") {
            return Ok(vec![]);
        }
        let wait = Deadline::after(NODES.min(deadline.left()));
        let group =
            wait.poll(|| Ok::<_, ClaimError>(self.observe(&device.id)?.function.iommu_group))?;
        let missing = || {
            let text = "has no IOMMU group, which VFIO needs: switch the IOMMU on (firmware, and intel_iommu=on or \
                        amd_iommu=on on the kernel's command line)";
            ClaimError::refused(device.id, text)
        };
        let group = group.ok_or_else(missing)?;
        Ok(vec![
            format!("/dev/vfio/{group}"),
            "/dev/vfio/vfio".to_owned(),
        ])
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
        let possible =
            makes_netdev(&observed.function.binding) && observed.function.capabilities.rdma;
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
    } else if !makes_netdev(to) {
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
