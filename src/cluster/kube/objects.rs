//! The objects that decide about allocations, of all namespaces and drivers, as the API writes
//! them: for `explain` and `list`, which read them from files in the same form.

use std::fmt::Debug;

use k8s_openapi::api::{
    core::v1::{ConfigMap, Pod},
    resource::v1::{
        DeviceClass, DeviceTaintRule, ResourceClaim, ResourceClaimTemplate, ResourceSlice,
    },
};
use kube::{Api, Resource, api::ListParams};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::Kube;
use crate::cluster::{ClusterError, ErrorKind, Result};

/// What the chart's objects are labelled with.
const CHART: &str = "app.kubernetes.io/name=sriov-dra";

impl Kube {
    /// Claims, their templates, classes, slices and taint rules. Rules are left out where the
    /// server has none.
    ///
    /// # Errors
    /// The server's: the caller must be allowed to list all of them.
    pub async fn allocation_objects(&self) -> Result<Vec<Value>> {
        let mut all = self.listed::<ResourceClaim>("resource claims").await?;
        all.extend(
            self.listed::<ResourceClaimTemplate>("resource claim templates")
                .await?,
        );
        all.extend(self.listed::<DeviceClass>("device classes").await?);
        all.extend(self.slices_and_rules().await?);
        all.extend(self.pool_config_maps().await);
        Ok(all)
    }

    /// A pod, as the API writes it.
    ///
    /// # Errors
    /// The server's.
    pub async fn pod_object(&self, namespace: &str, name: &str) -> Result<Option<Value>> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let subject = format!("pod {namespace}/{name}");
        let pod = self.request(&subject, api.get_opt(name)).await?;
        pod.map(|pod| value(&subject, &pod)).transpose()
    }

    /// The objects that say which devices there are and who has them: claims, slices and taint
    /// rules. Rules are left out where the server has none.
    ///
    /// # Errors
    /// The server's: the caller must be allowed to list all of them.
    pub async fn device_objects(&self) -> Result<Vec<Value>> {
        let mut all = self.listed::<ResourceClaim>("resource claims").await?;
        all.extend(self.slices_and_rules().await?);
        all.extend(self.pool_config_maps().await);
        Ok(all)
    }

    async fn slices_and_rules(&self) -> Result<Vec<Value>> {
        let mut all = self.listed::<ResourceSlice>("resource slices").await?;
        match self.listed::<DeviceTaintRule>("device taint rules").await {
            Ok(rules) => all.extend(rules),
            // An older server has them in another version, or not at all; an unprivileged user may
            // not see them.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Forbidden) => {
                tracing::warn!(%error, "taints of rules are not looked at");
            }
            Err(error) => return Err(error),
        }
        Ok(all)
    }

    /// The ConfigMaps of the chart, which have the pools. They only add an explanation, and a user
    /// often must not read them: then there are none.
    async fn pool_config_maps(&self) -> Vec<Value> {
        let api: Api<ConfigMap> = Api::all(self.client.clone());
        let params = ListParams::default().labels(CHART);
        let maps = match self.request("ConfigMaps", api.list(&params)).await {
            Ok(maps) => maps.items,
            Err(error) => {
                tracing::debug!(%error, "pools that take no device are not explained");
                Vec::new()
            }
        };
        let values = maps.iter().map(|map| value("ConfigMaps", map));
        values.filter_map(Result::ok).collect()
    }

    async fn listed<K>(&self, subject: &str) -> Result<Vec<Value>>
    where
        K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Serialize,
    {
        let api: Api<K> = Api::all(self.client.clone());
        let all = self
            .request(subject, api.list(&ListParams::default()))
            .await?;
        all.items
            .iter()
            .map(|object| value(subject, object))
            .collect()
    }
}

/// With its kind: members of a list need not say what they are.
fn value<K: Resource<DynamicType = ()> + Serialize>(subject: &str, object: &K) -> Result<Value> {
    let mut value = serde_json::to_value(object).map_err(|error| ClusterError {
        kind: ErrorKind::Invalid,
        subject: subject.to_owned(),
        text: error.to_string(),
    })?;
    value["kind"] = K::kind(&()).into();
    Ok(value)
}
