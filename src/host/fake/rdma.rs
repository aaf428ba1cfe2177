//! RDMA devices of the fake kernel, and the namespaces that they are in.

use super::{
    super::{ErrorKind, HostError, Netns, Result},
    function::{FakeFunction, FakeLink, NO_NETDEV},
    namespaces::HOST_NETNS,
    state::State,
};
use crate::device::{DeviceId, LinkType, RdmaDevice};

impl FakeFunction {
    /// Drivers that create no netdev create no RDMA devices either.
    fn rdma_names(&self) -> &[String] {
        let driver = self.function.binding.driver.as_deref();
        match driver.is_some_and(|driver| !NO_NETDEV.contains(&driver)) {
            true => &self.function.capabilities.rdma_devices,
            false => &[],
        }
    }

    pub(super) fn is_infiniband(&self) -> bool {
        self.function.link_type == Some(LinkType::Infiniband)
    }

    /// What its driver has read when it started: the GUIDs that its PF held then.
    pub(super) fn read_guids(&mut self) {
        self.guids = self.vf.and_then(|held| held.node_guid.zip(held.port_guid));
    }
}

impl State {
    /// Those that the host sees.
    pub(super) fn rdma(&self, device: &DeviceId) -> Result<Vec<RdmaDevice>> {
        let fake = self.function(device)?;
        let seen = fake.rdma_netns == HOST_NETNS;
        let names = fake.rdma_names().iter().filter(|_| seen);
        Ok(names
            .map(|name| RdmaDevice {
                name: name.clone(),
                nodes: self.rdma_nodes(name),
            })
            .collect())
    }

    pub(super) fn rdma_nodes(&self, name: &str) -> Vec<String> {
        let number = name.rsplit('_').next().unwrap_or_default();
        let all = ["issm", "umad", "uverbs"].map(|kind| format!("/dev/infiniband/{kind}{number}"));
        all.into_iter().filter(|node| self.has_node(node)).collect()
    }

    pub(super) fn rdma_names(&self, netns: &Netns) -> Vec<String> {
        let here = |fake: &&FakeFunction| fake.rdma_netns == netns.inode;
        let names = self.functions.values().filter(here);
        names.flat_map(FakeFunction::rdma_names).cloned().collect()
    }

    /// As `ib_device_set_netns_put` in `drivers/infiniband/core/device.c`: EOPNOTSUPP while RDMA
    /// devices are shared.
    pub(super) fn move_rdma(&mut self, name: &str, from: &Netns, to: &Netns) -> Result<()> {
        let refuse = |kind, text| {
            let op = format!("move to netns {}", to.inode);
            Err(HostError::of_kind(kind, name.to_owned(), op, text))
        };
        if !self.exclusive_rdma {
            return refuse(ErrorKind::Unsupported, "operation not supported");
        }
        let has = |fake: &&FakeFunction| fake.rdma_names().iter().any(|own| own == name);
        let device = self.functions.values().find(has);
        match device.map(|fake| (fake.function.id, fake.rdma_netns)) {
            Some((_, now)) if now == to.inode => {}
            Some((id, now)) if now == from.inode => self.change_rdma_netns(&id, to.inode),
            _ => return refuse(ErrorKind::Gone, "no such device"),
        }
        Ok(())
    }

    /// All clients are removed and added again, IPoIB too: its netdev is a new one in the host's
    /// namespace (`ipoib_add_one` in `drivers/infiniband/ulp/ipoib/ipoib_main.c`).
    pub(super) fn change_rdma_netns(&mut self, device: &DeviceId, netns: u64) {
        let (ifindex, name) = (self.next(), self.free_name("ib"));
        let Some(fake) = self.functions.get_mut(device) else {
            return;
        };
        fake.rdma_netns = netns;
        if fake.is_infiniband() && fake.link.is_some() {
            fake.link = Some(FakeLink::of_infiniband(HOST_NETNS, ifindex, name));
        }
    }

    /// What `rdma_dev_exit_net` in `drivers/infiniband/core/device.c` does for a namespace that is
    /// destroyed.
    pub(super) fn return_rdma(&mut self, dying: u64) {
        let inside = |fake: &&FakeFunction| fake.rdma_netns == dying;
        let all = self.functions.values().filter(inside);
        let all: Vec<DeviceId> = all.map(|fake| fake.function.id).collect();
        all.iter()
            .for_each(|device| self.change_rdma_netns(device, HOST_NETNS));
    }
}
