//! One socket to the runtime: messages in, messages out.

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

/// Takes the socket apart.
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

/// Bytes in, messages of both streams out.
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

    /// The next whole message.
    pub(super) fn next(&mut self) -> Option<(Conn, Message)> {
        self.whole.pop_front()
    }
}

/// What the runtime sends.
#[derive(Debug)]
pub(super) struct Inbox {
    read: OwnedReadHalf,
    demux: Demux,
}

impl Inbox {
    /// The next message. [`NriError::Closed`] when the runtime hung up.
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

/// What we send. Clones share the socket; a message is sent whole before the next begins.
#[derive(Debug, Clone)]
pub(super) struct Outbox(Arc<Mutex<OwnedWriteHalf>>);

impl Outbox {
    /// Sends one message. Must not be dropped half-way: the stream would be broken for all that follow.
    pub(super) async fn send(&self, conn: Conn, message: &Message) -> Result<(), NriError> {
        let frames = mux::frames(conn, &message.encoded());
        Ok(self.0.lock().await.write_all(&frames).await?)
    }
}
