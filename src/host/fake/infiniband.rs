//! A host with a ConnectX port in InfiniBand mode.

use super::{super::Recording, Fake, Quirks};
use crate::device::{Guid, LinkType, Observed, VfSettings};

impl Fake {
    /// The PF `0000:01:00.0` with 7 VFs (from `0000:02:10.0`), bound to mlx5_core, with IPoIB and
    /// RDMA devices, which are in one namespace each.
    #[must_use]
    pub fn infiniband() -> Self {
        let fake = Self::new(&Recording::infiniband());
        fake.set_quirks(Quirks::mlx5());
        fake.set_exclusive_rdma(true);
        fake
    }
}

impl Recording {
    /// The host of [`Fake::infiniband`].
    #[must_use]
    pub fn infiniband() -> Self {
        let mut host = Self::igb();
        let first = |observed: &Observed| observed.function.numa_node == Some(0);
        host.functions.retain(first);
        for (number, observed) in host.functions.iter_mut().enumerate() {
            as_infiniband(observed, number);
        }
        host
    }
}

/// The values that `mlx5_ib_get_vf_config` and `mlx5_ib_get_vf_guid` of
/// `drivers/infiniband/hw/mlx5/ib_virt.c` report; `rtnl_fill_vfinfo` sends zero, or −1 for unknown,
/// in place of the others.
fn as_infiniband(observed: &mut Observed, number: usize) {
    let function = &mut observed.function;
    function.link_type = Some(LinkType::Infiniband);
    function.binding.driver = Some("mlx5_core".to_owned());
    function.capabilities.rdma = true;
    function.capabilities.rdma_devices = vec![format!("mlx5_{number}")];
    observed.mac = None;
    if let Some(netdev) = &mut observed.netdev {
        netdev.state.mac = None;
    }
    let [.., low] = number.to_be_bytes();
    let guid = Guid([0x02, 0, 0, 0, 0, 0, 0xb, low]);
    observed.vf = observed.vf.map(|held| VfSettings {
        spoof_chk: None,
        trust: None,
        node_guid: Some(guid),
        port_guid: Some(guid),
        ..held
    });
}
