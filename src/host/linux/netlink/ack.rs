//! The kernel's response to a request: error number, and a message if there is one (extended ACK,
//! `NETLINK_EXT_ACK`).

use std::io;

use netlink_packet_core::{NLM_F_ACK_TLVS, NLM_F_CAPPED};

use super::{Attributes, text};
use crate::host::{ErrorKind, HostError};

/// Result of a request.
pub(crate) type NetlinkResult<T> = Result<T, NetlinkError>;

/// A request that the kernel rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NetlinkError {
    /// The error number, positive.
    pub(crate) errno: i32,
    /// The extended acknowledgement's message.
    pub(crate) text: Option<String>,
}

const NLMSGERR_ATTR_MSG: u16 = 1;
const ERRNO: usize = 4;
const REQUEST_HEADER: usize = 16;

impl NetlinkError {
    /// The error of an `NLMSG_ERROR`; none: the request is acknowledged.
    pub(super) fn of_error(flags: u16, payload: &[u8]) -> Option<Self> {
        let capped = flags & NLM_F_CAPPED != 0;
        let request = payload.get(ERRNO..).and_then(super::u32_of).unwrap_or(0) as usize;
        // `NETLINK_CAP_ACK`: only the header of the request is echoed before the attributes.
        let echoed = if capped {
            REQUEST_HEADER
        } else {
            request.next_multiple_of(4)
        };
        Self::read(flags, payload, ERRNO + echoed)
    }

    /// The error of an `NLMSG_DONE`; none: the dump is complete.
    pub(super) fn of_done(flags: u16, payload: &[u8]) -> Option<Self> {
        Self::read(flags, payload, ERRNO)
    }

    fn read(flags: u16, payload: &[u8], tail: usize) -> Option<Self> {
        let errno = payload
            .first_chunk()
            .map(|bytes| -i32::from_ne_bytes(*bytes))
            .filter(|errno| *errno > 0)?;
        let tail = if flags & NLM_F_ACK_TLVS == 0 {
            payload.len()
        } else {
            tail
        };
        let message = Attributes::after(tail, payload).find(|(kind, _)| *kind == NLMSGERR_ATTR_MSG);
        Some(Self {
            errno,
            text: message
                .map(|(_, value)| text(value))
                .filter(|text| !text.is_empty()),
        })
    }

    /// Whether it is this error number.
    pub(crate) fn is(&self, errno: rustix::io::Errno) -> bool {
        self.errno == errno.raw_os_error()
    }

    /// The error with its subject and operation.
    pub(crate) fn at(self, subject: impl Into<String>, op: impl Into<String>) -> HostError {
        match self.text {
            Some(text) => HostError::of_kind(ErrorKind::of_errno(self.errno), subject, op, &text),
            None => HostError::new(subject, op, io::Error::from_raw_os_error(self.errno)),
        }
    }
}

impl From<io::Error> for NetlinkError {
    fn from(error: io::Error) -> Self {
        let text = error.raw_os_error().is_none().then(|| error.to_string());
        Self {
            errno: error
                .raw_os_error()
                .unwrap_or(rustix::io::Errno::IO.raw_os_error()),
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(echo: usize) -> Vec<u8> {
        let mut payload = (-22_i32).to_ne_bytes().to_vec();
        let mut header = vec![0; echo];
        header[..4].copy_from_slice(&u32::try_from(echo).unwrap().to_ne_bytes());
        payload.extend(header);
        payload.extend([8, 0, 1, 0, b'b', b'a', b'd', 0]);
        payload
    }

    #[test]
    fn the_message_is_found_after_a_capped_and_after_a_full_echo() {
        let expected = Some(NetlinkError {
            errno: 22,
            text: Some("bad".into()),
        });
        assert_eq!(
            NetlinkError::of_error(NLM_F_ACK_TLVS | NLM_F_CAPPED, &rejection(16)),
            expected
        );
        assert_eq!(
            NetlinkError::of_error(NLM_F_ACK_TLVS, &rejection(40)),
            expected
        );
    }

    #[test]
    fn without_the_flag_there_is_no_message_and_zero_is_an_ack() {
        assert_eq!(
            NetlinkError::of_error(NLM_F_CAPPED, &rejection(16)),
            Some(NetlinkError {
                errno: 22,
                text: None
            })
        );
        assert_eq!(NetlinkError::of_error(NLM_F_CAPPED, &[0; 20]), None);
        assert_eq!(NetlinkError::of_done(0, &[0; 4]), None);
    }

    #[test]
    fn kind_and_text_reach_the_caller() {
        let error = NetlinkError::of_error(NLM_F_ACK_TLVS | NLM_F_CAPPED, &rejection(16))
            .unwrap()
            .at("vf", "set mtu 1");
        assert_eq!(
            (error.to_string().as_str(), error.kind()),
            ("vf: set mtu 1: bad", ErrorKind::Invalid)
        );
    }
}
