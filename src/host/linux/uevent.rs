//! Notifications that something changed, so that the host is scanned again.
//!
//! Two sources in the host's namespace, used as triggers only: the kernel's uevents (PCI functions,
//! drivers, netdevs that are added and removed) and rtnetlink's link group (carrier, names, bonds).
//! Links without hardware below them, such as pods' veths, are ignored.

use std::{io, time::Duration};

use netlink_sys::{
    SocketAddr,
    protocols::{NETLINK_KOBJECT_UEVENT, NETLINK_ROUTE},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};

use super::link::Link;
use crate::{
    deadline::Deadline,
    host::{HostError, Result},
};

const KERNEL_UEVENTS: u32 = 1;
const RTNLGRP_LINK: u32 = 1;
const HEADER: usize = 16;

/// Receives notifications from the moment that it is opened.
pub struct Listener {
    uevents: netlink_sys::Socket,
    links: netlink_sys::Socket,
}

impl Listener {
    /// Subscribes, in the calling thread's network namespace.
    ///
    /// # Errors
    /// The kernel's.
    pub fn open() -> Result<Self> {
        let open = || -> io::Result<Self> {
            let mut uevents = netlink_sys::Socket::new(NETLINK_KOBJECT_UEVENT)?;
            uevents.bind(&SocketAddr::new(0, KERNEL_UEVENTS))?;
            let mut links = netlink_sys::Socket::new(NETLINK_ROUTE)?;
            links.bind_auto()?;
            links.add_membership(RTNLGRP_LINK)?;
            uevents.set_non_blocking(true)?;
            links.set_non_blocking(true)?;
            Ok(Self { uevents, links })
        };
        open().map_err(|error| HostError::new("kernel events", "listen", error))
    }

    /// Waits until something relevant changed (true) or the timeout expired (false). Changes since
    /// the last call are included.
    ///
    /// # Errors
    /// The kernel's.
    pub fn wait(&self, timeout: Duration) -> Result<bool> {
        let deadline = Deadline::after(timeout);
        let wait = || -> io::Result<bool> {
            loop {
                if drain(&self.uevents, is_hardware)? | drain(&self.links, is_relevant)? {
                    return Ok(true);
                }
                if deadline.passed() {
                    return Ok(false);
                }
                self.sleep(&deadline)?;
            }
        };
        wait().map_err(|error| HostError::new("kernel events", "wait", error))
    }

    fn sleep(&self, deadline: &Deadline) -> io::Result<()> {
        let left = deadline.left();
        let time = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut fds = [&self.uevents, &self.links].map(|socket| PollFd::new(socket, PollFlags::IN));
        match poll(&mut fds, Some(&time)) {
            Err(Errno::INTR) | Ok(_) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}

/// Reads all pending messages; whether any is relevant. ENOBUFS means that the socket's buffer
/// overflowed and messages were lost, which counts as relevant.
fn drain(socket: &netlink_sys::Socket, is_relevant: fn(&[u8]) -> bool) -> io::Result<bool> {
    let mut changed = false;
    loop {
        let mut bytes = Vec::with_capacity(32 * 1024);
        match socket.recv_from(&mut bytes, 0) {
            Ok(_) => changed |= is_relevant(&bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(changed),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == Some(Errno::NOBUFS.raw_os_error()) => {
                changed = true
            }
            Err(error) => return Err(error),
        }
    }
}

/// Subsystems whose devices are functions, sub-functions, or children of one.
const SUBSYSTEMS: [&[u8]; 5] = [
    b"SUBSYSTEM=net",
    b"SUBSYSTEM=pci",
    b"SUBSYSTEM=auxiliary",
    b"SUBSYSTEM=infiniband",
    b"SUBSYSTEM=vdpa",
];

/// A uevent (`add@/devices/pci…\0ACTION=add\0SUBSYSTEM=net\0…`) of a PCI function or a child of
/// one.
fn is_hardware(event: &[u8]) -> bool {
    let mut fields = event.split(|byte| *byte == 0);
    let head = fields.next().unwrap_or_default();
    let is_virtual = head.windows(17).any(|part| part == b"/devices/virtual/");
    !is_virtual && fields.any(|field| SUBSYSTEMS.contains(&field))
}

/// A link message about hardware, or about an upper or lower device of hardware.
fn is_relevant(message: &[u8]) -> bool {
    let link = message.get(HEADER..).and_then(Link::read);
    link.is_none_or(|link| {
        link.parent.is_some() || (link.lower.is_some() && link.kind.as_deref() != Some("veth"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::linux::{netns, test_netns::TestNetns};

    #[test]
    fn hardware_is_relevant_and_a_pods_interfaces_are_not() {
        assert!(is_hardware(
            b"add@/devices/pci0000:00/0000:01:10.0\0ACTION=add\0SUBSYSTEM=pci\0"
        ));
        assert!(is_hardware(
            b"move@/devices/pci0000:00/0000:01:10.0/net/ens1\0SUBSYSTEM=net\0"
        ));
        assert!(is_hardware(
            b"bind@/devices/pci0000:00/0000:01:00.0/mlx5_core.sf.4\0SUBSYSTEM=auxiliary\0"
        ));
        assert!(!is_hardware(
            b"add@/devices/virtual/net/veth1\0ACTION=add\0SUBSYSTEM=net\0"
        ));
        assert!(!is_hardware(
            b"add@/devices/pci0000:00/x/block/vda\0SUBSYSTEM=block\0"
        ));
    }

    #[test]
    fn a_stacked_link_is_relevant_and_a_veth_is_not() {
        let ns = TestNetns::new(&[]);
        let listener =
            netns::inside(&ns.netns, || Listener::open().map_err(io::Error::other)).unwrap();
        ns.ip("link add dev0 type veth peer name dev1");
        assert!(!listener.wait(Duration::from_millis(50)).unwrap());
        ns.ip("link add link dev0 name upper type macvlan");
        assert!(listener.wait(Duration::from_secs(10)).unwrap());
        assert!(
            !listener.wait(Duration::ZERO).unwrap(),
            "one call drains all messages"
        );
    }
}
