//! What ends a connection to the runtime.

use std::io;

/// Why there is no connection (any more). The plugin connects again after each of these.
#[derive(Debug, thiserror::Error)]
pub enum NriError {
    /// The socket.
    #[error("runtime socket: {0}")]
    Socket(#[from] io::Error),
    /// The runtime hung up, as it does when it restarts or when an answer came too late.
    #[error("runtime closed the connection")]
    Closed,
    /// Bytes that are no frames.
    #[error("mux frame of {0} bytes is longer than the protocol allows")]
    Frame(usize),
    /// Frames that are no messages.
    #[error("ttrpc message of {0} bytes is longer than the protocol allows")]
    Message(usize),
    /// A message without the content that it must have.
    #[error("ttrpc {0}: {1}")]
    Content(&'static str, prost::DecodeError),
    /// The runtime does not take this plugin.
    #[error("runtime refuses the registration: {0}")]
    Refused(String),
    /// We told all sandboxes too late for the runtime to have waited.
    #[error("the response to Synchronize was late, reconnecting")]
    Late,
    /// Pods started and nobody called us.
    #[error("the runtime sends no events, reconnecting")]
    Silent,
}
