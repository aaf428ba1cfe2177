//! The real kernel: sysfs for functions and drivers, rtnetlink for links and what a PF holds for its VFs.
//!
//! ```text
//!  functions, driver ──► sysfs          announce ──► raw frames
//!  observe, link, set, moving, vf, used ──► netlink ──► a socket of the host's namespace, or of a pod's (netns)
//! ```
//!
//! "The host's namespace" is that of the calling thread: the agent runs in it. Below [`Linux`] everything is keyed by a
//! link's index, so that it can be tried on any link; finding a device's link by its PCI address is done here.

mod announce;
mod driver;
mod functions;
mod link;
mod moving;
mod netlink;
mod netns;
mod observe;
mod set;
mod sysfs;
mod udev;
mod uevent;
mod used;
mod vf;

#[cfg(test)]
mod arena;
#[cfg(test)]
mod tree;

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use uevent::Listener;

use self::{link::Link, netlink::Socket, sysfs::Sysfs};
use super::{ErrorKind, HostError, Kernel, Netns, Result};
use crate::{
    deadline::Deadline,
    device::{Bdf, Binding, DeviceId, Function, IfName, LinkSetting, Netdev, Observed, VfAddress, VfSetting},
    paths::Paths,
};

/// How long an announcement waits for the carrier that a link has soon after it is brought up.
const CARRIER: Duration = Duration::from_millis(200);

/// This machine's kernel.
#[derive(Debug, Clone)]
pub struct Linux {
    sysfs: Sysfs,
    udev: PathBuf,
}

impl Linux {
    /// With these roots. sysfs may be a recorded tree: then discovery works, and nothing else.
    #[must_use]
    pub fn new(paths: Paths) -> Self {
        Self { sysfs: Sysfs::new(paths.sys), udev: paths.udev }
    }

    fn host_socket(&self) -> Result<Socket> {
        Socket::open().map_err(|error| HostError::new("rtnetlink", "open", error))
    }

    fn socket_in(&self, netns: &Netns) -> Result<Socket> {
        netns::inside(netns, Socket::open)
            .map_err(|error| HostError::new(format!("netns {}", netns.inode), "open rtnetlink", error))
    }

    /// The PCI address of a device that is a PCI function.
    fn pci(&self, device: &DeviceId) -> Result<Bdf> {
        match device {
            DeviceId::Pci(bdf) => Ok(*bdf),
            DeviceId::Sf { .. } => {
                let text = "sub-functions are not supported";
                Err(HostError::of_kind(ErrorKind::Unsupported, format!("sf {device}"), "look up", text))
            }
        }
    }

    /// The function's link in the socket's namespace.
    fn find(&self, socket: &Socket, bdf: &Bdf) -> Result<Option<Link>> {
        link::of_device(socket, &bdf.to_string(), &observe::hints(self, bdf))
            .map_err(|refused| refused.at(self.sysfs.subject(bdf), "look up netdev"))
    }

    /// A socket in the namespace and the device's link there, which must be there.
    fn reach(&self, bdf: &Bdf, netns: &Netns, op: &str) -> Result<(Socket, Link)> {
        let socket = self.socket_in(netns)?;
        match self.find(&socket, bdf)? {
            Some(link) => Ok((socket, link)),
            None => {
                let text = format!("has no netdev in netns {}", netns.inode);
                Err(HostError::of_kind(ErrorKind::Gone, self.sysfs.subject(bdf), op, &text))
            }
        }
    }

    fn failed(&self, bdf: &Bdf, op: impl Into<String>) -> impl FnOnce(io::Error) -> HostError {
        let (subject, op) = (self.sysfs.subject(bdf), op.into());
        move |error| HostError::new(subject, op, error)
    }
}

impl Kernel for Linux {
    fn functions(&self) -> Result<Vec<Function>> {
        Ok(functions::all(&self.sysfs))
    }

    fn observe(&self, device: &DeviceId) -> Result<Observed> {
        observe::observe(self, device)
    }

    fn open_netns(&self, path: &Path) -> Result<Netns> {
        netns::open(path)
    }

    fn link(&self, device: &DeviceId, netns: &Netns) -> Result<Option<Netdev>> {
        let socket = self.socket_in(netns)?;
        let link = self.find(&socket, &self.pci(device)?)?;
        link.map(|link| link.netdev(&socket)).transpose()
    }

    fn is_settled(&self, _: &DeviceId, netdev: &Netdev) -> bool {
        udev::is_through(&self.udev, netdev.ifindex)
    }

    fn link_names(&self, netns: &Netns) -> Result<Vec<String>> {
        let failed = |refused: netlink::Refused| refused.at(format!("netns {}", netns.inode), "list links");
        let links = link::all(&self.socket_in(netns)?).map_err(failed)?;
        Ok(links.into_iter().flat_map(|link| [vec![link.name], link.altnames].concat()).collect())
    }

    fn host_used(&self) -> Result<Vec<Bdf>> {
        used::functions(&self.host_socket()?).map_err(|refused| refused.at("host", "list links and routes"))
    }

    fn set_num_vfs(&self, pf: &Bdf, count: u32) -> Result<()> {
        driver::set_num_vfs(&self.sysfs, pf, count)
    }

    fn set_driver(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()> {
        driver::set(&self.sysfs, &self.pci(device)?, binding, deadline)
    }

    fn rebind(&self, device: &DeviceId, deadline: Deadline) -> Result<()> {
        driver::rebind(&self.sysfs, &self.pci(device)?, deadline)
    }

    fn set_vf(&self, vf: &VfAddress, setting: &VfSetting) -> Result<()> {
        let socket = self.host_socket()?;
        let pf = observe::uplink(self, &socket, &vf.pf)?;
        vf::apply(&socket, pf.index, vf.index, setting)
            .map_err(|refused| refused.at(self.sysfs.vf_subject(vf), format!("set {setting}")))
    }

    fn set_link(&self, device: &DeviceId, netns: &Netns, setting: &LinkSetting) -> Result<()> {
        let (bdf, op) = (self.pci(device)?, format!("set {setting}"));
        let (socket, link) = self.reach(&bdf, netns, &op)?;
        set::apply(&socket, &link, setting).map_err(|refused| refused.at(self.sysfs.subject(&bdf), op))
    }

    fn move_link(&self, device: &DeviceId, from: &Netns, to: &Netns, name: &IfName) -> Result<()> {
        let (bdf, op) = (self.pci(device)?, format!("move to netns {} as {name}", to.inode));
        let there = self.socket_in(to)?;
        if let Some(link) = self.find(&there, &bdf)? {
            let rename = set::apply(&there, &link, &LinkSetting::Name(name.clone()));
            return rename.map_err(|refused| refused.at(self.sysfs.subject(&bdf), op));
        }
        let (here, link) = self.reach(&bdf, from, &op)?;
        let target = moving::Target { socket: &there, file: open_file(to)? };
        moving::go(&here, open_file(from)?, &link, &target, name)
            .map_err(|refused| refused.at(self.sysfs.subject(&bdf), op))
    }

    fn announce(&self, device: &DeviceId, netns: &Netns) -> Result<()> {
        let bdf = self.pci(device)?;
        let (socket, link) = self.reach(&bdf, netns, "announce")?;
        let addresses = announce::worthy(&link.netdev(&socket)?.addresses);
        let (Some(mac), false) = (link.mac, addresses.is_empty()) else { return Ok(()) };
        let with_carrier = || link::by_index(&socket, link.index).map(|link| link.filter(|link| link.carrier));
        Deadline::after(CARRIER)
            .poll(with_carrier)
            .map_err(|refused| refused.at(self.sysfs.subject(&bdf), "wait for carrier"))?;
        let raw = netns::inside(netns, announce::open).map_err(self.failed(&bdf, "open raw socket"))?;
        announce::send(&raw, link.index, mac, &addresses).map_err(self.failed(&bdf, "announce"))
    }
}

fn open_file(netns: &Netns) -> Result<&Arc<File>> {
    let none = || HostError::of_kind(ErrorKind::Gone, format!("netns {}", netns.inode), "open", "is not open");
    netns.file.as_ref().ok_or_else(none)
}
