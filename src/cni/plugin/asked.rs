//! What a network asks of its device, whichever of the plugins it names.

use crate::{
    api::Settings,
    cni::{
        netconf::{Conf, IbNetConf},
        protocol::CniError,
    },
    device::Guid,
    ledger::DeviceRecord,
};

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// Values at the PF; a MAC for the netdev.
    pub(super) settings: Settings,
    /// For `ib-sriov`.
    pub(super) infiniband: Option<InfiniBand>,
}

/// Of `ib-sriov` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct InfiniBand {
    /// For node and port.
    pub(super) guid: Option<Guid>,
    /// Its RDMA devices go into the pod.
    pub(super) isolates_rdma: bool,
    /// It is handed to processes.
    vfio: bool,
}

impl Asked {
    pub(super) fn of(conf: &Conf) -> Self {
        match conf {
            Conf::Sriov(conf) => Self {
                settings: conf.settings.clone(),
                infiniband: None,
            },
            Conf::Ib(conf) => Self {
                settings: Settings {
                    link_state: conf.link_state,
                    ..Settings::default()
                },
                infiniband: Some(InfiniBand::of(conf)),
            },
        }
    }

    /// Whether RDMA devices of that device go into the pod.
    pub(super) fn isolates_rdma(&self, device: &DeviceRecord) -> bool {
        let asked = self.infiniband.is_some_and(|asked| asked.isolates_rdma);
        asked && device.netdev.is_some()
    }
}

impl InfiniBand {
    fn of(conf: &IbNetConf) -> Self {
        Self {
            guid: conf.guid,
            isolates_rdma: conf.rdma_isolation,
            vfio: conf.vfio,
        }
    }

    /// Refuses a device with a netdev that is to have none.
    pub(super) fn check_vfio(&self, device: &DeviceRecord) -> Result<(), CniError> {
        match &device.netdev {
            Some(_) if self.vfio => {
                let driver = device.prepared_binding();
                let driver = driver.and_then(|binding| binding.driver.as_deref());
                let driver = driver.unwrap_or("none");
                let reason = format!(
                    "{} has the driver {driver}; bind it to vfio-pci, or leave vfioPciMode out",
                    device.id
                );
                Err(CniError::config("vfioPciMode", &reason))
            }
            _ => Ok(()),
        }
    }
}
