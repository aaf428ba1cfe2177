//! NetworkAttachmentDefinitions: read one by one, when a pod names them.

use std::time::Duration;

use kube::{
    Api, ResourceExt,
    api::{ApiResource, DynamicObject},
    core::GroupVersionKind,
};
use tokio::time::timeout;

use super::{Kube, cluster_error, unreachable};
use crate::{
    api::is_label,
    cluster::{Nad, Result},
    cni::{NadRef, nad::RESOURCE_NAME},
};

/// A pod waits for it, and the kubelet tries again.
const TIMEOUT: Duration = Duration::from_secs(3);

impl Kube {
    pub(super) async fn read_network(&self, nad: &NadRef) -> Result<Option<Nad>> {
        if !can_exist(nad) {
            return Ok(None);
        }
        let subject = format!("NetworkAttachmentDefinition {nad}");
        let kind = GroupVersionKind::gvk("k8s.cni.cncf.io", "v1", "NetworkAttachmentDefinition");
        let kind = ApiResource::from_gvk_with_plural(&kind, "network-attachment-definitions");
        let api = Api::<DynamicObject>::namespaced_with(self.client.clone(), &nad.namespace, &kind);
        match timeout(TIMEOUT, api.get_opt(&nad.name)).await {
            Ok(found) => Ok(found
                .map_err(|error| cluster_error(&subject, error))?
                .map(|object| of(&object))),
            Err(_) => Err(unreachable(&subject, self.no_answer(TIMEOUT))),
        }
    }
}

/// The name comes from a pod's annotation, and is to be a part of a path.
fn can_exist(nad: &NadRef) -> bool {
    is_label(&nad.namespace) && nad.name.len() <= 253 && nad.name.split('.').all(is_label)
}

fn of(object: &DynamicObject) -> Nad {
    let config = object.data.pointer("/spec/config");
    Nad {
        resource_name: object.annotations().get(RESOURCE_NAME).cloned(),
        config: config
            .and_then(|text| text.as_str())
            .unwrap_or_default()
            .to_owned(),
    }
}
