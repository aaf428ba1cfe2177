//! The configuration on stdin.
//!
//! ```text
//!  stdin ─► Network (every plugin's: name, ipam, prevResult…)
//!        └► Conf: NetConf (sriov) or IbNetConf (ib-sriov) ─► settings of the device, checked
//! ```
//!
//! [`FIELDS`] lists every key; `docs/cni.md` has the same list.

mod device;
mod fields;
mod ib;
mod mac;
mod network;
mod sriov;
#[cfg(test)]
mod tests;

pub use device::DeviceHint;
pub use fields::{FIELDS, Field, Source};
pub use ib::{IbNetConf, Pkey};
pub use network::{Ipam, LogConf, Network, Purpose, Runtime, ValidAttachment};
pub(super) use network::{valid_attachments, version};
pub use sriov::NetConf;

use super::{
    json::Object,
    protocol::{Args, CniError},
};

/// What the plugin is to do with a device.
#[derive(Debug, Clone, PartialEq)]
pub enum Conf {
    /// `sriov`.
    Sriov(NetConf),
    /// `ib-sriov`.
    Ib(IbNetConf),
}

impl Conf {
    /// Reads the keys of the plugin that the network's `type` names.
    pub(super) fn read(
        object: &Object<'_>,
        network: &Network,
        args: &Args,
    ) -> Result<Self, CniError> {
        if network.is_infiniband() {
            return IbNetConf::read(object, network, args).map(Self::Ib);
        }
        NetConf::read(object, network, args).map(Self::Sriov)
    }

    /// The device that the meta-plugin names, if it does.
    #[must_use]
    pub fn device(&self) -> Option<&DeviceHint> {
        match self {
            Self::Sriov(conf) => conf.device.as_ref(),
            Self::Ib(conf) => conf.device.as_ref(),
        }
    }

    /// What is taken as the Go plugin takes it and its author hardly meant. For the log.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        match self {
            Self::Sriov(conf) => &conf.warnings,
            Self::Ib(conf) => &conf.warnings,
        }
    }
}
