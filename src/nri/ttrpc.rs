//! The part of ttrpc that NRI uses: unary calls (`containerd/ttrpc/PROTOCOL.md`).
//!
//! ```text
//!  u32 length, u32 stream (both big-endian), u8 type, u8 flags, payload
//! ```

use prost::bytes::{Buf, BufMut, Bytes, BytesMut};

use super::NriError;

const HEADER: usize = 10;
/// `messageLengthMax` of ttrpc.
const LONGEST: usize = 4 << 20;

/// The message type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request,
    Response,
    /// Stream data, and types of later versions. NRI does not use these.
    Other(u8),
}

impl Kind {
    fn number(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Response => 2,
            Self::Other(number) => number,
        }
    }

    fn numbered(number: u8) -> Self {
        match number {
            1 => Self::Request,
            2 => Self::Response,
            other => Self::Other(other),
        }
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The call that it belongs to.
    pub(super) stream: u32,
    pub(super) kind: Kind,
    pub(super) payload: Bytes,
}

impl Message {
    /// Header and payload.
    pub(super) fn encoded(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(HEADER + self.payload.len());
        out.put_u32(u32::try_from(self.payload.len()).unwrap_or(u32::MAX));
        out.put_u32(self.stream);
        out.put_u8(self.kind.number());
        out.put_u8(0);
        out.put_slice(&self.payload);
        out.freeze()
    }
}

/// Decodes messages from bytes, however they are split.
#[derive(Debug, Default)]
pub(super) struct Messages {
    pending: BytesMut,
}

impl Messages {
    /// More bytes of the stream.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next complete message.
    pub(super) fn next(&mut self) -> Result<Option<Message>, NriError> {
        let Some(mut header) = self.pending.get(..HEADER) else {
            return Ok(None);
        };
        let (length, stream) = (header.get_u32() as usize, header.get_u32());
        let kind = Kind::numbered(header.get_u8());
        if length > LONGEST {
            return Err(NriError::Message(length));
        }
        if self.pending.len() < HEADER + length {
            return Ok(None);
        }
        self.pending.advance(HEADER);
        Ok(Some(Message {
            stream,
            kind,
            payload: self.pending.split_to(length).freeze(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_from_single_bytes() {
        let sent = Message {
            stream: 3,
            kind: Kind::Request,
            payload: Bytes::from_static(b"payload"),
        };
        let wire = sent.encoded();
        let mut messages = Messages::default();
        for byte in &wire[..wire.len() - 1] {
            messages.feed(&[*byte]);
            assert_eq!(messages.next().unwrap(), None);
        }
        messages.feed(&wire[wire.len() - 1..]);
        assert_eq!(messages.next().unwrap(), Some(sent));
        assert_eq!(messages.next().unwrap(), None);
    }

    #[test]
    fn a_message_over_the_protocols_limit_is_an_error() {
        let mut messages = Messages::default();
        messages.feed(&[0, 0x40, 0, 1, 0, 0, 0, 1, 1, 0]);
        assert!(matches!(messages.next(), Err(NriError::Message(0x40_0001))));
    }
}
