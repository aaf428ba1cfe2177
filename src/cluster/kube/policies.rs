//! The watch of policies and DeviceAttributes, and the labels of the node.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use futures::{Stream, StreamExt, future};
use k8s_openapi::{api::core::v1::Node, serde::de::DeserializeOwned};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{ApiResource, DynamicObject, GetParams},
    core::GroupVersionKind,
    runtime::watcher::{self, watcher},
};
use serde_json::Value;
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout},
};

use super::TIMEOUT;
use crate::{
    cluster::{Policies, PolicyView},
    errors::with_sources,
    resource_policy::{GROUP, Kind, Object, VERSION},
};

/// Where the server does not know the kinds. Nobody waits for it but who has just installed them.
const ABSENT: Duration = Duration::from_mins(5);
/// How often the node's labels are read.
const LABELS: Duration = Duration::from_secs(30);
/// After any other error.
const RETRY: Duration = Duration::from_secs(10);

/// Follows the namespace's objects until no view is left; and the labels of the node, if one is
/// given. As long as there is no policy, nothing else is requested.
pub(super) fn follow(client: Client, namespace: &str, node: Option<&str>) -> Policies {
    let (view, policies) = watch::channel(PolicyView::default());
    let follower = Follower {
        client,
        namespace: namespace.to_owned(),
        node: node.map(str::to_owned),
        view,
    };
    tokio::spawn(follower.run());
    policies
}

struct Follower {
    client: Client,
    namespace: String,
    node: Option<String>,
    view: watch::Sender<PolicyView>,
}

impl Follower {
    async fn run(self) {
        let (attributes, labels) = (Notify::new(), Notify::new());
        let policies = self.objects(Kind::Policy, |view, all| {
            if !all.is_empty() {
                attributes.notify_one();
                labels.notify_one();
            }
            view.policies = Some(all);
        });
        let further = async {
            attributes.notified().await;
            self.objects(Kind::Attributes, |view, all| view.attributes = Some(all))
                .await;
        };
        let node = async {
            labels.notified().await;
            self.labels().await;
        };
        tokio::select! {
            () = self.view.closed() => {}
            _ = future::join3(policies, further, node) => {}
        }
    }

    async fn objects(&self, kind: Kind, put: impl Fn(&mut PolicyView, Vec<Object>)) {
        let api = Api::<DynamicObject>::namespaced_with(
            self.client.clone(),
            &self.namespace,
            &resource(kind),
        );
        let events = watcher(api, watcher::Config::default()).boxed();
        each(events, kind.as_str(), |all| {
            let all = all.values().map(|found| self.object(kind, found)).collect();
            self.change(|view| put(view, all));
        })
        .await;
    }

    /// Asked for again and again: a watch needs the right to list all nodes.
    async fn labels(&self) {
        let Some(node) = &self.node else { return };
        let api = Api::<Node>::all(self.client.clone());
        // A label that is a second old is as good.
        let cached = GetParams::any();
        loop {
            let asked = timeout(TIMEOUT, api.get_metadata_with(node, &cached)).await;
            match asked {
                Ok(Ok(node)) => self.change(|view| view.labels = Some(node.labels().clone())),
                Ok(Err(error)) => {
                    tracing::warn!(error = with_sources(&error), "node {node}, trying again");
                }
                Err(_) => tracing::warn!("node {node}: no answer in {TIMEOUT:?}, trying again"),
            }
            sleep(LABELS).await;
        }
    }

    fn change(&self, change: impl FnOnce(&mut PolicyView)) {
        self.view.send_if_modified(|view| {
            let before = view.clone();
            change(view);
            *view != before
        });
    }

    fn object(&self, kind: Kind, object: &DynamicObject) -> Object {
        // A node does not read the status, and need not read the object again because it was
        // written.
        let status = object.data.get("status").filter(|_| self.node.is_none());
        Object {
            kind,
            namespace: object.namespace().unwrap_or_default(),
            name: object.name_any(),
            uid: object.uid().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or_default(),
            labels: object.labels().clone(),
            spec: object.data.get("spec").cloned().unwrap_or(Value::Null),
            status: status.cloned().unwrap_or(Value::Null),
        }
    }
}

pub(super) fn resource(kind: Kind) -> ApiResource {
    ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk(GROUP, VERSION, kind.as_str()),
        kind.plural(),
    )
}

/// Passes on all objects whenever one may have changed. While the server cannot be request, the
/// last state stands; when it does not know the kind, there are none.
async fn each<K>(
    mut events: impl Stream<Item = watcher::Result<watcher::Event<K>>> + Unpin,
    what: &str,
    say: impl Fn(&BTreeMap<String, K>),
) where
    K: Resource + Clone + DeserializeOwned + Debug,
{
    let (mut known, mut listed, mut absent) = (BTreeMap::new(), BTreeMap::new(), false);
    while let Some(event) = events.next().await {
        let mut pause = None;
        match event {
            Ok(watcher::Event::Init) => {
                listed.clear();
                continue;
            }
            Ok(watcher::Event::InitApply(object)) => {
                listed.insert(object.name_any(), object);
                continue;
            }
            Ok(watcher::Event::InitDone) => (known, absent) = (std::mem::take(&mut listed), false),
            Ok(watcher::Event::Apply(object)) => drop(known.insert(object.name_any(), object)),
            Ok(watcher::Event::Delete(object)) => drop(known.remove(&object.name_any())),
            Err(watcher::Error::InitialListFailed(kube::Error::Api(status)))
                if status.code == 404 =>
            {
                if !absent {
                    tracing::info!(
                        "the server has no {what}: looking for it again every {ABSENT:?}"
                    );
                }
                (known, absent, pause) = (BTreeMap::new(), true, Some(ABSENT));
            }
            Err(error) => {
                tracing::warn!(
                    error = with_sources(&error),
                    "watch of {what} interrupted, trying again"
                );
                sleep(RETRY).await;
                continue;
            }
        }
        say(&known);
        if let Some(pause) = pause {
            sleep(pause).await;
        }
    }
}
