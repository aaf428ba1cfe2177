//! ConfigMaps and DeviceClasses in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::{StreamExt, stream::BoxStream};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;

use super::{Memory, State};
use crate::{
    classes::{Class, Stored},
    cluster::{
        Cluster, ClusterError, ConfigMap, ConfigMapName, ConfigMaps, ErrorKind, Event, Policies,
        PoolCluster, Result,
    },
    resource_policy::{Node, Object, Seen},
};

/// What the controller reads and writes.
#[derive(Debug, Default)]
pub(super) struct ControllerObjects {
    maps: BTreeMap<ConfigMapName, ConfigMap>,
    classes: BTreeMap<String, Stored>,
    writes: Vec<String>,
    watchers: Vec<mpsc::UnboundedSender<()>>,
    drops_resources: bool,
    nodes: Vec<(Node, Vec<Seen>)>,
    lacks_status: bool,
}

impl Memory {
    /// Somebody writes a ConfigMap; without keys: deletes it.
    pub fn configure(&self, name: &ConfigMapName, data: &[(&str, &str)]) {
        let mut state = self.state();
        let data: BTreeMap<String, String> = data
            .iter()
            .map(|(key, text)| ((*key).into(), (*text).into()))
            .collect();
        match data.is_empty() {
            true => drop(state.controller.maps.remove(name)),
            false => {
                let map = ConfigMap {
                    name: name.clone(),
                    uid: format!("uid of {name}"),
                    data,
                };
                state.controller.maps.insert(name.clone(), map);
            }
        }
        state.controller.notify();
    }

    /// Somebody writes a class.
    pub fn write_class(&self, class: Class) {
        let mut state = self.state();
        let uid = format!("uid of {}", class.name);
        state.keep(class, uid);
    }

    /// From now on the server does not know `extendedResourceName`.
    pub fn drop_extended_resources(&self) {
        self.state().controller.drops_resources = true;
    }

    /// From now on it does.
    pub fn keep_extended_resources(&self) {
        self.state().controller.drops_resources = false;
    }

    /// Nodes publish these devices.
    pub fn publish_devices(&self, nodes: Vec<(Node, Vec<Seen>)>) {
        self.state().controller.nodes = nodes;
    }

    /// From now on the kind of policies has no status subresource.
    pub fn drop_policy_status(&self) {
        self.state().controller.lacks_status = true;
    }

    /// All classes as they are.
    #[must_use]
    pub fn stored_classes(&self) -> Vec<Stored> {
        self.state().controller.classes.values().cloned().collect()
    }

    /// Writes of classes and of policies since the last question: `create NAME`, `update NAME`,
    /// `delete NAME`, `status NAME`.
    pub fn class_writes(&self) -> Vec<String> {
        std::mem::take(&mut self.state().controller.writes)
    }
}

impl ControllerObjects {
    fn notify(&mut self) {
        self.watchers.retain(|watcher| watcher.send(()).is_ok());
    }

    fn same(&self, read: &Stored) -> Result<()> {
        let (kind, text) = match self.classes.get(&read.class.name) {
            None => (ErrorKind::NotFound, "not found"),
            Some(now) if now.version != read.version => (ErrorKind::Conflict, "was changed"),
            Some(_) => return Ok(()),
        };
        Err(ClusterError {
            kind,
            subject: format!("DeviceClass {}", read.class.name),
            text: text.into(),
        })
    }
}

impl State {
    fn keep(&mut self, mut class: Class, uid: String) -> Stored {
        self.version += 1;
        if self.controller.drops_resources {
            class.extended_resource_name = None;
        }
        let stored = Stored {
            uid,
            version: self.version.to_string(),
            class,
        };
        self.controller
            .classes
            .insert(stored.class.name.clone(), stored.clone());
        self.controller.notify();
        stored
    }
}

#[async_trait]
impl PoolCluster for Memory {
    async fn config_maps(&self, which: &ConfigMaps) -> Result<Vec<ConfigMap>> {
        let mut state = self.state();
        state.trip("ConfigMaps")?;
        let wanted = |name: &ConfigMapName| match which {
            ConfigMaps::Named(names) => names.contains(name),
            ConfigMaps::Labelled { namespaces, .. } => {
                namespaces.is_empty() || namespaces.contains(&name.namespace)
            }
        };
        Ok(state
            .controller
            .maps
            .values()
            .filter(|map| wanted(&map.name))
            .cloned()
            .collect())
    }

    async fn classes(&self) -> Result<Vec<Stored>> {
        let mut state = self.state();
        state.trip("DeviceClasses")?;
        Ok(state.controller.classes.values().cloned().collect())
    }

    async fn create_class(&self, class: &Class) -> Result<Stored> {
        let mut state = self.state();
        state.trip("create")?;
        if state.controller.classes.contains_key(&class.name) {
            let (kind, subject) = (ErrorKind::Conflict, format!("DeviceClass {}", class.name));
            return Err(ClusterError {
                kind,
                subject,
                text: "exists already".into(),
            });
        }
        state
            .controller
            .writes
            .push(format!("create {}", class.name));
        let uid = format!("uid {}", state.version);
        Ok(state.keep(class.clone(), uid))
    }

    async fn update_class(&self, read: &Stored, class: &Class) -> Result<Stored> {
        let mut state = self.state();
        state.trip("update")?;
        state.controller.same(read)?;
        state
            .controller
            .writes
            .push(format!("update {}", class.name));
        Ok(state.keep(class.clone(), read.uid.clone()))
    }

    async fn delete_class(&self, read: &Stored) -> Result<()> {
        let mut state = self.state();
        state.trip("delete")?;
        match state.controller.same(read) {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(()),
            same => same?,
        }
        state
            .controller
            .writes
            .push(format!("delete {}", read.class.name));
        state.controller.classes.remove(&read.class.name);
        state.controller.notify();
        Ok(())
    }

    fn pool_changes(&self, _: &ConfigMaps) -> BoxStream<'static, ()> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.state().controller.watchers.push(sender);
        UnboundedReceiverStream::new(receiver)
            .chain(futures::stream::pending())
            .boxed()
    }

    async fn report_event(&self, event: &Event) -> Result<()> {
        Cluster::event(self, event).await
    }

    fn all_policies(&self, namespace: &str) -> Policies {
        Cluster::policies(self, namespace)
    }

    async fn devices(&self) -> Result<Vec<(Node, Vec<Seen>)>> {
        let mut state = self.state();
        state.trip("devices")?;
        Ok(state.controller.nodes.clone())
    }

    async fn write_policy_status(&self, policy: &Object, status: &Value) -> Result<()> {
        let mut state = self.state();
        state.trip("status")?;
        if state.controller.lacks_status {
            let (kind, subject) = (ErrorKind::NotFound, format!("status of {policy}"));
            return Err(ClusterError {
                kind,
                subject,
                text: "not found".into(),
            });
        }
        state
            .controller
            .writes
            .push(format!("status {}", policy.name));
        state.policies.send_modify(|view| {
            let all = view.policies.iter_mut().flatten();
            all.filter(|there| there.name == policy.name)
                .for_each(|there| there.status = status.clone());
        });
        Ok(())
    }
}
