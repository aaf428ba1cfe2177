//! Plugin registration: the kubelet requests the driver's name and endpoint, and reports whether it
//! registered the driver.

use tokio::sync::watch;
use tonic::{Request, Response, Status};

use super::wire::registration::{
    InfoRequest, PluginInfo, RegistrationStatus, RegistrationStatusResponse, registration_server,
};

/// In order of preference: the kubelet uses the first one that it supports.
const VERSIONS: [&str; 2] = ["v1.DRAPlugin", "v1beta1.DRAPlugin"];

/// The kubelet's last registration status. A change of `times` means that the kubelet has
/// (re)started or has found the driver again: it deletes this node's ResourceSlices when it starts,
/// so they must be checked at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registration {
    /// How often the driver has been registered.
    pub times: u64,
    /// The kubelet's error, if the last registration failed.
    pub refused: Option<String>,
}

/// Responds without I/O: the kubelet's timeout is one second.
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
            tracing::error!(%error, "registration rejected by the kubelet");
        }
        self.state.send_modify(|state| {
            state.times += u64::from(plugin_registered);
            state.refused = (!plugin_registered).then_some(error);
        });
        Ok(Response::new(RegistrationStatusResponse {}))
    }
}
