//! Errors that end a connection to the runtime.

use std::io;

/// Why there is no connection, or no longer one. The plugin reconnects after each of these.
#[derive(Debug, thiserror::Error)]
pub enum NriError {
    /// The socket failed.
    #[error("runtime socket: {0}")]
    Socket(#[from] io::Error),
    /// The runtime closed the connection, as it does when it restarts or when a response came too
    /// late.
    #[error("runtime closed the connection")]
    Closed,
    /// Bytes that are not a frame.
    #[error("mux frame of {0} bytes is longer than the protocol allows")]
    Frame(usize),
    /// Frames that are not a message.
    #[error("ttrpc message of {0} bytes is longer than the protocol allows")]
    Message(usize),
    /// A message that cannot be decoded.
    #[error("ttrpc {0}: {1}")]
    Content(&'static str, prost::DecodeError),
    /// The runtime rejected the registration.
    #[error("runtime rejected the registration: {0}")]
    Refused(String),
    /// The response to Synchronize was sent after the runtime may have stopped waiting for it.
    #[error("the response to Synchronize was late, reconnecting")]
    Late,
    /// Pods started without a call to this plugin.
    #[error("the runtime sends no events, reconnecting")]
    Silent,
}
