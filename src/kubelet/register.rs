//! Registration: the kubelet asks who we are, and tells whether it took us.

use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::wire::registration::{
    InfoRequest, PluginInfo, RegistrationStatus, RegistrationStatusResponse, registration_server,
};

/// In order of preference: the kubelet takes the first that it knows.
const VERSIONS: [&str; 2] = ["v1.DRAPlugin", "v1beta1.DRAPlugin"];

/// What the kubelet last said. A change of `times` means that it has (re)started or found us again: it deletes this
/// node's slices when it starts, so look at once whether ours are still there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registration {
    /// How often it has taken us.
    pub times: u64,
    /// Why it did not take us, when that was its last word.
    pub refused: Option<String>,
}

/// Answers from memory: the kubelet waits one second.
pub(super) struct Registrar {
    pub(super) driver: String,
    pub(super) endpoint: String,
    pub(super) state: watch::Sender<Registration>,
}

#[tonic::async_trait]
impl registration_server::Registration for Registrar {
    async fn get_info(&self, _: Request<InfoRequest>) -> Result<Response<PluginInfo>, Status> {
        Ok(Response::new(PluginInfo {
            r#type: "DRAPlugin".into(),
            name: self.driver.clone(),
            endpoint: self.endpoint.clone(),
            supported_versions: VERSIONS.map(String::from).into(),
        }))
    }

    async fn notify_registration_status(
        &self,
        request: Request<RegistrationStatus>,
    ) -> Result<Response<RegistrationStatusResponse>, Status> {
        let RegistrationStatus {
            plugin_registered,
            error,
        } = request.into_inner();
        if plugin_registered {
            tracing::info!("registered with the kubelet");
        } else {
            tracing::error!(%error, "refused by the kubelet");
        }
        self.state.send_modify(|state| {
            state.times += u64::from(plugin_registered);
            state.refused = (!plugin_registered).then_some(error);
        });
        Ok(Response::new(RegistrationStatusResponse {}))
    }
}
