//! Blocking netlink: one request, all its replies, and the kernel's message when it rejects the
//! request.
//!
//! Requests are built from the types of `netlink-packet-route`. Replies are read attribute by
//! attribute, and only those attributes that this driver uses: a link with an attribute that a
//! library cannot decode must not hide the links after it.

mod ack;
mod attribute;
mod generic;
mod kept;
mod rdma;
mod socket;

pub(super) use ack::{NetlinkError, NetlinkResult};
pub(super) use attribute::{Attributes, text, u32_of};
pub(super) use generic::{Family, attributes};
pub(super) use kept::Kept;
pub(super) use rdma::Rdma;
pub(super) use socket::{Message, Socket};
