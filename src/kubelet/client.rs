//! A minimal kubelet, for the demo and for the liveness probe.

use std::path::Path;

use tonic::transport::{Channel, Endpoint};

use super::wire::{
    registration::{InfoRequest, RegistrationStatus, registration_client::RegistrationClient},
    v1::{
        Claim, NodePrepareResourcesRequest, NodeUnprepareResourcesRequest,
        dra_plugin_client::DraPluginClient,
    },
};
use crate::{claim::PreparedDevice, errors::with_sources, ledger::ClaimRef};

/// A kubelet that has registered a driver.
pub struct Client {
    dra: DraPluginClient<Channel>,
    endpoint: String,
}

impl Client {
    /// Registers the driver at this registration socket, as the kubelet's plugin watcher does.
    ///
    /// # Errors
    /// The error message of the transport or the service.
    pub async fn register(registration: &Path) -> Result<Self, String> {
        let mut registry = RegistrationClient::new(connect(registration).await?);
        let info = registry
            .get_info(InfoRequest {})
            .await
            .map_err(|status| with_sources(&status))?
            .into_inner();
        let status = RegistrationStatus {
            plugin_registered: true,
            error: String::new(),
        };
        registry
            .notify_registration_status(status)
            .await
            .map_err(|status| with_sources(&status))?;
        let dra = DraPluginClient::new(connect(Path::new(&info.endpoint)).await?);
        Ok(Self {
            dra,
            endpoint: info.endpoint,
        })
    }

    /// The socket of the driver's DRA service.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// `NodePrepareResources` for one claim.
    ///
    /// # Errors
    /// The claim's error, or the transport's.
    pub async fn prepare(&mut self, claim: &ClaimRef) -> Result<Vec<PreparedDevice>, String> {
        let request = NodePrepareResourcesRequest {
            claims: vec![wire(claim)],
        };
        let answer = self
            .dra
            .node_prepare_resources(request)
            .await
            .map_err(|status| with_sources(&status))?
            .into_inner();
        let mut claims = answer.claims;
        let answer = claims
            .remove(claim.uid.as_str())
            .ok_or("the response does not contain the claim")?;
        if !answer.error.is_empty() {
            return Err(answer.error);
        }
        let devices = answer.devices.into_iter().map(|device| PreparedDevice {
            requests: device.request_names,
            slice_pool: device.pool_name,
            device: device.device_name,
            cdi: device.cdi_device_ids,
            share_id: device.share_id,
        });
        Ok(devices.collect())
    }

    /// `NodeUnprepareResources` for one claim.
    ///
    /// # Errors
    /// The claim's error, or the transport's.
    pub async fn unprepare(&mut self, claim: &ClaimRef) -> Result<(), String> {
        let request = NodeUnprepareResourcesRequest {
            claims: vec![wire(claim)],
        };
        let answer = self
            .dra
            .node_unprepare_resources(request)
            .await
            .map_err(|status| with_sources(&status))?
            .into_inner();
        match answer.claims.get(claim.uid.as_str()) {
            Some(answer) if answer.error.is_empty() => Ok(()),
            Some(answer) => Err(answer.error.clone()),
            None => Err("the response does not contain the claim".to_owned()),
        }
    }
}

/// Whether the DRA service at this socket answers: a call for no claim, which takes no lock and makes
/// no call into the kernel.
///
/// # Errors
/// The transport's or the service's.
pub async fn ping(socket: &Path) -> Result<(), String> {
    let mut dra = DraPluginClient::new(connect(socket).await?);
    let nothing = NodePrepareResourcesRequest { claims: vec![] };
    let answered = dra.node_prepare_resources(nothing).await;
    answered.map(drop).map_err(|status| with_sources(&status))
}

fn wire(claim: &ClaimRef) -> Claim {
    Claim {
        namespace: claim.namespace.clone(),
        uid: claim.uid.to_string(),
        name: claim.name.clone(),
    }
}

async fn connect(socket: &Path) -> Result<Channel, String> {
    let endpoint = Endpoint::try_from(format!("unix://{}", socket.display()))
        .map_err(|error| with_sources(&error))?;
    endpoint
        .connect()
        .await
        .map_err(|error| format!("{}: {}", socket.display(), with_sources(&error)))
}
