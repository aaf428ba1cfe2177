//! The tenant of one device is cut off.

use super::Engine;
use crate::{
    claim::ClaimError,
    deadline::Deadline,
    device::Binding,
    host::Netns,
    ledger::DeviceRecord,
    netdev::{self, Isolation},
};

/// How far the tenant is cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cut {
    /// It can neither send nor receive.
    Off,
    /// It has this device node open. Unbinding the driver would block until it is closed.
    NodeOpen(String),
    /// The device is gone, or another one is at its address: there is nothing to restore.
    Gone,
}

impl Engine {
    /// Repeating it is success. Another device at the same address is left alone, and one that is
    /// gone needs nothing.
    pub(super) fn isolate(
        &self,
        device: &DeviceRecord,
        host: &Netns,
        deadline: Deadline,
    ) -> Result<Cut, ClaimError> {
        let Some(bound) = self.standing(device)? else {
            return Ok(Cut::Gone);
        };
        if !self.return_rdma(device, host, deadline)? {
            return self.unbind(device, &bound, deadline);
        }
        match &device.netdev {
            Some(_) if !device.is_used() => Ok(Cut::Off),
            // One that stays on the host is the host's to configure, and nobody's to move.
            Some(plan) if !plan.attach.is_into_pod() && self.is_on_host(device, host)? => {
                Ok(Cut::Off)
            }
            Some(_) => self.isolate_netdev(device, &bound, host, deadline),
            None => self.isolate_nodes(device, &bound, deadline),
        }
    }

    /// Others may have moved a netdev that this driver does not: its tenant is in a pod too.
    fn is_on_host(&self, device: &DeviceRecord, host: &Netns) -> Result<bool, ClaimError> {
        let link = self.kernel.link(&device.id, host);
        let link = link.map_err(ClaimError::host("isolate"))?;
        Ok(link.is_some())
    }

    fn isolate_netdev(
        &self,
        device: &DeviceRecord,
        bound: &Binding,
        host: &Netns,
        deadline: Deadline,
    ) -> Result<Cut, ClaimError> {
        if bound.driver.is_none() {
            return Ok(Cut::Off);
        }
        let resting = netdev::resting(device);
        let isolation = netdev::isolate(
            &*self.kernel,
            host,
            &device.id,
            device.attachment.as_ref(),
            resting.as_ref().map(|rest| &rest.name),
            deadline,
        );
        match isolation.map_err(ClaimError::host("isolate"))? {
            Isolation::Isolated => Ok(Cut::Off),
            Isolation::NeedsUnbind => self.unbind(device, bound, deadline),
        }
    }

    /// Character devices: the driver that gave them is unbound, unless it is the one that the
    /// device rests with, which does nothing for anybody while its nodes are closed.
    fn isolate_nodes(
        &self,
        device: &DeviceRecord,
        bound: &Binding,
        deadline: Deadline,
    ) -> Result<Cut, ClaimError> {
        if let Some(node) = self.open_node(device) {
            return Ok(Cut::NodeOpen(node));
        }
        let rests = device.resting_binding().is_none_or(|rest| rest == bound);
        match rests || bound.driver.is_none() {
            true => Ok(Cut::Off),
            false => self.unbind(device, bound, deadline),
        }
    }

    pub(super) fn open_node(&self, device: &DeviceRecord) -> Option<String> {
        let own = |node: &&String| *node != VFIO_CONTAINER;
        // VFIO without IOMMU has another name on the host.
        let on_host = |node| device.extras.host_nodes.get(node).unwrap_or(node);
        let mut nodes = device.nodes.iter().filter(own).map(on_host);
        nodes.find(|node| self.kernel.is_open(node)).cloned()
    }

    fn unbind(
        &self,
        device: &DeviceRecord,
        bound: &Binding,
        deadline: Deadline,
    ) -> Result<Cut, ClaimError> {
        let none = Binding {
            driver: None,
            ..bound.clone()
        };
        netdev::retry(deadline, || {
            self.kernel.set_driver(&device.id, &none, deadline)
        })
        .map_err(ClaimError::host("isolate"))?;
        Ok(Cut::Off)
    }
}

/// The node of all groups, which says nothing about one.
const VFIO_CONTAINER: &str = "/dev/vfio/vfio";
