//! Blocking netlink: one request, all its replies, the kernel's own words when it refuses.
//!
//! Requests are built from `netlink-packet-route`'s types. Replies are read attribute by attribute, those that this driver
//! knows and no others: a link with an attribute that a library cannot decode must not hide the links after it.

mod ack;
mod attribute;
mod generic;
mod socket;

pub(super) use ack::{NetlinkError, NetlinkResult};
pub(super) use attribute::{Attributes, text, u32_of};
pub(super) use generic::{Family, attributes};
pub(super) use socket::{Message, Socket};
