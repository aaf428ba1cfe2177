//! The plugin for the agent's whole life: connect, serve, connect again.

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

/// A runtime that restarts is back within a second or two; asking a unix socket costs nothing.
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
    /// `socket` is the runtime's; `index`, two digits, is the place among the runtime's plugins.
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

    /// Whether the runtime calls us now: connected, and told of all sandboxes.
    #[must_use]
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// Reconnects when notified: for whoever sees that pods start without a call. A runtime that waited too long for
    /// the answer to Synchronize keeps the connection and calls nobody (seen with containerd 1.7.24).
    #[must_use]
    pub fn reconnect(&self) -> Arc<Notify> {
        Arc::clone(&self.reconnect)
    }

    /// Serves until `shutdown`. Hooks under way finish on their threads.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        tokio::select! {
            () = &mut shutdown => {}
            () = self.serve() => {}
        }
        self.ready.send_replace(false);
    }

    async fn serve(&self) {
        let (mut pause, mut said) = (SHORTEST, String::new());
        loop {
            let error = self.once().await;
            if self.ready.send_replace(false) {
                pause = SHORTEST;
            }
            let text = error.to_string();
            if text != said {
                tracing::warn!(socket = %self.socket.display(), "not connected to the runtime: {text}");
                said = text;
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
