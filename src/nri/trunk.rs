//! The socket to the runtime, which carries all multiplexed connections: the `trunk` of
//! `multiplex.Multiplex` in `nri/pkg/net/multiplex`.

use std::{collections::VecDeque, sync::Arc};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        UnixStream,
        unix::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::Mutex,
};

use super::{
    NriError,
    mux::{self, Conn, Frames},
    ttrpc::{Message, Messages},
};

/// Splits the socket into a receiving and a sending half.
pub(super) fn open(socket: UnixStream) -> (Inbox, Outbox) {
    let (read, write) = socket.into_split();
    (
        Inbox {
            read,
            demux: Demux::default(),
        },
        Outbox(Arc::new(Mutex::new(write))),
    )
}

/// Decodes the messages of both connections from bytes.
#[derive(Debug, Default)]
pub(super) struct Demux {
    frames: Frames,
    plugin: Messages,
    runtime: Messages,
    whole: VecDeque<(Conn, Message)>,
}

impl Demux {
    /// More bytes from the socket.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), NriError> {
        self.frames.feed(bytes);
        while let Some((conn, part)) = self.frames.next()? {
            let messages = match conn {
                Conn::Plugin => &mut self.plugin,
                Conn::Runtime => &mut self.runtime,
            };
            messages.feed(&part);
            while let Some(message) = messages.next()? {
                self.whole.push_back((conn, message));
            }
        }
        Ok(())
    }

    /// The next complete message.
    pub(super) fn next(&mut self) -> Option<(Conn, Message)> {
        self.whole.pop_front()
    }
}

/// The receiving half.
#[derive(Debug)]
pub(super) struct Inbox {
    read: OwnedReadHalf,
    demux: Demux,
}

impl Inbox {
    /// The next message. [`NriError::Closed`] when the runtime closed the connection.
    pub(super) async fn next(&mut self) -> Result<(Conn, Message), NriError> {
        let mut bytes = [0; 16 << 10];
        loop {
            if let Some(message) = self.demux.next() {
                return Ok(message);
            }
            match self.read.read(&mut bytes).await? {
                0 => return Err(NriError::Closed),
                length => self.demux.feed(&bytes[..length])?,
            }
        }
    }
}

/// The sending half. Clones share the socket; a message is written completely before the next one.
#[derive(Debug, Clone)]
pub(super) struct Outbox(Arc<Mutex<OwnedWriteHalf>>);

impl Outbox {
    /// Sends one message. Must not be cancelled while it writes: a partial frame would break all
    /// that follow.
    pub(super) async fn send(&self, conn: Conn, message: &Message) -> Result<(), NriError> {
        let frames = mux::frames(conn, &message.encoded());
        Ok(self.0.lock().await.write_all(&frames).await?)
    }
}
