//! The real kernel: sysfs for functions and drivers, rtnetlink for links and what a PF stores for
//! its VFs.
//!
//! ```text
//!  functions, driver ──► sysfs          announce ──► raw frames
//!  observe, link, set, move_link, vf, used ──► netlink ──► a socket in the host's or a pod's netns
//! ```
//!
//! "The host's namespace" is that of the calling thread: the agent runs in it. Below [`Linux`]
//! everything is keyed by ifindex, so that it can be tested on any link; looking up a device's link
//! by its PCI address happens here.

mod announce;
mod driver;
mod functions;
mod genl;
mod link;
mod move_link;
mod netlink;
mod netns;
mod node_use;
mod observe;
mod rdma;
mod rdma_netns;
mod record;
mod replay;
mod set;
mod sysfs;
mod udev;
mod uevent;
mod used;
mod vf;

#[cfg(test)]
mod test_netns;
#[cfg(test)]
mod test_sysfs;

use std::{
    borrow::Cow,
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub use uevent::Listener;

use self::{
    link::Link,
    netlink::{Kept, Socket},
    sysfs::Sysfs,
};
use super::{
    ErrorKind, GenlInfo, HostError, Kernel, Netns, NodeUse, Recording, Result, netns::Idle,
};
use crate::{
    deadline::Deadline,
    device::{
        Bdf, Binding, Bound, DeviceId, Function, IfName, LinkSetting, Netdev, Observed, RdmaDevice,
        VfAddress, VfSetting,
    },
    paths::Paths,
};

/// How long an announcement waits for the carrier of a link that was just set up.
const CARRIER: Duration = Duration::from_millis(200);

/// This machine's kernel.
#[derive(Debug, Clone)]
pub struct Linux {
    sysfs: Sysfs,
    udev: PathBuf,
    dev: PathBuf,
    proc: PathBuf,
    /// Of a recorded host; none: query the running kernel.
    genl: Option<GenlInfo>,
    /// Sockets in the process's own namespace.
    sockets: Idle,
}

impl Linux {
    /// Reads below these paths.
    #[must_use]
    pub fn new(paths: Paths) -> Self {
        Self {
            sysfs: Sysfs::new(paths.sys),
            udev: paths.udev,
            dev: paths.dev,
            proc: paths.proc,
            genl: None,
            sockets: Idle::default(),
        }
    }

    /// A recorded host: a sysfs tree, and what its kernel reported over generic netlink. Only
    /// discovery works.
    #[must_use]
    pub fn recorded(sysfs: PathBuf, genl: GenlInfo) -> Self {
        Self {
            genl: Some(genl),
            ..Self::new(Paths {
                sys: sysfs,
                ..Paths::default()
            })
        }
    }

    /// Records this host: its functions, and what discovery reads from sysfs, devlink and vDPA.
    ///
    /// # Errors
    /// The kernel's.
    pub fn record(&self) -> Result<Recording> {
        let recording = Recording::of(self)?;
        let pfs = recording
            .functions
            .iter()
            .filter_map(|observed| pf(&observed.function));
        Ok(Recording {
            genl: self.genl_info(pfs).into_owned(),
            sysfs: record::tree(&self.sysfs),
            ..recording
        })
    }

    fn host_socket(&self) -> Result<Kept> {
        Kept::of(&self.sockets, Socket::open)
            .map_err(|error| HostError::new("rtnetlink", "open", error))
    }

    fn socket_in(&self, netns: &Netns) -> Result<Kept> {
        if netns::is_own(netns) {
            return self.host_socket();
        }
        Kept::of(&netns.sockets, || netns::inside(netns, Socket::open)).map_err(|error| {
            HostError::new(format!("netns {}", netns.inode), "open rtnetlink", error)
        })
    }

    /// The device's directory in sysfs, and its name on its bus.
    fn place(&self, device: &DeviceId) -> Result<(PathBuf, String)> {
        let dir = match device {
            DeviceId::Pci(bdf) => self.sysfs.device(bdf),
            DeviceId::Sf { .. } => functions::sub_function(&self.sysfs, device)?,
        };
        let name = dir
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
            .to_owned();
        Ok((dir, name))
    }

    /// `vf BDF`, `pf BDF`, `sf PARENT/sfNUMBER`, for messages.
    fn subject(&self, device: &DeviceId) -> String {
        match device {
            DeviceId::Pci(bdf) => self.sysfs.subject(bdf),
            DeviceId::Sf { .. } => format!("sf {device}"),
        }
    }

    /// The device's link in the socket's namespace.
    fn find(&self, socket: &Socket, device: &DeviceId) -> Result<Option<Link>> {
        let (dir, name) = self.place(device)?;
        link::of_device(
            socket,
            &functions::virtio(&dir).unwrap_or(name),
            &observe::hints(&dir),
        )
        .map_err(|error| error.at(self.subject(device), "look up netdev"))
    }

    /// A socket in the namespace and the device's link there; an error if there is none.
    fn reach(&self, device: &DeviceId, netns: &Netns, op: &str) -> Result<(Kept, Link)> {
        let socket = self.socket_in(netns)?;
        match self.find(&socket, device)? {
            Some(link) => Ok((socket, link)),
            None => {
                let text = format!("has no netdev in netns {}", netns.inode);
                Err(HostError::of_kind(
                    ErrorKind::Gone,
                    self.subject(device),
                    op,
                    &text,
                ))
            }
        }
    }

    fn failed(
        &self,
        device: &DeviceId,
        op: impl Into<String>,
    ) -> impl FnOnce(io::Error) -> HostError {
        let (subject, op) = (self.subject(device), op.into());
        move |error| HostError::new(subject, op, error)
    }

    /// From sysfs alone. What devlink and vDPA say belongs to discovery: devlink's lock is held for
    /// minutes while firmware is flashed, and a claim does not wait for that.
    fn one(&self, device: &DeviceId) -> Result<Function> {
        functions::one(&self.sysfs, device)
    }

    fn genl_info(&self, pfs: impl Iterator<Item = (Bdf, u16)>) -> Cow<'_, GenlInfo> {
        self.genl
            .as_ref()
            .map_or_else(|| Cow::Owned(genl::query(pfs)), Cow::Borrowed)
    }
}

/// Address and vendor, if it is a PF.
fn pf(function: &Function) -> Option<(Bdf, u16)> {
    function
        .vfs()
        .map(|_| (function.id.pci(), function.ids.vendor))
}

/// Sub-functions have one driver (`mlx5_core.sf`), which cannot be replaced.
fn driver_of_sub_function(function: &Function, subject: String, wanted: &Binding) -> Result<()> {
    if function.binding.driver == wanted.driver {
        return Ok(());
    }
    let op = format!("bind driver {}", wanted.driver.as_deref().unwrap_or("none"));
    Err(HostError::of_kind(
        ErrorKind::Unsupported,
        subject,
        op,
        "the driver of a sub-function cannot be changed",
    ))
}

impl Kernel for Linux {
    fn functions(&self) -> Result<Vec<Function>> {
        let mut functions = functions::all(&self.sysfs);
        self.genl_info(functions.iter().filter_map(pf))
            .apply_to(&mut functions);
        Ok(functions)
    }

    fn observe(&self, device: &DeviceId) -> Result<Observed> {
        observe::observe(self, device)
    }

    fn bound(&self, device: &DeviceId) -> Result<Bound> {
        let (dir, incarnation) = match device {
            DeviceId::Pci(bdf) => self.sysfs.present(bdf)?,
            DeviceId::Sf { .. } => {
                let dir = functions::sub_function(&self.sysfs, device)?;
                let inode = sysfs::inode(&dir);
                let gone = || {
                    let text = "has no directory in sysfs any more";
                    HostError::of_kind(ErrorKind::Gone, self.subject(device), "look up", text)
                };
                (dir, inode.ok_or_else(gone)?)
            }
        };
        Ok(Bound {
            incarnation,
            binding: functions::binding(&dir),
            pf: match device {
                DeviceId::Pci(_) => functions::physfn(&dir),
                DeviceId::Sf { .. } => Some(device.pci()),
            },
            is_pf: dir.join("sriov_totalvfs").exists(),
        })
    }

    fn rdma(&self, device: &DeviceId) -> Result<Vec<RdmaDevice>> {
        Ok(rdma::devices(&self.sysfs, &self.place(device)?.0, |node| {
            self.has_node(node)
        }))
    }

    fn has_exclusive_rdma(&self) -> bool {
        rdma::is_exclusive(&self.sysfs)
    }

    fn rdma_names(&self, netns: &Netns) -> Result<Vec<String>> {
        let socket = rdma_netns::open(netns)?;
        let all = rdma_netns::all(&socket);
        let all =
            all.map_err(|error| error.at(format!("netns {}", netns.inode), "list RDMA devices"))?;
        Ok(all.into_iter().map(|device| device.name).collect())
    }

    fn rdma_nodes(&self, name: &str) -> Vec<String> {
        rdma::nodes(&self.sysfs, name, |node| self.has_node(node))
    }

    fn move_rdma(&self, name: &str, from: &Netns, to: &Netns) -> Result<()> {
        rdma_netns::to_netns(name, from, (to, open_file(to)?))
    }

    fn has_node(&self, path: &str) -> bool {
        path.strip_prefix("/dev/")
            .is_some_and(|name| self.dev.join(name).exists())
    }

    fn node_use(&self, path: &str) -> NodeUse {
        match path.strip_prefix("/dev/") {
            Some(name) => node_use::node_use(&self.dev.join(name), &self.proc),
            None => NodeUse::Free,
        }
    }

    fn serves_no_iommu(&self) -> bool {
        self.sysfs.has_no_iommu_mode()
    }

    fn has_driver(&self, name: &str) -> bool {
        self.sysfs.driver(name).is_dir()
    }

    fn open_netns(&self, path: &Path) -> Result<Netns> {
        netns::open(path)
    }

    fn link(&self, device: &DeviceId, netns: &Netns) -> Result<Option<Netdev>> {
        let socket = self.socket_in(netns)?;
        let link = self.find(&socket, device)?;
        link.map(|link| link.netdev(&socket)).transpose()
    }

    fn is_settled(&self, _: &DeviceId, netdev: &Netdev) -> bool {
        udev::is_initialized(&self.udev, netdev.ifindex)
    }

    fn uppers(&self, device: &DeviceId, netns: &Netns) -> Result<Vec<String>> {
        let socket = self.socket_in(netns)?;
        let Some(lower) = self.find(&socket, device)? else {
            return Ok(vec![]);
        };
        let links = link::all(&socket)
            .map_err(|error| error.at(self.subject(device), "list upper devices"))?;
        let is_upper = |link: &Link| link.lower == Some(lower.index) && link.index != lower.index;
        Ok(links
            .into_iter()
            .filter(is_upper)
            .map(|link| link.name)
            .collect())
    }

    fn is_open(&self, node: &str) -> bool {
        node.strip_prefix("/dev/")
            .is_some_and(|name| node_use::is_busy(&self.dev.join(name)) == Some(true))
    }

    fn link_names(&self, netns: &Netns) -> Result<Vec<String>> {
        let failed =
            |error: netlink::NetlinkError| error.at(format!("netns {}", netns.inode), "list links");
        let links = link::all(&*self.socket_in(netns)?).map_err(failed)?;
        Ok(links
            .into_iter()
            .flat_map(|link| [vec![link.name], link.altnames].concat())
            .collect())
    }

    fn host_used(&self) -> Result<Vec<DeviceId>> {
        used::functions(&*self.host_socket()?, &self.sysfs)
            .map_err(|error| error.at("host", "list links and routes"))
    }

    fn set_num_vfs(&self, pf: &Bdf, count: u32) -> Result<()> {
        driver::set_num_vfs(&self.sysfs, pf, count)
    }

    fn set_driver(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()> {
        match device {
            DeviceId::Pci(bdf) => driver::set(&self.sysfs, bdf, binding, deadline),
            DeviceId::Sf { .. } => {
                driver_of_sub_function(&self.one(device)?, self.subject(device), binding)
            }
        }
    }

    fn rebind(&self, device: &DeviceId, binding: &Binding, deadline: Deadline) -> Result<()> {
        match device {
            DeviceId::Pci(bdf) => driver::rebind(&self.sysfs, bdf, binding, deadline),
            DeviceId::Sf { .. } => {
                driver::rebind_sub_function(&self.place(device)?.0, &self.subject(device), deadline)
            }
        }
    }

    fn set_vf(&self, vf: &VfAddress, setting: &VfSetting) -> Result<()> {
        let socket = self.host_socket()?;
        let pf = observe::uplink(self, &socket, &vf.pf)?;
        vf::apply(&socket, pf.index, vf.index, setting)
            .map_err(|error| error.at(self.sysfs.vf_subject(vf), format!("set {setting}")))
    }

    fn set_link(&self, device: &DeviceId, netns: &Netns, setting: &LinkSetting) -> Result<()> {
        let op = format!("set {setting}");
        let (socket, link) = self.reach(device, netns, &op)?;
        set::apply(&socket, &link, setting).map_err(|error| error.at(self.subject(device), op))
    }

    fn move_link(&self, device: &DeviceId, from: &Netns, to: &Netns, name: &IfName) -> Result<()> {
        let op = format!("move to netns {} as {name}", to.inode);
        let there = self.socket_in(to)?;
        if let Some(link) = self.find(&there, device)? {
            let rename = set::apply(&there, &link, &LinkSetting::Name(name.clone()));
            return rename.map_err(|error| error.at(self.subject(device), op));
        }
        let (here, link) = self.reach(device, from, &op)?;
        let target = move_link::Target {
            socket: &there,
            file: open_file(to)?,
        };
        move_link::to_netns(&here, open_file(from)?, &link, &target, name)
            .map_err(|error| error.at(self.subject(device), op))
    }

    fn announce(&self, device: &DeviceId, netns: &Netns) -> Result<()> {
        let (socket, link) = self.reach(device, netns, "announce")?;
        let addresses = announce::announceable(&link.netdev(&socket)?.addresses);
        let (Some(mac), false) = (link.mac, addresses.is_empty()) else {
            return Ok(());
        };
        let with_carrier =
            || link::by_index(&socket, link.index).map(|link| link.filter(|link| link.carrier));
        Deadline::after(CARRIER)
            .poll(with_carrier)
            .map_err(|error| error.at(self.subject(device), "wait for carrier"))?;
        let raw =
            netns::inside(netns, announce::open).map_err(self.failed(device, "open raw socket"))?;
        announce::send(&raw, link.index, mac, &addresses).map_err(self.failed(device, "announce"))
    }
}

fn open_file(netns: &Netns) -> Result<&Arc<File>> {
    let none = || {
        HostError::of_kind(
            ErrorKind::Gone,
            format!("netns {}", netns.inode),
            "open",
            "is not open",
        )
    };
    netns.file.as_ref().ok_or_else(none)
}
