//! Which API server, how it is reached, and what is reported when it is not.

use std::{path::PathBuf, time::Duration};

use kube::{
    Config,
    client::ClientBuilder,
    config::{KubeConfigOptions, Kubeconfig},
};
use tower::{BoxError, util::MapErrLayer};

use super::{Kube, unreachable};
use crate::{cluster::Result, errors::with_sources};

/// Above the server's own limit of 290 s for one watch.
const WATCH_TIMEOUT: Duration = Duration::from_secs(300);

/// Below the limit of a request: where packets are dropped, the error then names the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

const OF_KUBECONFIG: &str =
    "check the kubeconfig (KUBECONFIG, --kubeconfig, --context) and that the server runs";
const OF_POD: &str =
    "check the network policies for this pod, its service account, and that the server runs";

/// Which cluster, as by kubectl's flags of the same names. By default that of `KUBECONFIG`, of
/// `~/.kube/config`, or of the pod's service account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    /// File to use instead of `KUBECONFIG`.
    pub kubeconfig: Option<PathBuf>,
    /// Context to use instead of the current one.
    pub context: Option<String>,
}

impl Access {
    /// The configuration, and what to check when the server does not answer.
    async fn config(&self) -> std::result::Result<(Config, &'static str), String> {
        let options = KubeConfigOptions {
            context: self.context.clone(),
            ..KubeConfigOptions::default()
        };
        let read = match &self.kubeconfig {
            Some(file) => Kubeconfig::read_from(file),
            None => Kubeconfig::read(),
        };
        let found = match read {
            Ok(kubeconfig) => Config::from_custom_kubeconfig(kubeconfig, &options).await,
            Err(error) => Err(error),
        };
        match found {
            Ok(config) => Ok((config, OF_KUBECONFIG)),
            // Who names a kubeconfig means no other cluster.
            Err(error) if *self != Self::default() => Err(with_sources(&error)),
            Err(error) => match Config::incluster() {
                Ok(config) => Ok((config, OF_POD)),
                Err(in_pod) => Err(format!(
                    "{}; and not in a pod: {}; set KUBECONFIG",
                    with_sources(&error),
                    with_sources(&in_pod)
                )),
            },
        }
    }
}

impl Kube {
    /// The server of `KUBECONFIG` or `~/.kube/config`, or else that of the pod's service account.
    /// Must be called in a tokio runtime.
    ///
    /// # Errors
    /// There is neither, or it cannot be read. No request is sent yet.
    pub async fn connect(driver: &str, node: &str) -> Result<Self> {
        Self::connect_by(&Access::default(), driver, node).await
    }

    /// [`Kube::connect`] to a chosen cluster.
    ///
    /// # Errors
    /// As for [`Kube::connect`].
    pub async fn connect_by(access: &Access, driver: &str, node: &str) -> Result<Self> {
        let failed = |text: String| unreachable("API server", text);
        let (mut config, remedy) = access.config().await.map_err(failed)?;
        config.apply_debug_overrides();
        Self::with_config(config, remedy, driver, node)
    }

    fn with_config(
        mut config: Config,
        remedy: &'static str,
        driver: &str,
        node: &str,
    ) -> Result<Self> {
        // rustls refuses to choose when another crate has turned on a second provider. Already
        // chosen is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        config.read_timeout = Some(WATCH_TIMEOUT);
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        let server = Server::new(&config, remedy);
        let builder = ClientBuilder::try_from(config)
            .map_err(|error| unreachable("API server", server.silence(&with_sources(&error))))?;
        // A layer, since watches have no other place where the server is known.
        let named = server.clone();
        let layer = MapErrLayer::new(move |error| named.of_request(error));
        let client = builder.with_layer(&layer).build();
        Ok(Self::of(client, server, driver, node))
    }

    /// The namespace of the kubeconfig's context, or of the pod.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// What to report when the server has not answered for this long.
    #[must_use]
    pub fn no_answer(&self, within: Duration) -> String {
        self.server.silence(&format!("no answer within {within:?}"))
    }
}

/// The server as errors name it.
#[derive(Debug, Clone)]
pub(super) struct Server {
    name: String,
    remedy: &'static str,
}

impl Server {
    fn new(config: &Config, remedy: &'static str) -> Self {
        let url = config.cluster_url.to_string();
        Self {
            name: format!("API server {}", url.trim_end_matches('/')),
            remedy,
        }
    }

    /// The server of a client that is there already.
    pub(super) fn unnamed() -> Self {
        Self {
            name: "API server".to_owned(),
            remedy: OF_KUBECONFIG,
        }
    }

    fn silence(&self, cause: &str) -> String {
        format!("{} cannot be reached: {cause}; {}", self.name, self.remedy)
    }

    /// The error of a request, with the server, the cause and the remedy. kube takes its own back
    /// out of the box.
    fn of_request(&self, error: BoxError) -> BoxError {
        match error.downcast::<kube::Error>() {
            Ok(own) => own,
            Err(error) => Unanswered(self.silence(&with_sources(&*error))).into(),
        }
    }
}

/// A request without an answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unanswered(String);

#[cfg(test)]
mod tests;
