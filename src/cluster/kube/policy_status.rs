//! The status of policies, and the devices and nodes that it is computed from.

use std::collections::BTreeMap;

use k8s_openapi::{
    api::{core::v1::Node as ApiNode, resource::v1::ResourceSlice},
    apimachinery::pkg::apis::meta::v1::ListMeta,
};
use kube::{
    Api, ResourceExt,
    api::{DynamicObject, ListParams, Patch, PatchParams},
    core::PartialObjectMeta,
};
use serde_json::{Value, json};

use super::{Kube, policies};
use crate::{
    cluster::{Result, convert},
    resource_policy::{Kind, Node, Object, Seen},
};

/// Slices are up to 60 kB each: so many at once are in memory.
const SLICES: u32 = 50;
/// Nodes' metadata are a few kB each.
const NODES: u32 = 500;

impl Kube {
    /// Page by page: only what policies see of a device is kept.
    pub(super) async fn devices_of_nodes(&self) -> Result<Vec<(Node, Vec<Seen>)>> {
        let mut devices: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
        let api = Api::<ResourceSlice>::all(self.client.clone());
        let mut params = ListParams::default()
            .fields(&format!("spec.driver={}", self.driver))
            .limit(SLICES);
        loop {
            let page = self
                .request("slices of all nodes", api.list(&params))
                .await?;
            for slice in page.items {
                let Some(node) = slice.spec.node_name.clone() else {
                    continue;
                };
                let slice = convert::stored(slice, &self.driver, &node);
                let seen = slice
                    .content
                    .devices()
                    .iter()
                    .map(|device| Seen::published(&device.attributes));
                devices.entry(node).or_default().extend(seen);
            }
            if !turn(&mut params, page.metadata) {
                break;
            }
        }
        self.with_labels(devices).await
    }

    async fn with_labels(
        &self,
        mut devices: BTreeMap<String, Vec<Seen>>,
    ) -> Result<Vec<(Node, Vec<Seen>)>> {
        let api = Api::<PartialObjectMeta<ApiNode>>::all(self.client.clone());
        let (mut all, mut params) = (Vec::new(), ListParams::default().limit(NODES));
        loop {
            let page = self.request("nodes", api.list(&params)).await?;
            for node in page.items {
                let Some(seen) = devices.remove(&node.name_any()) else {
                    continue;
                };
                all.push((
                    Node {
                        name: node.name_any(),
                        labels: node.labels().clone(),
                    },
                    seen,
                ));
            }
            if !turn(&mut params, page.metadata) {
                return Ok(all);
            }
        }
    }

    pub(super) async fn patch_policy_status(&self, policy: &Object, status: &Value) -> Result<()> {
        let resource = policies::resource(Kind::Policy);
        let api = Api::<DynamicObject>::namespaced_with(
            self.client.clone(),
            &policy.namespace,
            &resource,
        );
        let patch = Patch::Merge(json!({"metadata": {"uid": policy.uid}, "status": status}));
        let params = PatchParams::default();
        self.request(
            &format!("status of {policy}"),
            api.patch_status(&policy.name, &params, &patch),
        )
        .await?;
        Ok(())
    }
}

/// Whether there is a next page, which `params` request then.
fn turn(params: &mut ListParams, page: ListMeta) -> bool {
    params.continue_token = page.continue_.filter(|token| !token.is_empty());
    params.continue_token.is_some()
}
