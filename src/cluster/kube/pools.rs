//! ConfigMaps and DeviceClasses.

use std::fmt::Debug;

use async_trait::async_trait;
use futures::{
    StreamExt, future,
    stream::{self, BoxStream},
};
use k8s_openapi::{
    api::{core::v1::ConfigMap as ApiConfigMap, resource::v1::DeviceClass},
    serde::de::DeserializeOwned,
};
use kube::{
    Api, Resource, ResourceExt,
    api::{DeleteParams, ListParams, PostParams, Preconditions},
    runtime::{
        WatchStreamExt,
        watcher::{self, watcher},
    },
};
use serde_json::Value;

use super::{Kube, policies};
use crate::{
    classes::{Class, Stored},
    cluster::{
        Cluster, ClusterError, ConfigMap, ConfigMapName, ConfigMaps, ErrorKind, Event, Policies,
        PoolCluster, Result,
    },
    errors::with_sources,
    resource_policy::{Node, Object, Seen},
};

#[async_trait]
impl PoolCluster for Kube {
    async fn config_maps(&self, which: &ConfigMaps) -> Result<Vec<ConfigMap>> {
        let mut found = Vec::new();
        match which {
            ConfigMaps::Named(names) => {
                for name in names {
                    let api = Api::<ApiConfigMap>::namespaced(self.client.clone(), &name.namespace);
                    found.extend(
                        self.request(&format!("ConfigMap {name}"), api.get_opt(&name.name))
                            .await?,
                    );
                }
            }
            ConfigMaps::Labelled {
                selector,
                namespaces,
            } => {
                let params = ListParams::default().labels(selector);
                for api in self.config_map_apis(namespaces) {
                    found.extend(self.request("ConfigMaps", api.list(&params)).await?.items);
                }
            }
        }
        Ok(found.into_iter().map(config_map).collect())
    }

    async fn classes(&self) -> Result<Vec<Stored>> {
        let list = self
            .request(
                "DeviceClasses",
                self.class_api().list(&ListParams::default()),
            )
            .await?;
        Ok(list.items.into_iter().map(stored).collect())
    }

    async fn create_class(&self, class: &Class) -> Result<Stored> {
        let (subject, object) = object(class)?;
        Ok(stored(
            self.request(
                &subject,
                self.class_api().create(&PostParams::default(), &object),
            )
            .await?,
        ))
    }

    async fn update_class(&self, read: &Stored, class: &Class) -> Result<Stored> {
        let (subject, mut object) = object(class)?;
        object.metadata.uid = Some(read.uid.clone());
        object.metadata.resource_version = Some(read.version.clone());
        let answer = self.class_api();
        Ok(stored(
            self.request(
                &subject,
                answer.replace(&class.name, &PostParams::default(), &object),
            )
            .await?,
        ))
    }

    async fn delete_class(&self, read: &Stored) -> Result<()> {
        let (uid, resource_version) = (Some(read.uid.clone()), Some(read.version.clone()));
        let params = DeleteParams::default().preconditions(Preconditions {
            resource_version,
            uid,
        });
        let name = &read.class.name;
        match self
            .request(
                &format!("DeviceClass {name}"),
                self.class_api().delete(name, &params),
            )
            .await
        {
            Err(error) if error.kind != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn pool_changes(&self, which: &ConfigMaps) -> BoxStream<'static, ()> {
        let classes = changes(
            self.class_api(),
            watcher::Config::default(),
            "DeviceClasses",
        );
        let maps = |api, config| changes::<ApiConfigMap>(api, config, "ConfigMaps");
        let maps: Vec<BoxStream<'static, ()>> = match which {
            ConfigMaps::Labelled {
                selector,
                namespaces,
            } => {
                let only = || watcher::Config::default().labels(selector);
                let apis = self.config_map_apis(namespaces).into_iter();
                apis.map(|api| maps(api, only())).collect()
            }
            ConfigMaps::Named(names) => names
                .iter()
                .map(|name| {
                    let only =
                        watcher::Config::default().fields(&format!("metadata.name={}", name.name));
                    maps(Api::namespaced(self.client.clone(), &name.namespace), only)
                })
                .collect(),
        };
        stream::select_all(maps.into_iter().chain([classes]))
            .chain(stream::pending())
            .boxed()
    }

    async fn report_event(&self, event: &Event) -> Result<()> {
        Cluster::event(self, event).await
    }

    fn all_policies(&self, namespace: &str) -> Policies {
        policies::follow(self.client.clone(), namespace, None)
    }

    async fn devices(&self) -> Result<Vec<(Node, Vec<Seen>)>> {
        self.devices_of_nodes().await
    }

    async fn write_policy_status(&self, policy: &Object, status: &Value) -> Result<()> {
        self.patch_policy_status(policy, status).await
    }
}

impl Kube {
    fn class_api(&self) -> Api<DeviceClass> {
        Api::all(self.client.clone())
    }

    /// One for each namespace, or one for all.
    fn config_map_apis(&self, namespaces: &[String]) -> Vec<Api<ApiConfigMap>> {
        if namespaces.is_empty() {
            return vec![Api::all(self.client.clone())];
        }
        let api = |namespace: &String| Api::namespaced(self.client.clone(), namespace);
        namespaces.iter().map(api).collect()
    }
}

/// After a list or an interruption anything may have changed.
fn changes<K>(api: Api<K>, config: watcher::Config, what: &'static str) -> BoxStream<'static, ()>
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let events = watcher(api, config)
        .default_backoff()
        .filter_map(move |event| {
            future::ready(match event {
                Ok(
                    watcher::Event::Apply(_) | watcher::Event::Delete(_) | watcher::Event::InitDone,
                ) => Some(()),
                Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => None,
                Err(error) => {
                    tracing::warn!(
                        error = with_sources(&error),
                        "watch of {what} interrupted, trying again"
                    );
                    None
                }
            })
        });
    events.boxed()
}

fn config_map(map: ApiConfigMap) -> ConfigMap {
    let name = ConfigMapName {
        namespace: map.namespace().unwrap_or_default(),
        name: map.name_any(),
    };
    ConfigMap {
        name,
        uid: map.uid().unwrap_or_default(),
        data: map.data.unwrap_or_default(),
    }
}

fn object(class: &Class) -> Result<(String, DeviceClass)> {
    let subject = format!("DeviceClass {}", class.name);
    let object = serde_json::from_value(class.manifest());
    let object = object.map_err(|error| ClusterError {
        kind: ErrorKind::Invalid,
        subject: subject.clone(),
        text: error.to_string(),
    })?;
    Ok((subject, object))
}

fn stored(class: DeviceClass) -> Stored {
    let spec = class.spec.unwrap_or_default();
    let selectors = spec.selectors.into_iter().flatten();
    let config = spec.config.into_iter().flatten();
    Stored {
        uid: class.metadata.uid.unwrap_or_default(),
        version: class.metadata.resource_version.unwrap_or_default(),
        class: Class {
            name: class.metadata.name.unwrap_or_default(),
            labels: class.metadata.labels.unwrap_or_default(),
            annotations: class.metadata.annotations.unwrap_or_default(),
            selectors: selectors
                .map(|selector| selector.cel.map(|cel| cel.expression).unwrap_or_default())
                .collect(),
            config: config
                .map(|entry| serde_json::to_value(entry).unwrap_or(Value::Null))
                .collect(),
            extended_resource_name: spec.extended_resource_name,
        },
    }
}
