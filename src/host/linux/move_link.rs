//! Moving a link from one network namespace to another.

use std::{fs::File, os::fd::AsRawFd};

use netlink_packet_route::link::LinkAttribute;
use rustix::io::Errno;

use super::{
    link::{self, Link},
    netlink::{NetlinkResult, Socket},
    set,
};
use crate::device::IfName;

/// The target namespace: a socket in it, and its descriptor.
pub(super) struct Target<'a> {
    pub(super) socket: &'a Socket,
    pub(super) file: &'a File,
}

/// Moves and renames in one request, so that the link never has an unwanted name in either
/// namespace.
///
/// A name that is in use in the target namespace is detected first: `do_setlink` in
/// `net/core/rtnetlink.c` moves the link before it rejects the name, which leaves the link there
/// under its old name. If the name is taken in between, the link is moved back to `origin`.
pub(super) fn to_netns(
    from: &Socket,
    origin: &File,
    link: &Link,
    to: &Target<'_>,
    name: &IfName,
) -> NetlinkResult<()> {
    if let Some(owner) = link::all(to.socket)?
        .into_iter()
        .find(|other| other.is_called(name.as_str()))
    {
        let text = format!(
            "the name {name} is in use there by link {} ({})",
            owner.index, owner.name
        );
        return Err(set::refuse(Errno::EXIST, text));
    }
    set::drop_altname(from, link, name.as_str())?;
    let request = vec![
        LinkAttribute::NetNsFd(to.file.as_raw_fd()),
        LinkAttribute::IfName(name.to_string()),
    ];
    let refused = match set::change(from, link.index, request) {
        Ok(()) => return Ok(()),
        Err(refused) => refused,
    };
    if let Some(moved) = link::all(to.socket)?
        .into_iter()
        .find(|other| is_same(link, other))
    {
        let back = vec![
            LinkAttribute::NetNsFd(origin.as_raw_fd()),
            LinkAttribute::IfName(link.name.clone()),
        ];
        set::change(to.socket, moved.index, back)?;
    }
    Err(refused)
}

/// Whether both are the same device: a move may change the ifindex, never the parent. Without a
/// parent (veth, in tests) name and address are compared.
fn is_same(before: &Link, after: &Link) -> bool {
    match &before.parent {
        Some(parent) => after.is_of(parent),
        None => after.name == before.name && after.mac == before.mac,
    }
}

#[cfg(test)]
mod tests;
