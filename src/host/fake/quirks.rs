//! How drivers differ from igb and igbvf, which the fake is otherwise.

use std::{cell::Cell, fmt, sync::Arc};

use super::super::ErrorKind;
use crate::{
    device::{DeviceId, Mac, VfSetting},
    files::Moment,
};

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
    /// `ice_get_vf_cfg` in `ice_sriov.c` returns EBUSY meanwhile), and takes no other value
    /// (`ice_check_vf_ready_for_cfg` in `ice_vf_lib.c`: EBUSY).
    pub reset_looks: u32,
    /// The address that a trusted VF sets replaces the one that the PF holds for it, an
    /// administrator's too (`ice_can_vf_change_mac` and `ice_vfhw_mac_add` in
    /// `drivers/net/ethernet/intel/ice/virt/virtchnl.c`).
    pub trusted_mac: bool,
    /// A MAC that is set at the PF is the netdev's at once (`mlx5_esw_vport_set_mac` in
    /// `drivers/net/ethernet/mellanox/mlx5/core/eswitch.c`, and the VF's NIC vport context).
    pub eager_mac: bool,
    /// The PF reports no MAC of a VF but the administrator's, whatever the VF has given itself
    /// (`mlx5_eswitch_get_vport_config` in `drivers/net/ethernet/mellanox/mlx5/core/eswitch.c`).
    pub no_mirror: bool,
    /// So many of the next addresses that are set on netdevs of VFs do not reach the PF, and the
    /// driver says nothing of it: a message that crosses one of the PF, or that is sent before the
    /// VF has answered a reset, is lost (`e1000_rar_set_vf` in
    /// `drivers/net/ethernet/intel/igbvf/vf.c` ignores what its mailbox returns;
    /// `igb_rcv_msg_from_vf` in `drivers/net/ethernet/intel/igb/igb_main.c`).
    pub lost_macs: u32,
    /// PFs are in switchdev mode, in which trust, spoof check and a VLAN are refused with
    /// EOPNOTSUPP, and VLAN 0 is taken (`mlx5_eswitch_set_vport_vlan`,
    /// `mlx5_eswitch_set_vport_spoofchk` and `mlx5_eswitch_set_vport_trust` in
    /// `drivers/net/ethernet/mellanox/mlx5/core/esw/legacy.c`).
    pub switchdev: bool,
}

impl Quirks {
    /// iavf above ice.
    #[must_use]
    pub fn ice() -> Self {
        Self {
            name: "ice",
            late_netdev: 3,
            // One is not a matter of time: who looks again sees it.
            reset_looks: 1,
            trusted_mac: true,
            ..Self::default()
        }
    }

    /// mlx5.
    #[must_use]
    pub fn mlx5() -> Self {
        Self {
            name: "mlx5",
            eager_mac: true,
            no_mirror: true,
            ..Self::default()
        }
    }

    /// mlx5 in switchdev mode.
    #[must_use]
    pub fn switchdev() -> Self {
        Self {
            name: "mlx5 in switchdev mode",
            switchdev: true,
            ..Self::mlx5()
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

    /// How a PF refuses a value, if it does.
    pub(super) fn refusal(&self, setting: &VfSetting) -> Option<(ErrorKind, &'static str)> {
        let legacy_only = match setting {
            VfSetting::Vlan(tag) => tag.id != 0,
            VfSetting::Trust(_) | VfSetting::SpoofChk(_) => true,
            VfSetting::Mac(_)
            | VfSetting::Rate { .. }
            | VfSetting::LinkState(_)
            | VfSetting::NodeGuid(_)
            | VfSetting::PortGuid(_) => false,
        };
        if self.no_zero_mac && *setting == VfSetting::Mac(Mac::ZERO) {
            Some((ErrorKind::Invalid, "invalid argument"))
        } else if self.switchdev && legacy_only {
            Some((ErrorKind::Unsupported, "operation not supported"))
        } else {
            None
        }
    }

    /// All of them in legacy mode, after igb, which has none.
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
