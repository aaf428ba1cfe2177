//! Watches, restarted by kube for ever.

use std::fmt::Debug;

use futures::{
    Stream, StreamExt, future,
    stream::{self, BoxStream},
};
use k8s_openapi::{
    api::{core::v1::Pod as ApiPod, resource::v1::ResourceSlice},
    serde::de::DeserializeOwned,
};
use kube::{
    Api, Resource, ResourceExt,
    runtime::{
        WatchStreamExt,
        watcher::{self, watcher},
    },
};

use crate::{
    cluster::{
        Pods,
        pods::{Pod, Watched},
    },
    errors::with_sources,
    slice::SliceChange,
};

/// Events of one kind of object on this node. Interruptions are logged and otherwise followed by a
/// new list.
fn events<K>(
    api: Api<K>,
    fields: &str,
    what: &'static str,
) -> impl Stream<Item = watcher::Event<K>> + Send + 'static
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    watcher(api, watcher::Config::default().fields(fields))
        .default_backoff()
        .filter_map(move |event| {
            if let Err(error) = &event {
                tracing::warn!(
                    error = with_sources(error),
                    "watch of {what} interrupted, trying again"
                );
            }
            future::ready(event.ok())
        })
}

pub(super) fn slices(api: Api<ResourceSlice>, fields: &str) -> BoxStream<'static, SliceChange> {
    let changes = events(api, fields, "slices").filter_map(|event| {
        future::ready(match event {
            watcher::Event::Apply(slice) => Some(SliceChange::Applied {
                name: slice.name_any(),
                version: slice.resource_version().unwrap_or_default(),
            }),
            watcher::Event::Delete(slice) => Some(SliceChange::Deleted {
                name: slice.name_any(),
            }),
            watcher::Event::Init | watcher::Event::InitApply(_) => None,
            watcher::Event::InitDone => Some(SliceChange::Unknown),
        })
    });
    // kube's stream never ends; should it, then never as a busy loop of the reader.
    changes.chain(stream::pending()).boxed()
}

pub(super) fn pods(api: Api<ApiPod>, node: &str) -> Pods {
    let (mut watched, pods) = Pods::channel();
    let mut events = events(api, &format!("spec.nodeName={node}"), "pods").boxed();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                () = watched.unwatched() => return,
                event = events.next() => match event {
                    Some(event) => take(&mut watched, event),
                    None => return,
                },
            }
        }
    });
    pods
}

fn take(watched: &mut Watched, event: watcher::Event<ApiPod>) {
    match event {
        watcher::Event::Apply(pod) => watched.applied(Pod::from(pod)),
        watcher::Event::Delete(pod) => watched.deleted(&pod.uid().unwrap_or_default()),
        watcher::Event::Init => watched.list_begins(),
        watcher::Event::InitApply(pod) => watched.listed(Pod::from(pod)),
        watcher::Event::InitDone => watched.list_ends(),
    }
}
