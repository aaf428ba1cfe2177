//! Which device an object of the API means.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::device::{DeviceId, ParseError};

/// A device as objects of the API name it. Only all three together identify one: devices of two
/// nodes have the same name when they are at the same PCI address.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct DeviceRef<S = String> {
    /// The driver that published it.
    pub driver: S,
    /// The slice pool that it is in.
    #[serde(rename = "pool")]
    pub slice_pool: S,
    /// Its name in there.
    pub device: S,
}

/// The slice pool that this driver publishes on this node. It has the node's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodePool<'a> {
    /// The driver's name.
    pub driver: &'a str,
    /// The node's name.
    pub node: &'a str,
}

impl NodePool<'_> {
    /// What objects of the API call a device of this node.
    #[must_use]
    pub fn name(&self, device: &DeviceId) -> DeviceRef {
        DeviceRef {
            driver: self.driver.to_owned(),
            slice_pool: self.node.to_owned(),
            device: device.name(),
        }
    }
}

impl DeviceRef {
    /// The same, borrowed.
    #[must_use]
    pub fn borrowed(&self) -> DeviceRef<&str> {
        DeviceRef {
            driver: &self.driver,
            slice_pool: &self.slice_pool,
            device: &self.device,
        }
    }

    /// The device of this node. There is no other way from a name in an object of the API to a
    /// device.
    ///
    /// # Errors
    /// It is another driver's or another node's, or has a name that this driver does not give.
    pub fn local(&self, here: &NodePool<'_>) -> Result<DeviceId, NotLocal> {
        let device = || self.device.clone();
        if self.driver != here.driver {
            return Err(NotLocal::Driver {
                device: device(),
                driver: self.driver.clone(),
                here: here.driver.to_owned(),
            });
        }
        if self.slice_pool != here.node {
            return Err(NotLocal::Node {
                device: device(),
                node: self.slice_pool.clone(),
                here: here.node.to_owned(),
            });
        }
        Ok(DeviceId::from_name(&self.device)?)
    }
}

/// `pool/device`.
impl<S: fmt::Display> fmt::Display for DeviceRef<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.slice_pool, self.device)
    }
}

/// Why a name does not mean a device of this node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotLocal {
    /// Another driver's.
    #[error("device {device} is of driver {driver}, this is {here}")]
    Driver {
        /// Its name.
        device: String,
        /// Whose it is.
        driver: String,
        /// This driver.
        here: String,
    },
    /// Another node's.
    #[error("device {device} is allocated on node {node}, this is node {here}")]
    Node {
        /// Its name.
        device: String,
        /// Where it is.
        node: String,
        /// This node.
        here: String,
    },
    /// No name of a device.
    #[error(transparent)]
    Name(#[from] ParseError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(driver: &str, slice_pool: &str, device: &str) -> DeviceRef {
        DeviceRef {
            driver: driver.into(),
            slice_pool: slice_pool.into(),
            device: device.into(),
        }
    }

    #[test]
    fn only_a_device_of_this_driver_on_this_node_is_local() {
        let here = NodePool {
            driver: "sriov-dra.io",
            node: "b",
        };
        let local = |driver, pool, device| {
            let name = named(driver, pool, device);
            name.local(&here).map_err(|error| error.to_string())
        };
        let id = DeviceId::from_name("0000-3b-02-1").unwrap();
        assert_eq!(local("sriov-dra.io", "b", "0000-3b-02-1"), Ok(id));
        assert_eq!(here.name(&id), named("sriov-dra.io", "b", "0000-3b-02-1"));
        assert_eq!(
            local("sriov-dra.io", "a", "0000-3b-02-1").unwrap_err(),
            "device 0000-3b-02-1 is allocated on node a, this is node b"
        );
        assert_eq!(
            local("gpu.example.com", "b", "0000-3b-02-1").unwrap_err(),
            "device 0000-3b-02-1 is of driver gpu.example.com, this is sriov-dra.io"
        );
        assert!(local("sriov-dra.io", "b", "gpu-0").is_err());
        assert!(local("sriov-dra.io", "", "0000-3b-02-1").is_err());
    }
}
