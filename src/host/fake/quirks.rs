//! How drivers differ from igb and igbvf, which the fake is otherwise.

use std::{cell::Cell, fmt, sync::Arc};

use crate::{device::DeviceId, files::Moment};

/// What a driver does or refuses. Each field cites the kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quirks {
    /// For messages.
    pub name: &'static str,
    /// No `ndo_set_mac_address`: even the present address is refused with EOPNOTSUPP
    /// (`dev_set_mac_address` in `net/core/dev.c`; `ena_netdev_ops` in
    /// `drivers/net/ethernet/amazon/ena/ena_netdev.c` has none).
    pub no_mac_setter: bool,
    /// A zero MAC for a VF is refused with EINVAL (`qede_set_vf_mac` in
    /// `drivers/net/ethernet/qlogic/qede/qede_main.c`, `otx2_set_vf_mac` in
    /// `drivers/net/ethernet/marvell/octeontx2/nic/otx2_pf.c`).
    pub no_zero_mac: bool,
    /// The netdev appears so many looks after its driver was bound (`iavf_finish_config` in
    /// `drivers/net/ethernet/intel/iavf/iavf_main.c` registers it from a work queue).
    pub late_netdev: u32,
    /// The PF reports nothing of a VF for so many looks after a value was set: it resets the VF
    /// (`ice_reset_vf` in `drivers/net/ethernet/intel/ice/ice_vf_lib.c`;
    /// `ice_get_vf_cfg` in `ice_sriov.c` returns EBUSY meanwhile).
    pub reset_looks: u32,
    /// A MAC that is set at the PF is the netdev's at once (`mlx5_esw_vport_set_mac` in
    /// `drivers/net/ethernet/mellanox/mlx5/core/eswitch.c`, and the VF's NIC vport context).
    pub eager_mac: bool,
}

impl Quirks {
    /// iavf above ice.
    #[must_use]
    pub fn ice() -> Self {
        Self {
            name: "ice",
            late_netdev: 3,
            reset_looks: 2,
            ..Self::default()
        }
    }

    /// mlx5.
    #[must_use]
    pub fn mlx5() -> Self {
        Self {
            name: "mlx5",
            eager_mac: true,
            ..Self::default()
        }
    }

    /// ena, and mana alike.
    #[must_use]
    pub fn ena() -> Self {
        Self {
            name: "ena",
            no_mac_setter: true,
            ..Self::default()
        }
    }

    /// qede, and octeontx2 alike.
    #[must_use]
    pub fn qede() -> Self {
        Self {
            name: "qede",
            no_zero_mac: true,
            ..Self::default()
        }
    }

    /// All of them, after igb, which has none.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let igb = Self {
            name: "igb",
            ..Self::default()
        };
        vec![igb, Self::ice(), Self::mlx5(), Self::ena(), Self::qede()]
    }
}

/// What a test does around each rebind.
#[derive(Clone, Default)]
#[expect(clippy::type_complexity, reason = "named by the type around it")]
pub(super) struct RebindHook(pub(super) Option<Arc<dyn Fn(&DeviceId, Moment) + Send + Sync>>);

impl RebindHook {
    pub(super) fn call(&self, device: &DeviceId, moment: Moment) {
        if let Some(hook) = &self.0 {
            hook(device, moment);
        }
    }
}

impl fmt::Debug for RebindHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RebindHook({})", self.0.is_some())
    }
}

/// Looks that are left until something is there.
#[derive(Debug, Clone, Default)]
pub(super) struct Looks(Cell<u32>);

impl Looks {
    pub(super) fn set(&self, looks: u32) {
        self.0.set(looks);
    }

    /// Whether it is there; this look counts.
    pub(super) fn over(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left == 0
    }
}
