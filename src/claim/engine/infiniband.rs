//! What a network attachment does with an InfiniBand device: GUIDs, which its driver reads when it
//! starts, and RDMA devices in the pod's namespace.

use super::{Engine, nodes::RDMA_CM};
use crate::{
    claim::{ClaimError, view},
    deadline::Deadline,
    device::{DeviceId, Guid, LinkType, Observed, VfSetting},
    host::Netns,
    ledger::{DeviceRecord, Record, Step},
    netdev,
};

impl Engine {
    /// The values by which a device gets a GUID, for [`Engine::plan_network`].
    ///
    /// # Errors
    /// It is no InfiniBand device, or would be without any GUID.
    pub fn plan_guid(
        &self,
        device: &DeviceRecord,
        guid: Option<Guid>,
    ) -> Result<Vec<VfSetting>, ClaimError> {
        let observed = self.after_reset(&device.id)?;
        let fault = match guid {
            _ if observed.function.link_type == Some(LinkType::Ethernet) => NO_INFINIBAND,
            None if device.netdev.is_some() && lacks_guid(&observed) => NO_GUID,
            Some(guid) => return Ok(vec![VfSetting::NodeGuid(guid), VfSetting::PortGuid(guid)]),
            None => return Ok(vec![]),
        };
        Err(ClaimError::refused(device.id, fault))
    }

    /// Refuses to move RDMA devices where they are seen from all namespaces.
    ///
    /// # Errors
    /// They are.
    pub fn check_rdma(&self, device: &DeviceId) -> Result<(), ClaimError> {
        match self.kernel.has_exclusive_rdma() {
            true => Ok(()),
            false => Err(ClaimError::refused(*device, SHARED)),
        }
    }

    /// The RDMA devices that are to go into the pod, to be recorded before they do.
    ///
    /// # Errors
    /// There is none.
    pub fn plan_rdma(
        &self,
        device: &DeviceRecord,
        deadline: Deadline,
    ) -> Result<Vec<String>, ClaimError> {
        let made = deadline.poll(|| {
            let all = self.kernel.rdma(&device.id);
            let all = all.map_err(ClaimError::host("add"))?;
            Ok::<_, ClaimError>(Some(all).filter(|all| !all.is_empty()))
        })?;
        let made = made.ok_or_else(|| ClaimError::refused(device.id, NO_RDMA))?;
        Ok(made.into_iter().map(|rdma| rdma.name).collect())
    }

    /// Moves the layer's RDMA devices into the pod.
    ///
    /// # Errors
    /// The kernel's.
    pub fn isolate_rdma(
        &self,
        device: &DeviceRecord,
        pod: &Netns,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let names = rdma_of(device);
        if names.is_empty() {
            return Ok(());
        }
        let failed = ClaimError::host("add");
        let host = netdev::host_netns(&*self.kernel, &self.paths).map_err(failed)?;
        let namespaces = (&host, pod);
        netdev::move_rdma_in(&*self.kernel, &device.id, namespaces, names, deadline)
            .map_err(ClaimError::host("add"))
    }

    /// Moves them back. False: the driver has to be bound anew to have them on the host.
    pub(super) fn return_rdma(
        &self,
        device: &DeviceRecord,
        host: &Netns,
        deadline: Deadline,
    ) -> Result<bool, ClaimError> {
        let names = rdma_of(device);
        let Some(attachment) = device.attachment.as_ref().filter(|_| !names.is_empty()) else {
            return Ok(true);
        };
        netdev::move_rdma_back(&*self.kernel, host, attachment, names, deadline)
            .map_err(ClaimError::host("isolate"))
    }

    /// A driver reads the GUIDs that its PF holds only when it starts
    /// (`mlx5_query_node_guid` in `drivers/infiniband/hw/mlx5/main.c`).
    pub(super) fn read_guids(
        &self,
        device: &DeviceRecord,
        deadline: Deadline,
    ) -> Result<(), ClaimError> {
        let Some(binding) = device.prepared_binding().filter(|_| has_guids(device)) else {
            return Ok(());
        };
        if device.netdev.is_none() {
            return Ok(());
        }
        let bind = || {
            netdev::retry(deadline, || {
                self.kernel.rebind(&device.id, binding, deadline)
            })?;
            let host = netdev::host_netns(&*self.kernel, &self.paths)?;
            netdev::wait(&*self.kernel, &host, &device.id, deadline).map(drop)
        };
        bind().map_err(ClaimError::host("bind"))
    }

    /// The claim's containers get the character devices that its RDMA devices have now: a driver
    /// that is bound anew, or a device that changes its namespace, may get others. The caller saves
    /// the record.
    ///
    /// # Errors
    /// The spec's file.
    pub fn renew_nodes(&self, record: &mut Record, index: usize) -> Result<(), ClaimError> {
        let device = &mut record.devices[index];
        let is_own = |node: &&String| node.starts_with("/dev/infiniband/") && **node != RDMA_CM;
        if !device.nodes.iter().any(|node| is_own(&node)) {
            return Ok(());
        }
        let names = match rdma_of(device) {
            [] => {
                let all = self.kernel.rdma(&device.id);
                let all = all.map_err(ClaimError::host("add"))?;
                all.into_iter().map(|rdma| rdma.name).collect()
            }
            moved => moved.to_vec(),
        };
        let nodes: Vec<String> = names
            .iter()
            .flat_map(|name| self.kernel.rdma_nodes(name))
            .collect();
        let others = device.nodes.iter().filter(|node| !is_own(node)).cloned();
        device.nodes = nodes.into_iter().chain(others).collect();
        if device.extras.rdma_device.is_some() {
            device.extras.rdma_device = names.into_iter().next();
        }
        let spec = view::cdi_spec(record, &self.identity.driver_name, &self.paths);
        self.write_spec(&record.owner.claim.uid, &spec)
    }
}

const NO_INFINIBAND: &str =
    "is an Ethernet device, and the network's type is ib-sriov; use the type sriov";
const NO_GUID: &str = "guid: the VF has none (all zero or all ones), and the network names none";
const SHARED: &str = "rdmaIsolation: this host shares its RDMA devices among all network \
                      namespaces; switch it with rdma system set netns exclusive, or leave \
                      rdmaIsolation out";
const NO_RDMA: &str = "rdmaIsolation: its driver has made no RDMA device of it; load its kernel \
                       module (mlx5_ib), or leave rdmaIsolation out";

fn rdma_of(device: &DeviceRecord) -> &[String] {
    match &device.network {
        Some(layer) => &layer.rdma,
        None => &[],
    }
}

fn has_guids(device: &DeviceRecord) -> bool {
    let mut steps = device.network.iter().flat_map(|layer| &layer.steps);
    steps.any(|step| {
        matches!(
            step,
            Step::Vf {
                to: VfSetting::NodeGuid(_) | VfSetting::PortGuid(_),
                ..
            }
        )
    })
}

fn lacks_guid(observed: &Observed) -> bool {
    let held = observed.vf.and_then(|held| held.port_guid);
    held.is_some_and(|guid| !guid.is_assigned())
}
