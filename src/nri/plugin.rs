//! The plugin's main loop: connect, serve, reconnect.

use std::{future::Future, path::PathBuf, pin::pin, sync::Arc, time::Duration};

use tokio::{
    net::UnixStream,
    sync::{Notify, watch},
    time::sleep,
};

use super::{
    Hooks, NriError,
    session::{self, Identity},
};
use crate::errors::with_sources;

/// Backoff between connects. A runtime that restarts is back within a second or two, and connecting
/// to a unix socket is cheap.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// A plugin of the container runtime.
pub struct Plugin {
    socket: PathBuf,
    identity: Identity,
    hooks: Arc<dyn Hooks>,
    ready: watch::Sender<bool>,
    reconnect: Arc<Notify>,
}

impl Plugin {
    /// `socket` is the runtime's; `index`, two digits, orders the runtime's plugins.
    pub fn new(socket: impl Into<PathBuf>, name: &str, index: &str, hooks: Arc<dyn Hooks>) -> Self {
        let identity = Identity {
            name: name.into(),
            index: index.into(),
        };
        Self {
            socket: socket.into(),
            identity,
            hooks,
            ready: watch::Sender::new(false),
            reconnect: Arc::default(),
        }
    }

    /// Whether the plugin is registered and synchronized, and gets the runtime's calls.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Reconnects when notified, for a watchdog that sees pods start without a call. A runtime that
    /// waited too long for the response to Synchronize keeps the connection and sends no events
    /// (seen with containerd 1.7.24).
    #[must_use]
    pub fn reconnect(&self) -> Arc<Notify> {
        Arc::clone(&self.reconnect)
    }

    /// Serves until `shutdown`. Hooks in progress finish on their threads.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        tokio::select! {
            () = &mut shutdown => {}
            () = self.serve() => {}
        }
        self.ready.send_replace(false);
    }

    async fn serve(&self) {
        let (mut pause, mut logged) = (SHORTEST, String::new());
        loop {
            let error = self.once().await;
            if self.ready.send_replace(false) {
                pause = SHORTEST;
            }
            let text = with_sources(&error);
            if text != logged {
                tracing::warn!(
                    socket = %self.socket.display(),
                    "not connected to the runtime: {text}"
                );
                logged = text;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
    }

    async fn once(&self) -> NriError {
        let serve = async {
            let socket = UnixStream::connect(&self.socket).await?;
            session::serve(
                socket,
                self.identity.clone(),
                Arc::clone(&self.hooks),
                self.ready.clone(),
            )
            .await
        };
        tokio::select! {
            result = serve => result.err().unwrap_or(NriError::Closed),
            () = self.reconnect.notified() => NriError::Silent,
        }
    }
}
