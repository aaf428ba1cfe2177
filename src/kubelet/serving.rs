//! The DRA server and the registration server.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::UnixListener,
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Error, Server, server::Router};

use super::{
    Claims, KubeletError, Registration,
    register::Registrar,
    service::Service,
    sockets::{Sockets, listen},
    wire::{registration::registration_server::RegistrationServer, v1, v1beta1},
};
use crate::{errors::with_sources, files};

/// The driver's identity, and where the kubelet expects its sockets.
#[derive(Debug, Clone)]
pub struct Plugin {
    /// The driver's name.
    pub driver: String,
    /// The kubelet's root directory, at the same path on the host and in the container.
    pub kubelet: PathBuf,
    /// Distinguishes this instance from another one of the same driver on the node: the pod's UID.
    /// Empty: there is only one.
    pub instance: String,
    /// When the kubelet gets a response at the latest; the work continues in the background. The
    /// kubelet's own timeout is 45 s.
    pub timeout: Duration,
}

/// The running servers. Dropping it without [`Serving::stop`] removes the sockets and aborts calls;
/// work for claims continues as long as the tokio runtime does.
pub struct Serving {
    sockets: Sockets,
    dra: Running,
    registrar: Running,
    registrations: watch::Receiver<Registration>,
    work: mpsc::Receiver<()>,
}

/// Serves the DRA API, then creates the registration socket. Must be called in a tokio runtime.
///
/// # Errors
/// A socket that cannot be listened on.
pub async fn serve(plugin: Plugin, claims: Arc<dyn Claims>) -> Result<Serving, KubeletError> {
    let sockets = Sockets::choose(&plugin.kubelet, &plugin.driver, &plugin.instance)?;
    sockets.remove_stale(&plugin.driver);
    let (alive, work) = mpsc::channel(1);
    let service = Service {
        claims,
        timeout: plugin.timeout,
        alive,
    };
    let versions = Server::builder()
        .add_service(v1::dra_plugin_server::DraPluginServer::new(service.clone()))
        .add_service(v1beta1::dra_plugin_server::DraPluginServer::new(service));
    let dra = Running::start(listen(&sockets.dra)?, versions);
    let (state, registrations) = watch::channel(Registration::default());
    let registrar = Registrar {
        driver: plugin.driver,
        endpoint: sockets.dra.to_string_lossy().into_owned(),
        state,
    };
    let registrar = match listen(&sockets.registration) {
        Ok(socket) => Running::start(
            socket,
            Server::builder().add_service(RegistrationServer::new(registrar)),
        ),
        Err(error) => {
            let _ = files::remove(&sockets.dra);
            return Err(error);
        }
    };
    tracing::info!(
        dra = %sockets.dra.display(),
        registration = %sockets.registration.display(),
        "serving the kubelet"
    );
    Ok(Serving {
        sockets,
        dra,
        registrar,
        registrations,
        work,
    })
}

impl Serving {
    /// The path of the DRA service's socket.
    #[must_use]
    pub fn dra_socket(&self) -> &Path {
        &self.sockets.dra
    }

    /// The path of the registration socket.
    #[must_use]
    pub fn registration_socket(&self) -> &Path {
        &self.sockets.registration
    }

    /// The kubelet's registration status; changes when it restarts.
    #[must_use]
    pub fn registrations(&self) -> watch::Receiver<Registration> {
        self.registrations.clone()
    }

    /// Waits until a server ends by itself, which should never happen. Cancel safe.
    pub async fn ended(&mut self) -> String {
        tokio::select! {
            error = self.dra.ended() => format!("DRA service ended: {error}"),
            error = self.registrar.ended() => format!("registration service ended: {error}"),
        }
    }

    /// Accepts no new calls; calls in progress, and work whose caller has disconnected, get `grace`
    /// to finish; then the sockets are removed.
    pub async fn stop(mut self, grace: Duration) {
        let finish = async {
            self.dra.stop().await;
            self.registrar.stop().await;
            // Every task of a claim holds a sender.
            while self.work.recv().await.is_some() {}
        };
        if timeout(grace, finish).await.is_err() {
            tracing::warn!(
                ?grace,
                "claims are still in progress; the next start continues from their records"
            );
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        for running in [&self.dra, &self.registrar] {
            running.task.abort();
        }
        for path in [&self.sockets.registration, &self.sockets.dra] {
            if let Err(error) = files::remove(path) {
                tracing::warn!(socket = %path.display(), %error, "cannot remove the socket");
            }
        }
    }
}

/// One server on one socket.
struct Running {
    task: JoinHandle<Result<(), Error>>,
    shutdown: Option<oneshot::Sender<()>>,
}

impl Running {
    fn start(socket: UnixListener, router: Router) -> Self {
        let (shutdown, signal) = oneshot::channel::<()>();
        let server =
            router.serve_with_incoming_shutdown(UnixListenerStream::new(socket), wait(signal));
        Self {
            task: tokio::spawn(server),
            shutdown: Some(shutdown),
        }
    }

    async fn stop(&mut self) {
        drop(self.shutdown.take());
        if !self.task.is_finished() {
            let _ = (&mut self.task).await;
        }
    }

    async fn ended(&mut self) -> String {
        match (&mut self.task).await {
            Ok(Ok(())) => "no error reported".into(),
            Ok(Err(error)) => with_sources(&error),
            Err(error) => with_sources(&error),
        }
    }
}

async fn wait(signal: oneshot::Receiver<()>) {
    let _ = signal.await;
}
