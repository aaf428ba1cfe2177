//! RDMA devices and network namespaces.
//!
//! Source: rdma/rdma_netlink.h; `nldev_set_doit` in `drivers/infiniband/core/nldev.c` and
//! `ib_device_set_netns_put` in `device.c` there.

use std::{fs::File, os::fd::AsRawFd};

use rustix::io::Errno;

use super::{
    netlink::{Attributes, NetlinkResult, Rdma, text, u32_of},
    netns, set,
};
use crate::host::{HostError, Netns, Result};

const CMD_GET: u16 = 1;
const CMD_SET: u16 = 2;
const ATTR_DEV_INDEX: u16 = 1;
const ATTR_DEV_NAME: u16 = 2;
const ATTR_NET_NS_FD: u16 = 68;

/// An RDMA device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) index: u32,
    pub(super) name: String,
}

/// A socket in that namespace.
pub(super) fn open(netns: &Netns) -> Result<Rdma> {
    netns::inside(netns, Rdma::open).map_err(|error| {
        HostError::new(format!("netns {}", netns.inode), "open RDMA netlink", error)
    })
}

/// All RDMA devices that the socket's namespace sees.
pub(super) fn all(socket: &Rdma) -> NetlinkResult<Vec<Device>> {
    let replies = socket.dump(CMD_GET)?;
    Ok(replies.iter().filter_map(|reply| read(reply)).collect())
}

fn read(reply: &[u8]) -> Option<Device> {
    let find = |wanted| Attributes::of(reply).find(|(kind, _)| *kind == wanted);
    Some(Device {
        index: u32_of(find(ATTR_DEV_INDEX)?.1)?,
        name: text(find(ATTR_DEV_NAME)?.1),
    })
}

/// Moves the device with that name.
pub(super) fn to_netns(name: &str, from: &Netns, (to, file): (&Netns, &File)) -> Result<()> {
    let op = format!("move to netns {}", to.inode);
    let failed = |error: super::netlink::NetlinkError| error.at(name.to_owned(), op.clone());
    let is_it = |device: &Device| device.name == name;
    if all(&open(to)?).map_err(failed)?.iter().any(is_it) {
        return Ok(());
    }
    let socket = open(from)?;
    let device = all(&socket).map_err(failed)?.into_iter().find(is_it);
    let gone = || {
        let text = format!("no such RDMA device in netns {}", from.inode);
        failed(set::refuse(Errno::NODEV, text))
    };
    let index = device.ok_or_else(gone)?.index.to_ne_bytes();
    let target = file.as_raw_fd().to_ne_bytes();
    let attributes: [(u16, &[u8]); 2] = [(ATTR_DEV_INDEX, &index), (ATTR_NET_NS_FD, &target)];
    socket.call(CMD_SET, &attributes).map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_read_from_a_dump() {
        let mut reply = vec![8, 0, 1, 0, 3, 0, 0, 0];
        reply.extend([11, 0, 2, 0]);
        reply.extend(b"mlx5_2\0\0");
        reply.extend([8, 0, 3, 0, 1, 0, 0, 0]);
        let device = Device {
            index: 3,
            name: "mlx5_2".into(),
        };
        assert_eq!(read(&reply), Some(device));
        assert_eq!(read(&reply[..8]), None);
    }
}
