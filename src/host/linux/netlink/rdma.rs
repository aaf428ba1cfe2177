//! RDMA netlink: a request is a command of the client `nldev`, with attributes and no header of its
//! own.
//!
//! Source: rdma/rdma_netlink.h.

use netlink_packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST};
use netlink_sys::protocols::NETLINK_RDMA;

use super::{Message, NetlinkResult, Socket, generic::finish};

/// `RDMA_NL_NLDEV`.
const NLDEV: u16 = 5;

/// A socket for requests about RDMA devices, in the namespace of the thread that opened it.
pub(crate) struct Rdma(Socket);

impl Rdma {
    pub(crate) fn open() -> std::io::Result<Self> {
        Socket::of(NETLINK_RDMA).map(Self)
    }

    /// One request; its replies.
    pub(crate) fn call(
        &self,
        command: u16,
        attributes: &[(u16, &[u8])],
    ) -> NetlinkResult<Vec<Message>> {
        let request = |sequence| message(NLM_F_REQUEST | NLM_F_ACK, sequence, command, attributes);
        self.0.exchange(request).map(|(replies, _)| replies)
    }

    /// A dump.
    pub(crate) fn dump(&self, command: u16) -> NetlinkResult<Vec<Message>> {
        self.0
            .dump_of(|sequence| message(NLM_F_REQUEST | NLM_F_DUMP, sequence, command, &[]))
    }
}

/// `struct nlmsghdr`, attributes.
fn message(flags: u16, sequence: u32, command: u16, attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(((NLDEV << 10) + command).to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    finish(bytes, attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_as_the_rdma_tool_sends_it() {
        // rdma dev set mlx5_2 netns: RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_SET).
        let index = 3_u32.to_ne_bytes();
        let bytes = message(NLM_F_REQUEST | NLM_F_ACK, 7, 2, &[(1, &index)]);
        let half = |value: u16| value.to_ne_bytes();
        let word = |value: u32| value.to_ne_bytes();
        let header = [&word(24)[..], &half(0x1402), &half(5), &word(7), &word(0)];
        let attribute = [&half(8)[..], &half(1), &word(3)];
        assert_eq!(bytes, [header.concat(), attribute.concat()].concat());
    }
}
