//! Generic netlink: a family is resolved by its name, a request is a command with attributes.
//!
//! Source: linux/genetlink.h.

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};
use netlink_sys::protocols::NETLINK_GENERIC;
use rustix::io::Errno;

use super::{Attributes, Message, NetlinkResult, Socket};

const GENL_ID_CTRL: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// `struct genlmsghdr`: command, version, two reserved bytes.
const HEADER: usize = 4;
const VERSION: u8 = 1;

/// A family, and a socket for requests to it.
pub(crate) struct Family {
    socket: Socket,
    id: u16,
}

impl Family {
    /// None: the kernel has no such family (its module is not loaded).
    pub(crate) fn open(name: &str) -> NetlinkResult<Option<Self>> {
        let control = Self {
            socket: Socket::of(NETLINK_GENERIC)?,
            id: GENL_ID_CTRL,
        };
        let name = [name.as_bytes(), b"\0"].concat();
        let replies = match control.call(CTRL_CMD_GETFAMILY, &[(CTRL_ATTR_FAMILY_NAME, &name)]) {
            Err(refused) if refused.is(Errno::NOENT) => return Ok(None),
            replies => replies?,
        };
        let id = replies
            .iter()
            .flat_map(|reply| attributes(reply))
            .find(|(kind, _)| *kind == CTRL_ATTR_FAMILY_ID);
        let id = id
            .and_then(|(_, value)| value.first_chunk().copied())
            .map(u16::from_ne_bytes);
        Ok(id.map(|id| Self { id, ..control }))
    }

    /// One request; its replies.
    pub(crate) fn call(
        &self,
        command: u8,
        attributes: &[(u16, &[u8])],
    ) -> NetlinkResult<Vec<Message>> {
        let request = |sequence| {
            message(
                self.id,
                NLM_F_REQUEST | NLM_F_ACK,
                sequence,
                command,
                attributes,
            )
        };
        self.socket.exchange(request).map(|(replies, _)| replies)
    }

    /// A dump.
    pub(crate) fn dump(&self, command: u8) -> NetlinkResult<Vec<Message>> {
        self.socket.dump_of(|sequence| {
            message(self.id, NLM_F_REQUEST | NLM_F_DUMP, sequence, command, &[])
        })
    }
}

/// The attributes of a reply.
pub(crate) fn attributes(reply: &[u8]) -> Attributes<'_> {
    Attributes::after(HEADER, reply)
}

/// `struct nlmsghdr`, `struct genlmsghdr`, attributes.
fn message(
    id: u16,
    flags: u16,
    sequence: u32,
    command: u8,
    attributes: &[(u16, &[u8])],
) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(id.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend([command, VERSION, 0, 0]);
    finish(bytes, attributes)
}

/// A message from its headers: its attributes are appended, and its length is set.
pub(super) fn finish(mut bytes: Vec<u8>, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    for (kind, value) in attributes {
        let length = u16::try_from(4 + value.len()).unwrap_or(u16::MAX);
        bytes.extend(length.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(*value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    bytes[..4].copy_from_slice(&length.to_ne_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::{super::text, *};

    #[test]
    fn families_are_resolved_by_name_and_an_unknown_one_is_none() {
        let control = Family::open("nlctrl").unwrap().unwrap();
        assert_eq!(control.id, GENL_ID_CTRL);
        let families = control.dump(CTRL_CMD_GETFAMILY).unwrap();
        let name = |reply: &Message| {
            attributes(reply)
                .find(|(kind, _)| *kind == CTRL_ATTR_FAMILY_NAME)
                .map(|(_, v)| text(v))
        };
        assert!(
            families
                .iter()
                .any(|family| name(family).as_deref() == Some("nlctrl"))
        );
        assert!(Family::open("no-such-family").unwrap().is_none());
    }
}
