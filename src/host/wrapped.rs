//! A kernel with something around each of its calls.

use std::{fmt::Display, path::Path};

use super::{Kernel, Netns, NodeUse, Result};
use crate::{
    deadline::Deadline,
    device::{
        Bdf, Binding, Bound, DeviceId, Function, IfName, LinkSetting, Netdev, Observed, RdmaDevice,
        VfAddress, VfSetting,
    },
};

/// One call.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    /// `set driver`.
    pub verb: &'static str,
    /// What it is about.
    pub subject: &'a dyn Display,
    /// Whether it changes the host.
    pub writes: bool,
}

/// What is done around each call.
pub trait Around: Send + Sync {
    /// Calls `act`, once.
    fn around<T>(&self, call: Call<'_>, act: impl FnOnce() -> T) -> T;
}

/// A kernel whose calls pass through `A`.
pub struct Wrapped<K, A> {
    inner: K,
    around: A,
}

impl<K: Kernel, A: Around> Wrapped<K, A> {
    /// Around every call of `inner`.
    pub fn new(inner: K, around: A) -> Self {
        Self { inner, around }
    }

    fn read<T>(&self, verb: &'static str, subject: &dyn Display, act: impl FnOnce(&K) -> T) -> T {
        let call = Call {
            verb,
            subject,
            writes: false,
        };
        self.around.around(call, || act(&self.inner))
    }

    fn write<T>(&self, verb: &'static str, subject: &dyn Display, act: impl FnOnce(&K) -> T) -> T {
        let call = Call {
            verb,
            subject,
            writes: true,
        };
        self.around.around(call, || act(&self.inner))
    }
}

impl<K: Kernel, A: Around> Kernel for Wrapped<K, A> {
    fn functions(&self) -> Result<Vec<Function>> {
        self.read("functions", &"host", |kernel| kernel.functions())
    }
    fn observe(&self, device: &DeviceId) -> Result<Observed> {
        self.read("observe", device, |kernel| kernel.observe(device))
    }
    fn bound(&self, device: &DeviceId) -> Result<Bound> {
        self.read("bound", device, |kernel| kernel.bound(device))
    }
    fn native_driver(&self, device: &DeviceId) -> Result<Option<String>> {
        self.read("native driver", device, |kernel| {
            kernel.native_driver(device)
        })
    }
    fn rdma(&self, device: &DeviceId) -> Result<Vec<RdmaDevice>> {
        self.read("rdma", device, |kernel| kernel.rdma(device))
    }
    fn has_exclusive_rdma(&self) -> bool {
        self.read("has exclusive rdma", &"host", |kernel| {
            kernel.has_exclusive_rdma()
        })
    }
    fn rdma_names(&self, netns: &Netns) -> Result<Vec<String>> {
        self.read("rdma names", &netns.inode, |kernel| {
            kernel.rdma_names(netns)
        })
    }
    fn rdma_nodes(&self, name: &str) -> Vec<String> {
        self.read("rdma nodes", &name, |kernel| kernel.rdma_nodes(name))
    }
    fn move_rdma(&self, name: &str, from: &Netns, to: &Netns) -> Result<()> {
        self.write("move rdma", &name, |kernel| {
            kernel.move_rdma(name, from, to)
        })
    }
    fn has_node(&self, path: &str) -> bool {
        self.read("has node", &path, |kernel| kernel.has_node(path))
    }
    fn node_use(&self, path: &str) -> NodeUse {
        self.read("node use", &path, |kernel| kernel.node_use(path))
    }
    fn serves_no_iommu(&self) -> bool {
        self.read("serves no iommu", &"host", |kernel| {
            kernel.serves_no_iommu()
        })
    }
    fn has_driver(&self, name: &str) -> bool {
        self.read("has driver", &name, |kernel| kernel.has_driver(name))
    }
    fn open_netns(&self, path: &Path) -> Result<Netns> {
        self.read("open netns", &path.display(), |kernel| {
            kernel.open_netns(path)
        })
    }
    fn link(&self, device: &DeviceId, netns: &Netns) -> Result<Option<Netdev>> {
        self.read("link", device, |kernel| kernel.link(device, netns))
    }
    fn is_settled(&self, device: &DeviceId, netdev: &Netdev) -> bool {
        self.read("is settled", device, |kernel| {
            kernel.is_settled(device, netdev)
        })
    }
    fn uppers(&self, device: &DeviceId, netns: &Netns) -> Result<Vec<String>> {
        self.read("uppers", device, |kernel| kernel.uppers(device, netns))
    }
    fn is_open(&self, node: &str) -> bool {
        self.read("is open", &node, |kernel| kernel.is_open(node))
    }
    fn link_names(&self, netns: &Netns) -> Result<Vec<String>> {
        self.read("link names", &netns.inode, |kernel| {
            kernel.link_names(netns)
        })
    }
    fn host_used(&self) -> Result<Vec<DeviceId>> {
        self.read("host used", &"host", |kernel| kernel.host_used())
    }
    fn set_num_vfs(&self, pf: &Bdf, count: u32) -> Result<()> {
        self.write("set num vfs", pf, |kernel| kernel.set_num_vfs(pf, count))
    }
    fn set_driver(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()> {
        self.write("set driver", device, |kernel| {
            kernel.set_driver(device, binding, deadline)
        })
    }
    fn rebind(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()> {
        self.write("rebind", device, |kernel| {
            kernel.rebind(device, binding, deadline)
        })
    }
    fn set_vf(&self, vf: &VfAddress, setting: &VfSetting) -> Result<()> {
        self.write("set vf", &vf.pf, |kernel| kernel.set_vf(vf, setting))
    }
    fn set_link(&self, device: &DeviceId, netns: &Netns, setting: &LinkSetting) -> Result<()> {
        self.write("set link", device, |kernel| {
            kernel.set_link(device, netns, setting)
        })
    }
    fn move_link(&self, device: &DeviceId, from: &Netns, to: &Netns, name: &IfName) -> Result<()> {
        self.write("move link", device, |kernel| {
            kernel.move_link(device, from, to, name)
        })
    }
    fn announce(&self, device: &DeviceId, netns: &Netns) -> Result<()> {
        self.read("announce", device, |kernel| kernel.announce(device, netns))
    }
}
