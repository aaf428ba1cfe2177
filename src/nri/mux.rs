//! Frames: several byte streams over one socket (`nri/pkg/net/multiplex`).
//!
//! ```text
//!  u32 connection, u32 length (both big-endian), payload
//! ```

use prost::bytes::{Buf, BufMut, Bytes, BytesMut};

use super::NriError;

/// The largest payload of a frame that is sent. Go's reader reads one whole frame at a time into a
/// buffer of 4096 bytes and closes the connection (ENOMEM) when the frame is larger; the header is
/// subtracted to stay on the safe side.
pub(super) const SENT: usize = 4096 - HEADER;

/// The largest payload of a frame that is received: one ttrpc message of 4 MiB with its header.
const RECEIVED: usize = (4 << 20) + 10;

const HEADER: usize = 8;

/// One of the multiplexed connections (`ConnID` in `nri/pkg/net/multiplex`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conn {
    /// The plugin serves here, the runtime calls.
    Plugin,
    /// The runtime serves here.
    Runtime,
}

impl Conn {
    fn number(self) -> u32 {
        match self {
            Self::Plugin => 1,
            Self::Runtime => 2,
        }
    }

    fn numbered(number: u32) -> Option<Self> {
        [Self::Plugin, Self::Runtime]
            .into_iter()
            .find(|conn| conn.number() == number)
    }
}

/// One message as frames, none larger than [`SENT`] and none with parts of another message.
pub(super) fn frames(conn: Conn, message: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(message.len() + HEADER * (message.len() / SENT + 1));
    for part in message.chunks(SENT) {
        out.put_u32(conn.number());
        out.put_u32(u32::try_from(part.len()).unwrap_or(u32::MAX));
        out.put_slice(part);
    }
    out.freeze()
}

/// Decodes frames from bytes, however they are split.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pending: BytesMut,
}

impl Frames {
    /// More bytes from the socket.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
    }

    /// The next complete frame. Frames of unknown connections are skipped, as Go's mux does.
    pub(super) fn next(&mut self) -> Result<Option<(Conn, Bytes)>, NriError> {
        while let Some((number, payload)) = self.whole()? {
            if let Some(conn) = Conn::numbered(number) {
                return Ok(Some((conn, payload)));
            }
        }
        Ok(None)
    }

    fn whole(&mut self) -> Result<Option<(u32, Bytes)>, NriError> {
        let Some(mut header) = self.pending.get(..HEADER) else {
            return Ok(None);
        };
        let (number, length) = (header.get_u32(), header.get_u32() as usize);
        if length > RECEIVED {
            return Err(NriError::Frame(length));
        }
        if self.pending.len() < HEADER + length {
            return Ok(None);
        }
        self.pending.advance(HEADER);
        Ok(Some((number, self.pending.split_to(length).freeze())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sent_frame_is_larger_than_the_runtime_reads() {
        let message: Vec<u8> = (0..20_000).map(|n| n as u8).collect();
        let mut wire = frames(Conn::Plugin, &message);
        let mut whole = Vec::new();
        while wire.has_remaining() {
            assert_eq!(wire.get_u32(), 1);
            let length = wire.get_u32() as usize;
            assert!(length + HEADER <= 4096, "{length}");
            whole.extend(wire.split_to(length));
        }
        assert_eq!(whole, message);
    }

    #[test]
    fn unknown_connections_are_skipped_and_excessive_lengths_rejected() {
        let mut frames = Frames::default();
        frames.feed(&[0, 0, 0, 9, 0, 0, 0, 1, 7, 0, 0, 0, 2, 0, 0, 0, 1, 8]);
        assert_eq!(
            frames.next().unwrap(),
            Some((Conn::Runtime, Bytes::from_static(&[8])))
        );
        frames.feed(&[0, 0, 0, 1, 0, 0x40, 0, 11]);
        assert!(matches!(frames.next(), Err(NriError::Frame(0x40_000b))));
    }
}
