//! The versions of the DRA service. Each has messages of its own, which differ in fields of devices
//! only.

/// The service in one version, for a kubelet that speaks it; after the version's name the fields
/// of a device that not every version has.
macro_rules! service {
    ($version:ident $(, $field:ident)*) => {
        mod $version {
            use tonic::{Request, Response, Status};

            use super::super::{
                service::{RequestedClaim, Service},
                wire::$version::{
                    Claim, Device, NodePrepareResourceResponse, NodePrepareResourcesRequest,
                    NodePrepareResourcesResponse, NodeUnprepareResourceResponse,
                    NodeUnprepareResourcesRequest, NodeUnprepareResourcesResponse,
                    dra_plugin_server::DraPlugin,
                },
            };
            use crate::claim::PreparedDevice;

            impl From<Claim> for RequestedClaim {
                fn from(claim: Claim) -> Self {
                    Self {
                        namespace: claim.namespace,
                        name: claim.name,
                        uid: claim.uid,
                    }
                }
            }

            impl From<PreparedDevice> for Device {
                fn from(device: PreparedDevice) -> Self {
                    Self {
                        request_names: device.requests,
                        pool_name: device.slice_pool,
                        device_name: device.device,
                        cdi_device_ids: device.cdi,
                        $($field: device.$field,)*
                    }
                }
            }

            impl From<Result<Vec<PreparedDevice>, String>> for NodePrepareResourceResponse {
                fn from(answer: Result<Vec<PreparedDevice>, String>) -> Self {
                    match answer {
                        Ok(devices) => Self {
                            devices: devices.into_iter().map(Device::from).collect(),
                            error: String::new(),
                        },
                        Err(error) => Self {
                            devices: Vec::new(),
                            error,
                        },
                    }
                }
            }

            impl From<Result<(), String>> for NodeUnprepareResourceResponse {
                fn from(answer: Result<(), String>) -> Self {
                    Self {
                        error: answer.err().unwrap_or_default(),
                    }
                }
            }

            #[tonic::async_trait]
            impl DraPlugin for Service {
                async fn node_prepare_resources(
                    &self,
                    request: Request<NodePrepareResourcesRequest>,
                ) -> Result<Response<NodePrepareResourcesResponse>, Status> {
                    let claims = self.prepare(request.into_inner().claims).await;
                    Ok(Response::new(NodePrepareResourcesResponse { claims }))
                }

                async fn node_unprepare_resources(
                    &self,
                    request: Request<NodeUnprepareResourcesRequest>,
                ) -> Result<Response<NodeUnprepareResourcesResponse>, Status> {
                    let claims = self.unprepare(request.into_inner().claims).await;
                    Ok(Response::new(NodeUnprepareResourcesResponse { claims }))
                }
            }
        }
    };
}

// Kubernetes 1.34 and later.
service!(v1, share_id);
// Without shares of devices.
service!(v1beta1);
